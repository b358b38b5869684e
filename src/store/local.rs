//! Chunks in a folder of the local file system.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::chunk_file;
use crate::encode::EncodedChunk;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::ChunkKey;

/// A folder of finished chunks, each in a file that is named by its key. Several processes may share one.
#[derive(Debug, Clone)]
pub struct ChunkStore {
    folder: PathBuf,
}

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
        Ok(Self { folder })
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
        let bytes = match fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(
                    Error::new(ErrorKind::OutputFailed, format!("the chunk {key} cannot be read")).caused_by(error)
                );
            }
        };
        let chunk = chunk_file::read(&bytes);
        if chunk.is_none() {
            tracing::warn!(%key, "a damaged chunk is dropped and will be rendered again");
            // Whether or not it can be removed, it is not used.
            let _ = fs::remove_file(&file);
        }
        Ok(chunk)
    }

    /// Whether there is a chunk of `key`; it may turn out to be damaged when it is read.
    pub fn contains(&self, key: &ChunkKey) -> bool {
        self.file(key).exists()
    }

    /// Keeps `chunk` under `key`. Readers see it whole or not at all.
    ///
    /// # Errors
    /// `OUTPUT_FAILED` if it cannot be written, such as on a full disk.
    pub fn put(&self, key: &ChunkKey, chunk: &EncodedChunk) -> Result<()> {
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::OutputFailed, format!("a chunk cannot be written to {}", self.folder.display()))
                .caused_by(error)
                .suggest("free space on the disk or choose another folder")
        };
        let mut file = tempfile::Builder::new()
            // As for any file, the umask decides: processes of several users may share a store.
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(&self.folder)
            .map_err(failed)?;
        file.write_all(&chunk_file::write(chunk)).map_err(failed)?;
        file.persist(self.file(key)).map_err(|error| failed(error.error))?;
        Ok(())
    }
}
