//! The file itself, before anything reads it as media.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::sniff::HEAD;
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::Interrupt;
use crate::limits::Limits;

/// Checks that `path` is a regular, non-empty file within the limits, and gives its length in bytes.
///
/// # Errors
/// `SOURCE_UNREADABLE` (missing, a folder, no permission), `SOURCE_UNSUPPORTED` (a pipe or device, which may block for
/// ever), `SOURCE_EMPTY`, `LIMIT_EXCEEDED`.
pub(crate) fn check_file(path: &Path, limits: &Limits) -> Result<u64> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).map_err(|error| {
        let what = match error.kind() {
            std::io::ErrorKind::NotFound => "does not exist",
            std::io::ErrorKind::PermissionDenied => "may not be read",
            _ => "cannot be read",
        };
        Error::new(ErrorKind::SourceUnreadable, format!("{shown} {what}"))
            .caused_by(error)
            .suggest("check the path and its permissions")
    })?;
    if metadata.is_dir() {
        return Err(Error::new(ErrorKind::SourceUnreadable, format!("{shown} is a folder, not a media file"))
            .suggest("name the file inside it"));
    }
    if !metadata.is_file() {
        return Err(Error::new(ErrorKind::SourceUnsupported, format!("{shown} is not a regular file"))
            .suggest("copy the media to a file"));
    }
    match metadata.len() {
        0 => {
            Err(Error::new(ErrorKind::SourceEmpty, format!("{shown} is empty (0 bytes)"))
                .suggest("upload the file again"))
        }
        bytes if bytes > limits.source_bytes => Err(Error::new(
            ErrorKind::LimitExceeded,
            format!("{shown} has {bytes} bytes; the limit is {}", limits.source_bytes),
        )
        .suggest("shorten or re-encode it, or raise Limits::source_bytes")),
        bytes => Ok(bytes),
    }
}

/// Checks the size of pictures before they are decoded.
///
/// # Errors
/// `LIMIT_EXCEEDED`.
pub(super) fn check_pixels(width: u32, height: u32, limits: &Limits) -> Result<()> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels > limits.source_pixels {
        return Err(Error::new(
            ErrorKind::LimitExceeded,
            format!("its pictures of {width}x{height} have {pixels} pixels; the limit is {}", limits.source_pixels),
        )
        .suggest("export it smaller, or raise Limits::source_pixels"));
    }
    Ok(())
}

/// The first bytes of a file.
pub(super) fn read_head(path: &Path) -> Result<Vec<u8>> {
    let unreadable =
        |error| Error::new(ErrorKind::SourceUnreadable, format!("{} cannot be read", path.display())).caused_by(error);
    let mut head = Vec::with_capacity(HEAD);
    File::open(path).map_err(unreadable)?.take(HEAD as u64).read_to_end(&mut head).map_err(unreadable)?;
    Ok(head)
}

/// The BLAKE3 hash of a file's content, as 64 hexadecimal digits. Read in blocks: a mapped file that somebody truncates
/// would end the process.
pub(crate) fn hash_file(path: &Path, interrupt: &Interrupt) -> Result<String> {
    let unreadable =
        |error| Error::new(ErrorKind::SourceUnreadable, format!("{} cannot be read", path.display())).caused_by(error);
    let mut file = File::open(path).map_err(unreadable)?;
    let mut hasher = blake3::Hasher::new();
    let mut block = vec![0u8; 256 * 1024];
    loop {
        let _working = interrupt.pulse().enter(path, None);
        if interrupt.is_set() {
            return Err(Error::new(ErrorKind::Canceled, "the job was cancelled while a source was read"));
        }
        match file.read(&mut block) {
            Ok(0) => {
                let hash = hasher.finalize().to_hex().to_string();
                tracing::debug!(path = %path.display(), hash, "hashed");
                return Ok(hash);
            }
            Ok(read) => {
                hasher.update(&block[..read]);
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
}
