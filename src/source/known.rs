//! What is known of source files from before, so that a large file is not read whole once more: their content's hash and the
//! times of their packets, by what the file system says about them.
//!
//! A file is the same as long as its path, device, inode, size and times of change are the same. That holds for as long
//! as its clock moves on between two changes: what was changed less than [`SETTLED`] before it was read is not remembered
//! (as in git, whose documentation calls such entries racy).

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::probe::Scan;

/// The form's name and version.
const MAGIC: [u8; 8] = *b"RXSOURC1";
const HASH: usize = blake3::OUT_LEN;
const ENDING: &str = ".source";
/// What the names of files begin with that are to become an entry.
const UNFINISHED: &str = ".remix-source-";
/// File systems round times to two seconds at most (FAT).
const SETTLED: Duration = Duration::from_secs(2);
/// Entries of a folder, and their bytes: those of the sources of some hundred jobs.
const MOST_ENTRIES: usize = 1_024;
const MOST_BYTES: u64 = 32 << 20;
/// The most bytes of one: half a million packets are within it.
const MOST_ENTRY_BYTES: u64 = 16 << 20;
/// Files of writers that died.
const STALE: Duration = Duration::from_secs(24 * 3600);

/// Tells a file from one that was written in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileStamp {
    path: PathBuf,
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl FileStamp {
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self {
            path: path.to_owned(),
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }

    /// Whether a change after `then` would show in the times.
    fn is_settled(&self, then: SystemTime) -> bool {
        let Ok(then) = then.duration_since(UNIX_EPOCH) else { return false };
        [self.modified, self.changed].into_iter().all(|(seconds, nanoseconds)| {
            let nanoseconds = u32::try_from(nanoseconds).unwrap_or(0);
            // A time before 1970 is long ago; one in the future is never settled.
            u64::try_from(seconds).map_or(true, |seconds| Duration::new(seconds, nanoseconds) + SETTLED < then)
        })
    }

    /// The name of what is known of the file, for an engine of this version.
    fn name(&self, engine: &str) -> String {
        let mut hasher = blake3::Hasher::new_derive_key("remix-engine 2026 known source");
        for text in [engine.as_bytes(), self.path.as_os_str().as_bytes()] {
            hasher.update(&(text.len() as u64).to_le_bytes()).update(text);
        }
        for number in [self.device, self.inode, self.bytes] {
            hasher.update(&number.to_le_bytes());
        }
        for number in [self.modified.0, self.modified.1, self.changed.0, self.changed.1] {
            hasher.update(&number.to_le_bytes());
        }
        format!("{}{ENDING}", hasher.finalize().to_hex())
    }
}

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Known {
    /// BLAKE3 of its content, 64 hexadecimal digits.
    pub(super) hash: String,
    /// Its packets, where they are known.
    pub(super) scan: Option<Scan>,
}

/// A folder of what is known, shared by any number of processes: a small file for each source, written in one step, with a
/// checksum. What cannot be read is as if it was not there, and what cannot be written is read again next time.
#[derive(Debug, Clone)]
pub(crate) struct KnownSources {
    folder: PathBuf,
    engine: String,
}

impl KnownSources {
    /// In `folder`, which is made when there is something to keep; for an engine of this version.
    pub(crate) fn new(folder: PathBuf, engine: &str) -> Self {
        Self { folder, engine: engine.to_owned() }
    }

    /// The file at `path`, which is about to be read. `None` if it cannot be told from others.
    pub(super) fn look_up(&self, path: &Path) -> Option<LookedUp<'_>> {
        // Before the stamp: what is changed in between must not seem settled.
        let began = SystemTime::now();
        let stamp = FileStamp::of(&fs::canonicalize(path).ok()?)?;
        let name = stamp.name(&self.engine);
        let before = self.read(&name);
        Some(LookedUp { known: self, began, stamp, name, before })
    }

    fn read(&self, name: &str) -> Option<Known> {
        let file = File::open(self.folder.join(name)).ok()?;
        let mut bytes = Vec::new();
        (&file).take(MOST_ENTRY_BYTES).read_to_end(&mut bytes).ok()?;
        let facts = decode(name, &bytes)?;
        // What was used last goes last. An entry of another user keeps its time.
        let _ = file.set_modified(SystemTime::now());
        Some(facts)
    }

    fn write(&self, name: &str, facts: &Known) -> std::io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let mut file = tempfile::Builder::new()
            .prefix(UNFINISHED)
            // As for any file, the umask decides: processes of several users may share a folder.
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(&self.folder)?;
        file.write_all(&encode(name, facts)?)?;
        file.persist(self.folder.join(name)).map_err(|error| error.error)?;
        self.trim(MOST_ENTRIES, MOST_BYTES)
    }

    /// Removes what was used least recently where there are more than so many entries or bytes, a tenth more than needed.
    fn trim(&self, most: usize, most_bytes: u64) -> std::io::Result<()> {
        let mut entries = Vec::new();
        let now = SystemTime::now();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            // Another process may have removed it.
            let Ok(metadata) = entry.metadata() else { continue };
            let Ok(used) = metadata.modified() else { continue };
            let name = entry.file_name();
            if name.as_bytes().ends_with(ENDING.as_bytes()) {
                entries.push((used, metadata.len(), entry.path()));
            } else if name.as_bytes().starts_with(UNFINISHED.as_bytes())
                && now.duration_since(used).is_ok_and(|age| age > STALE)
            {
                let _ = fs::remove_file(entry.path());
            }
        }
        let (mut count, mut bytes) = (entries.len(), entries.iter().map(|(_, bytes, _)| bytes).sum::<u64>());
        if count <= most && bytes <= most_bytes {
            return Ok(());
        }
        entries.sort();
        for (_, size, path) in entries {
            if count <= most / 10 * 9 && bytes <= most_bytes / 10 * 9 {
                break;
            }
            let _ = fs::remove_file(path);
            (count, bytes) = (count - 1, bytes - size);
        }
        Ok(())
    }
}

/// A file that was looked up, before it is read.
pub(super) struct LookedUp<'a> {
    known: &'a KnownSources,
    began: SystemTime,
    stamp: FileStamp,
    name: String,
    /// What was known of it before.
    pub(super) before: Option<Known>,
}

impl LookedUp<'_> {
    /// Keeps what was found out since, if the file cannot have changed in the meantime.
    pub(super) fn keep(self, found: Known) {
        let unchanged = || FileStamp::of(&self.stamp.path).as_ref() == Some(&self.stamp);
        if self.before.as_ref() == Some(&found) || !self.stamp.is_settled(self.began) || !unchanged() {
            return;
        }
        if let Err(error) = self.known.write(&self.name, &found) {
            tracing::warn!(folder = %self.known.folder.display(), %error, "what is known of a source cannot be kept");
        }
    }
}

/// The checksum is over the name too: an entry under another one is another file's.
fn checksum(name: &str, body: &[u8]) -> blake3::Hash {
    blake3::Hasher::new().update(name.as_bytes()).update(body).finalize()
}

fn encode(name: &str, facts: &Known) -> std::io::Result<Vec<u8>> {
    let body = serde_json::to_vec(facts)?;
    Ok([&MAGIC, checksum(name, &body).as_bytes().as_slice(), &body].concat())
}

fn decode(name: &str, bytes: &[u8]) -> Option<Known> {
    let (hash, body) = bytes.strip_prefix(&MAGIC)?.split_at_checked(HASH)?;
    if checksum(name, body).as_bytes() != hash {
        return None;
    }
    serde_json::from_slice(body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(hash: &str) -> Known {
        Known { hash: hash.to_owned(), scan: None }
    }

    /// A file whose times say that it was changed long ago, but for its `ctime`, which nobody can set.
    fn settled(known: &KnownSources, path: &Path) -> LookedUp<'static> {
        let looked_up = known.look_up(path).expect("can be told");
        let known: &'static KnownSources = Box::leak(Box::new(known.clone()));
        LookedUp { known, began: SystemTime::now() + 2 * SETTLED, ..looked_up }
    }

    #[test]
    fn a_file_is_known_until_anything_about_it_changes() {
        let folder = tempfile::tempdir().expect("a folder");
        let known = KnownSources::new(folder.path().join("sources"), "engine 1");
        let path = folder.path().join("clip");
        fs::write(&path, b"one").expect("can be written");
        assert_eq!(settled(&known, &path).before, None);
        settled(&known, &path).keep(facts("a"));
        assert_eq!(known.look_up(&path).expect("is there").before, Some(facts("a")));
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).expect("a link");
        assert_eq!(known.look_up(&link).expect("is there").before, Some(facts("a")), "it is the same file");
        let other = KnownSources { engine: "engine 2".to_owned(), ..known.clone() };
        assert_eq!(other.look_up(&path).expect("is there").before, None);
        // The same size, and the time of before: only the change of the inode tells.
        let modified = fs::metadata(&path).expect("is there").modified().expect("has a time");
        std::thread::sleep(Duration::from_millis(20));
        fs::write(&path, b"two").expect("can be written");
        File::options().append(true).open(&path).and_then(|file| file.set_modified(modified)).expect("can be set");
        assert_eq!(fs::metadata(&path).expect("is there").modified().expect("has a time"), modified);
        assert_eq!(known.look_up(&path).expect("is there").before, None);
    }

    #[test]
    fn what_may_still_change_unseen_is_not_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let known = KnownSources::new(folder.path().join("sources"), "engine");
        let path = folder.path().join("clip");
        fs::write(&path, b"one").expect("can be written");
        known.look_up(&path).expect("is there").keep(facts("a"));
        assert_eq!(known.look_up(&path).expect("is there").before, None, "it was changed just now");
        let before = settled(&known, &path);
        fs::write(&path, b"longer").expect("can be written");
        before.keep(facts("a"));
        assert_eq!(known.look_up(&path).expect("is there").before, None, "it was changed while it was read");
        assert!(!known.folder.exists());
    }

    #[test]
    fn damaged_entries_and_those_of_others_are_ignored() {
        let bytes = encode("name", &facts("abc")).expect("can be written");
        assert_eq!(decode("name", &bytes), Some(facts("abc")));
        assert_eq!(decode("other", &bytes), None);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(decode("name", &damaged), None, "byte {at}");
            assert_eq!(decode("name", &bytes[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn the_oldest_go_where_there_are_too_many() {
        let folder = tempfile::tempdir().expect("a folder");
        let known = KnownSources::new(folder.path().to_owned(), "engine");
        let start = SystemTime::now() - Duration::from_secs(3600);
        fs::write(folder.path().join("notes.txt"), b"not ours").expect("can be written");
        for number in 0..30u64 {
            let file = File::create(folder.path().join(format!("{number}{ENDING}"))).expect("is made");
            file.set_len(10).expect("has a size");
            file.set_modified(start + Duration::from_secs(number)).expect("has a time");
        }
        let left = || {
            let names = fs::read_dir(folder.path()).expect("is read").map(|e| e.expect("is").file_name());
            let numbers = names.filter_map(|name| name.to_str()?.strip_suffix(ENDING)?.parse::<u64>().ok());
            numbers.collect::<std::collections::BTreeSet<_>>()
        };
        known.trim(20, 1_000).expect("can be trimmed");
        assert_eq!(left(), (12..30).collect());
        known.trim(20, 100).expect("can be trimmed");
        assert_eq!(left(), (21..30).collect());
        assert!(folder.path().join("notes.txt").exists());
    }
}
