//! Entries in a folder of the local file system.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::bound::{self, LeaseFile};
use super::{Lease, StoreBackend};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::ChunkKey;

/// A folder with a file for each entry. Several processes may share one.
#[derive(Debug)]
pub(super) struct LocalBackend {
    folder: PathBuf,
    /// In bytes; `None` to keep everything.
    limit: Option<u64>,
    /// Bytes written since the last sweep.
    written: AtomicU64,
}

/// A bounded store is swept after this share of its limit was written.
const SWEEP_SHARE: u64 = 16;

impl LocalBackend {
    pub(super) fn open(folder: PathBuf, limit: Option<u64>) -> Result<Self> {
        fs::create_dir_all(&folder).map_err(|error| {
            Error::new(ErrorKind::OutputFailed, format!("the folder {} cannot be made", folder.display()))
                .caused_by(error)
                .suggest("check the path, its permissions and the space on the disk")
        })?;
        if let Some(limit) = limit {
            bound::sweep(&folder, limit)?;
        }
        Ok(Self { folder, limit, written: AtomicU64::new(0) })
    }

    fn unreadable(&self, name: &str, error: std::io::Error) -> Error {
        let message = format!("the entry {name} in {} cannot be read", self.folder.display());
        Error::new(ErrorKind::OutputFailed, message).caused_by(error)
    }
}

impl StoreBackend for LocalBackend {
    fn describe(&self) -> String {
        format!("the folder {}", self.folder.display())
    }

    fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let file = self.folder.join(name);
        match fs::read(&file) {
            Ok(bytes) => {
                if self.limit.is_some() {
                    bound::touch(&file);
                }
                Ok(Some(bytes))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.unreadable(name, error)),
        }
    }

    fn put(&self, name: &str, bytes: Vec<u8>) -> Result<()> {
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::OutputFailed, format!("{name} cannot be written to {}", self.folder.display()))
                .caused_by(error)
                .suggest("free space on the disk or choose another folder")
        };
        let mut file = tempfile::Builder::new()
            .prefix(bound::UNFINISHED)
            // As for any file, the umask decides: processes of several users may share a store.
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(&self.folder)
            .map_err(failed)?;
        // Not synced: what a power cut leaves of it is noticed by its checksum.
        file.write_all(&bytes).map_err(failed)?;
        file.persist(self.folder.join(name)).map_err(|error| failed(error.error))?;
        let bytes = bytes.len() as u64;
        let written = self.written.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if let Some(limit) = self.limit.filter(|limit| written > limit / SWEEP_SHARE) {
            self.written.store(0, Ordering::Relaxed);
            // The entry is there: that others stay too long is not its fault.
            if let Err(error) = bound::sweep(&self.folder, limit) {
                tracing::warn!(%error, "the store could not be cleared up");
            }
        }
        Ok(())
    }

    fn contains(&self, name: &str) -> Result<bool> {
        self.folder.join(name).try_exists().map_err(|error| self.unreadable(name, error))
    }

    fn remove(&self, name: &str) -> Result<()> {
        match fs::remove_file(self.folder.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                let message = format!("the entry {name} in {} cannot be removed", self.folder.display());
                Err(Error::new(ErrorKind::OutputFailed, message).caused_by(error))
            }
            _ => Ok(()),
        }
    }

    fn lease(&self, keys: &mut dyn Iterator<Item = &ChunkKey>) -> Result<Lease> {
        LeaseFile::take(&self.folder, keys).map(Lease::held_by)
    }

    fn folder(&self) -> Option<&Path> {
        Some(&self.folder)
    }
}
