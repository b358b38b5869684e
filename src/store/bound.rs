//! A store that stays below a size: what was used least recently goes first, and nothing that a running job needs.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::error::{Error, ErrorKind, Result};
use crate::plan::ChunkKey;

/// Endings of entries.
const ENTRIES: [&str; 3] = ["chunk", "slide", "sound"];
const LEASE: &str = "lease";
const LEASE_PREFIX: &str = "job-";
/// Held while somebody clears up, so that no two processes do at once.
const SWEEP_LOCK: &str = "sweep.lock";
/// What a sweep leaves, as a share of the limit: the next one is some way off.
const LEFT_TENTHS: u64 = 9;
/// What the names of files begin with that are to become an entry or a lease.
pub(super) const UNFINISHED: &str = ".remix-store-";
/// Files of writers that died; no chunk takes that long to write.
const STALE: Duration = Duration::from_secs(24 * 3600);
/// The most bytes of a lease: a plan of a day has fewer keys.
const MAX_LEASE_BYTES: u64 = 64 << 20;

/// A lease of a folder: a file of keys that is locked for as long as it lives. A process that dies loses its leases too.
#[derive(Debug)]
pub(super) struct LeaseFile {
    path: PathBuf,
    /// The lock on it ends with it.
    _file: File,
}

impl LeaseFile {
    /// A lease on `keys` in the store at `folder`.
    pub(super) fn take(folder: &Path, keys: &mut dyn Iterator<Item = &ChunkKey>) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::OutputFailed, format!("the store {} cannot be used", folder.display()))
                .caused_by(error)
                .suggest("free space on the disk or choose another folder")
        };
        // Not while somebody clears up: what was looked for leases before this one came might still be removed.
        let sweep = sweep_lock(folder).map_err(failed)?;
        sweep.lock_shared().map_err(failed)?;
        let mut file = tempfile::Builder::new()
            .prefix(UNFINISHED)
            // As for entries: another user's sweep must be able to read what is leased.
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(folder)
            .map_err(failed)?;
        for key in keys {
            writeln!(file, "{key}").map_err(failed)?;
        }
        // Locked before it has its name: whoever sees it knows that it is held.
        file.as_file().lock().map_err(failed)?;
        let name = file.path().file_name().unwrap_or_default().to_string_lossy().replace(UNFINISHED, LEASE_PREFIX);
        let path = folder.join(format!("{name}.{LEASE}"));
        let file = file.persist(&path).map_err(|error| failed(error.error))?;
        Ok(Self { path, _file: file })
    }
}

impl Drop for LeaseFile {
    fn drop(&mut self) {
        // What cannot be removed is without its lock, and goes with the next sweep.
        let _ = fs::remove_file(&self.path);
    }
}

/// The file that is locked alone by who clears up, and together by who takes a lease.
fn sweep_lock(folder: &Path) -> std::io::Result<File> {
    let path = folder.join(SWEEP_LOCK);
    // Locking needs no right to write, which another user's file may not give.
    File::open(&path).or_else(|_| File::options().create(true).truncate(false).write(true).open(&path))
}

/// Says that an entry was used now.
pub(super) fn touch(file: &Path) {
    // An entry of another user, or on a file system that is read only, keeps its time.
    let _ = File::open(file).and_then(|file| file.set_modified(SystemTime::now()));
}

/// Removes what was used least recently until the store at `folder` has at most nine tenths of `limit` bytes, if it has
/// more than `limit`. What is leased stays, whatever its size, and so does what is not the store's. Does nothing while
/// another process does it, or takes a lease.
///
/// # Errors
/// `OUTPUT_FAILED` if the folder cannot be read.
pub(super) fn sweep(folder: &Path, limit: u64) -> Result<()> {
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::OutputFailed, format!("the store {} cannot be read", folder.display())).caused_by(error)
    };
    let lock = sweep_lock(folder).map_err(failed)?;
    if lock.try_lock().is_err() {
        return Ok(());
    }
    let mut entries: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
    let mut leased = BTreeSet::new();
    let now = SystemTime::now();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        // Another process may have removed it.
        let Ok(metadata) = fs::metadata(&path) else { continue };
        let Ok(used) = metadata.modified() else { continue };
        // The folder may be one that has other things too: only what has a name of the store's is touched.
        match Kind::of(&path) {
            Some(Kind::Entry) => entries.push((used, metadata.len(), path)),
            Some(Kind::Lease) => match keys_of(&path) {
                Some(keys) => leased.extend(keys),
                // Nobody knows what it needs: nothing goes this time.
                None => return Ok(()),
            },
            Some(Kind::Unfinished) if now.duration_since(used).is_ok_and(|age| age > STALE) => {
                let _ = fs::remove_file(&path);
            }
            Some(Kind::Unfinished) | None => {}
        }
    }
    let mut total: u64 = entries.iter().map(|(_, bytes, _)| bytes).sum();
    if total <= limit {
        return Ok(());
    }
    entries.sort();
    for (_, bytes, path) in entries {
        if total <= limit / 10 * LEFT_TENTHS {
            break;
        }
        let key = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if !leased.contains(key) && fs::remove_file(&path).is_ok() {
            total = total.saturating_sub(bytes);
        }
    }
    Ok(())
}

/// What a file of the store is.
enum Kind {
    Entry,
    Lease,
    Unfinished,
}

impl Kind {
    /// By its name; `None` for a file that is not the store's.
    fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        if name.starts_with(UNFINISHED) {
            return Some(Self::Unfinished);
        }
        let (stem, ending) = name.split_once('.')?;
        match ending {
            LEASE if stem.starts_with(LEASE_PREFIX) => Some(Self::Lease),
            ending if ENTRIES.contains(&ending) => ChunkKey::try_from(stem.to_owned()).is_ok().then_some(Self::Entry),
            _ => None,
        }
    }
}

/// The keys of a lease that is held; one whose owner is gone is removed. `None` if it cannot be read.
fn keys_of(path: &Path) -> Option<Vec<String>> {
    let file = match File::open(path) {
        Ok(file) => file,
        // Its job has ended just now.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Some(Vec::new()),
        Err(_) => return None,
    };
    if file.try_lock_shared().is_ok() {
        let _ = fs::remove_file(path);
        return Some(Vec::new());
    }
    let mut text = String::new();
    file.take(MAX_LEASE_BYTES).read_to_string(&mut text).ok()?;
    Some(text.lines().map(str::to_owned).collect())
}
