//! What a place must do to keep chunks.

use std::any::Any;
use std::fmt;
use std::path::Path;

use crate::error::Result;
use crate::plan::ChunkKey;

/// A place that keeps entries: bytes under names. [`ChunkStore::with_backend`](super::ChunkStore::with_backend) makes a
/// store of it.
///
/// An entry's name is its key, 64 hexadecimal digits, with the ending `.chunk`, `.slide` or `.sound`. Its bytes end with a checksum
/// that the store above writes and checks, so that a backend needs none: what it gives back damaged is dropped and
/// rendered again.
///
/// # What it must keep to
/// - **Whole or not at all.** Who reads while another writes, in this process or in another one, sees the old bytes, the
///   new bytes or nothing, and never a part. After an error of [`put`](Self::put) there is no new entry.
/// - **The same name, the same content.** A chunk is a pure function of what its name stands for. So writing a name again
///   changes nothing for readers, the last writer may win, and no lock is needed.
/// - **Seen at once.** What `put` has returned from is seen by all who ask afterwards, on all machines that share the
///   place. Local file systems and the large object stores keep to that; caches in between may not.
/// - **Any thread.** The calls come from the worker threads of a job, several at once. They block, are not made from async
///   code unless the caller of the engine does so, and should end within a time of their own: a job that is cancelled ends
///   when its calls have.
/// - **Errors** are for what keeps the place from answering, `OUTPUT_FAILED` where the same call may succeed later. An entry
///   that is missing is `None` or `false`. An error ends the job.
pub trait StoreBackend: fmt::Debug + Send + Sync {
    /// What it is called in errors and logs, such as `the folder /var/cache/remix`.
    fn describe(&self) -> String;

    /// The bytes of the entry `name`; `None` if there is none.
    ///
    /// # Errors
    /// `OUTPUT_FAILED` if it may be there and cannot be read.
    fn get(&self, name: &str) -> Result<Option<Vec<u8>>>;

    /// Keeps `bytes` as the entry `name`, in place of one that is there.
    ///
    /// # Errors
    /// `OUTPUT_FAILED` if it cannot be written.
    fn put(&self, name: &str, bytes: Vec<u8>) -> Result<()>;

    /// Whether there is an entry `name`, without reading it.
    ///
    /// # Errors
    /// `OUTPUT_FAILED` if that cannot be told.
    fn contains(&self, name: &str) -> Result<bool>;

    /// Removes the entry `name`, which turned out to be damaged; one that is not there is no error. If another has written
    /// it anew in the meantime, that one may go: it is then rendered once more.
    ///
    /// # Errors
    /// `OUTPUT_FAILED` if it cannot be removed. The store goes on without: the entry is overwritten.
    fn remove(&self, name: &str) -> Result<()>;

    /// Keeps the entries of these keys, there or still to come, until the lease is dropped. A backend that never removes
    /// entries by itself has nothing to do. Default: [`Lease::none`].
    ///
    /// # Errors
    /// `OUTPUT_FAILED` if that cannot be promised.
    fn lease(&self, keys: &mut dyn Iterator<Item = &ChunkKey>) -> Result<Lease> {
        let _ = keys;
        Ok(Lease::none())
    }

    /// The folder of this machine that the entries are in, where the engine may also keep what it knows about sources.
    /// Default: `None`.
    fn folder(&self) -> Option<&Path> {
        None
    }
}

/// Keeps the entries of a job in a store for as long as it lives. In a local store it ends with its process too.
pub struct Lease(Option<Box<dyn Any + Send + Sync>>);

impl Lease {
    /// A lease of a store that drops nothing.
    pub fn none() -> Self {
        Self(None)
    }

    /// A lease that lasts until `guard` is dropped, which happens with the lease.
    pub fn held_by(guard: impl Any + Send + Sync) -> Self {
        Self(Some(Box::new(guard)))
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("is_needed", &self.0.is_some()).finish()
    }
}
