//! Entries in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::StoreBackend;
use crate::error::Result;

/// Keeps everything until it is dropped.
#[derive(Default)]
pub(super) struct MemoryBackend(Mutex<HashMap<String, Arc<[u8]>>>);

impl MemoryBackend {
    fn entries(&self) -> MutexGuard<'_, HashMap<String, Arc<[u8]>>> {
        // Every change is one call: after a panic the map is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for MemoryBackend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryBackend").field("entries", &self.entries().len()).finish()
    }
}

impl StoreBackend for MemoryBackend {
    fn describe(&self) -> String {
        "the store in memory".to_owned()
    }

    fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        // Copied without the lock.
        let found = self.entries().get(name).cloned();
        Ok(found.map(|bytes| bytes.to_vec()))
    }

    fn put(&self, name: &str, bytes: Vec<u8>) -> Result<()> {
        self.entries().insert(name.to_owned(), bytes.into());
        Ok(())
    }

    fn contains(&self, name: &str) -> Result<bool> {
        Ok(self.entries().contains_key(name))
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.entries().remove(name);
        Ok(())
    }
}
