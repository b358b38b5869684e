//! Finished chunks, slides and sounds, found by their key.
//!
//! [`ChunkStore`] is what jobs see. Where the entries are is the business of a [`StoreBackend`]: a folder, memory, a bucket
//! (with the feature `object-store`), or one of your own.
//!
//! Entries are written in one step and never change, so any number of processes and machines can share a store. That is
//! how the units of one plan are spread: each worker has the plan (it serialises with serde), the sources at the plan's
//! paths and the store, and renders its units with [`Engine::render_chunk`](crate::Engine::render_chunk). Units of a worker
//! that died are [missing](ChunkStore::missing), and go to another one.

mod backend;
mod bound;
mod chunk_file;
mod front;
mod local;
mod memory;
#[cfg(feature = "object-store")]
mod object;
mod sound_file;

pub use backend::{Lease, StoreBackend};
pub use front::ChunkStore;
#[cfg(feature = "object-store")]
pub use object::ObjectStoreBackend;
#[cfg(feature = "object-store")]
pub use object_store;
