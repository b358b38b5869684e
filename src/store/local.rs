//! Chunks in a folder of the local file system.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::bound::{self, Lease};
use super::chunk_file;
use crate::encode::EncodedChunk;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::ChunkKey;

/// A folder of finished chunks, each in a file that is named by its key. Several processes may share one.
#[derive(Debug, Clone)]
pub struct ChunkStore {
    folder: PathBuf,
    /// In bytes; `None` for a store that keeps everything.
    limit: Option<u64>,
    /// Bytes written since the last sweep.
    written: Arc<AtomicU64>,
}

/// A bounded store is swept after this share of its limit was written.
const SWEEP_SHARE: u64 = 16;

impl ChunkStore {
    /// The store in `folder`, which is made if it is missing.
    ///
    /// # Errors
    /// `OUTPUT_FAILED` if the folder cannot be made.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self> {
        let folder = folder.into();
        fs::create_dir_all(&folder).map_err(|error| {
            Error::new(ErrorKind::OutputFailed, format!("the folder {} cannot be made", folder.display()))
                .caused_by(error)
                .suggest("check the path, its permissions and the space on the disk")
        })?;
        Ok(Self { folder, limit: None, written: Arc::default() })
    }

    /// The store in `folder`, kept below about `max_bytes`: what was used least recently is removed, except for what a
    /// running job has a [lease](Self::lease) on. All that share it should give the same limit.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_bounded(folder: impl Into<PathBuf>, max_bytes: u64) -> Result<Self> {
        let store = Self { limit: Some(max_bytes), ..Self::open(folder)? };
        bound::sweep(&store.folder, max_bytes)?;
        Ok(store)
    }

    /// Keeps what has these keys, now or later, in a bounded store until the lease is dropped or its process ends.
    ///
    /// # Errors
    /// `OUTPUT_FAILED` if the folder cannot be written.
    pub fn lease<'k>(&self, keys: impl IntoIterator<Item = &'k ChunkKey>) -> Result<Lease> {
        Lease::take(&self.folder, keys.into_iter())
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn file(&self, key: &ChunkKey) -> PathBuf {
        self.folder.join(format!("{key}.chunk"))
    }

    /// The chunk of `key`; `None` if there is none, or if it is damaged, in which case it is dropped.
    ///
    /// # Errors
    /// `OUTPUT_FAILED` if it is there but cannot be read.
    pub fn get(&self, key: &ChunkKey) -> Result<Option<EncodedChunk>> {
        let file = self.file(key);
        let Some(bytes) = read(&file, key)? else { return Ok(None) };
        let chunk = chunk_file::read(&bytes);
        if self.limit.is_some() {
            bound::touch(&file);
        }
        if chunk.is_none() {
            tracing::warn!(%key, "a damaged chunk is dropped and will be rendered again");
            // Whether or not it can be removed, it is not used.
            let _ = fs::remove_file(&file);
        }
        Ok(chunk)
    }

    fn slide_file(&self, key: &ChunkKey) -> PathBuf {
        self.folder.join(format!("{key}.slide"))
    }

    /// The slide of `key`, a JPEG; `None` if there is none, or if it is damaged, in which case it is dropped.
    ///
    /// # Errors
    /// `OUTPUT_FAILED` if it is there but cannot be read.
    pub fn get_slide(&self, key: &ChunkKey) -> Result<Option<Vec<u8>>> {
        let file = self.slide_file(key);
        let Some(mut bytes) = read(&file, key)? else { return Ok(None) };
        // A checksum stands behind the picture.
        let whole = bytes.len().checked_sub(blake3::OUT_LEN).filter(|&length| {
            let (picture, hash) = bytes.split_at(length);
            blake3::hash(picture).as_bytes() == hash
        });
        let Some(length) = whole else {
            tracing::warn!(%key, "a damaged slide is dropped and will be rendered again");
            // Whether or not it can be removed, it is not used.
            let _ = fs::remove_file(&file);
            return Ok(None);
        };
        bytes.truncate(length);
        if self.limit.is_some() {
            bound::touch(&file);
        }
        Ok(Some(bytes))
    }

    /// Keeps the JPEG of a slide under `key`. Readers see it whole or not at all.
    ///
    /// # Errors
    /// `OUTPUT_FAILED` if it cannot be written, such as on a full disk.
    pub fn put_slide(&self, key: &ChunkKey, jpeg: &[u8]) -> Result<()> {
        let hash = blake3::hash(jpeg);
        self.write(&self.slide_file(key), &[jpeg, hash.as_bytes()])
    }

    /// Whether there is a chunk or a slide of `key`; it may turn out to be damaged when it is read.
    pub fn contains(&self, key: &ChunkKey) -> bool {
        self.file(key).exists() || self.slide_file(key).exists()
    }

    /// Keeps `chunk` under `key`. Readers see it whole or not at all.
    ///
    /// # Errors
    /// `OUTPUT_FAILED` if it cannot be written, such as on a full disk.
    pub fn put(&self, key: &ChunkKey, chunk: &EncodedChunk) -> Result<()> {
        self.write(&self.file(key), &[&chunk_file::write(chunk)])
    }

    fn write(&self, to: &Path, parts: &[&[u8]]) -> Result<()> {
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::OutputFailed, format!("a chunk cannot be written to {}", self.folder.display()))
                .caused_by(error)
                .suggest("free space on the disk or choose another folder")
        };
        let mut file = tempfile::Builder::new()
            .prefix(bound::UNFINISHED)
            // As for any file, the umask decides: processes of several users may share a store.
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(&self.folder)
            .map_err(failed)?;
        for part in parts {
            file.write_all(part).map_err(failed)?;
        }
        file.persist(to).map_err(|error| failed(error.error))?;
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        let written = self.written.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64;
        if let Some(limit) = self.limit.filter(|limit| written > limit / SWEEP_SHARE) {
            self.written.store(0, Ordering::Relaxed);
            bound::sweep(&self.folder, limit)?;
        }
        Ok(())
    }
}

/// The content of a file; `None` if there is none.
fn read(file: &Path, key: &ChunkKey) -> Result<Option<Vec<u8>>> {
    match fs::read(file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(Error::new(ErrorKind::OutputFailed, format!("the chunk {key} cannot be read")).caused_by(error))
        }
    }
}
