//! Finished chunks, found by their key.

mod chunk_file;
mod local;

pub use local::ChunkStore;
