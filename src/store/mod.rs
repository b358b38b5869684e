//! Finished chunks, found by their key.

mod bound;
mod chunk_file;
mod local;

pub use bound::Lease;
pub use local::ChunkStore;
