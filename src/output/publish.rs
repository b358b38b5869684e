//! Work in a hidden folder, and one rename that makes the result visible.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::error::{Error, ErrorKind, Result};

/// A hidden folder inside the output folder, so that publishing is a rename on one file system. It is removed with all
/// that is in it when it is dropped, also after an error or a cancel; so are the folders that were made for it, if
/// nothing else is in them.
#[derive(Debug)]
pub(crate) struct Staging {
    folder: TempDir,
    out: PathBuf,
    /// Removes the output folder after the hidden one: fields are dropped in this order.
    _made: MadeFolders,
}

/// Folders that did not exist before, innermost first.
#[derive(Debug)]
struct MadeFolders(Vec<PathBuf>);

impl Drop for MadeFolders {
    fn drop(&mut self) {
        for folder in &self.0 {
            // Fails for a folder that has a result in it, which then stays.
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
    }
}

impl Staging {
    /// Makes the output folder `out` if it is missing, and the hidden folder in it.
    ///
    /// # Errors
    /// `OUTPUT_FAILED`.
    pub(crate) fn create(out: &Path) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::OutputFailed, format!("the output folder {} cannot be written", out.display()))
                .caused_by(error)
                .suggest("check the path, its permissions and the space on the disk")
        };
        let missing = out.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists());
        let made = MadeFolders(missing.map(Path::to_owned).collect());
        fs::create_dir_all(out).map_err(failed)?;
        remove_stale(out);
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(out).map_err(failed)?;
        let staging = Self { folder, out: out.to_owned(), _made: made };
        fs::create_dir(staging.work()).map_err(failed)?;
        fs::create_dir(staging.results()).map_err(failed)?;
        Ok(staging)
    }

    /// Where intermediate files go.
    pub(crate) fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// Where the results are made, one folder each.
    pub(crate) fn results(&self) -> PathBuf {
        self.folder.path().join("results")
    }

    /// # Errors
    /// `OUTPUT_FAILED` if something else than an older result lies where `name` would be published.
    pub(crate) fn check_place(&self, name: &str) -> Result<()> {
        let to = self.out.join(name);
        if to.symlink_metadata().is_err() || to.join("container.json").is_file() {
            return Ok(());
        }
        let is_empty = fs::read_dir(&to).is_ok_and(|mut entries| entries.next().is_none());
        if is_empty {
            return Ok(());
        }
        let message = format!("{} is there already and is not a result of this engine", to.display());
        Err(Error::new(ErrorKind::OutputFailed, message).suggest("move it away or choose another output folder"))
    }

    /// Makes the result `name` visible as `name` in the output folder, in one step. What was there before under that
    /// name is replaced.
    ///
    /// # Errors
    /// `OUTPUT_FAILED`; the output folder is then as it was.
    pub(crate) fn publish(&self, name: &str) -> Result<PathBuf> {
        self.check_place(name)?;
        let (from, to) = (self.results().join(name), self.out.join(name));
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::OutputFailed, format!("the result cannot be published as {}", to.display()))
                .caused_by(error)
                .suggest("check the output folder and its permissions")
        };
        if to.symlink_metadata().is_ok() {
            // After the exchange the old result is in the hidden folder and goes with it.
            use rustix::fs::{CWD, RenameFlags, renameat_with};
            if renameat_with(CWD, &from, CWD, &to, RenameFlags::EXCHANGE).is_err() {
                // Some network file systems cannot exchange: aside with the old one, and back if the new one fails.
                let aside = self.work().join(format!("{name}.old"));
                fs::rename(&to, &aside).map_err(failed)?;
                fs::rename(&from, &to).inspect_err(|_| drop(fs::rename(&aside, &to))).map_err(failed)?;
            }
        } else {
            fs::rename(&from, &to).map_err(failed)?;
        }
        // So that the rename survives a power cut; a file system that cannot is none the worse.
        let _ = File::open(&self.out).and_then(|folder| folder.sync_all());
        Ok(to)
    }
}

/// What the names of hidden folders begin with.
const PREFIX: &str = ".remix-";
/// No job takes that long.
const STALE: Duration = Duration::from_secs(24 * 3600);

/// Removes the hidden folders of jobs that were killed: those in which nothing has been made or removed for a day.
fn remove_stale(out: &Path) {
    let is_old = |path: &Path| {
        let changed = fs::symlink_metadata(path).and_then(|metadata| metadata.modified());
        changed.is_ok_and(|changed| changed.elapsed().is_ok_and(|age| age > STALE))
    };
    for folder in fs::read_dir(out).into_iter().flatten().flatten().map(|entry| entry.path()) {
        let is_ours = folder.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX));
        let parts = [folder.join("work"), folder.join("results"), folder.join("work/chunks")];
        // The last one is only there without a store.
        if is_ours
            && parts[..2].iter().all(|part| part.is_dir() && is_old(part))
            && (is_old(&parts[2]) || !parts[2].exists())
        {
            // What cannot be removed is left over.
            let _ = fs::remove_dir_all(&folder);
        }
    }
}

/// Writes a file and waits until it is on the disk.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|error| {
        Error::new(ErrorKind::OutputFailed, format!("{} cannot be written", path.display()))
            .caused_by(error)
            .suggest("free space on the disk or choose another folder")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_appears_whole_and_replaces_an_older_one() {
        let out = tempfile::tempdir().expect("a folder");
        for round in ["first", "second"] {
            let staging = Staging::create(out.path()).expect("can be written");
            fs::create_dir(staging.results().join("cnt")).expect("can be made");
            write_file(&staging.results().join("cnt/container.json"), round.as_bytes()).expect("can be written");
            staging.publish("cnt").expect("is published");
            assert_eq!(fs::read_to_string(out.path().join("cnt/container.json")).expect("is there"), round);
        }
        let left: Vec<_> =
            fs::read_dir(out.path()).expect("is there").map(|entry| entry.expect("is there").file_name()).collect();
        assert_eq!(left, ["cnt"], "nothing else is left");
    }

    #[test]
    fn folders_that_were_made_for_nothing_are_removed() {
        let root = tempfile::tempdir().expect("a folder");
        let out = root.path().join("a/b");
        drop(Staging::create(&out).expect("can be written"));
        assert_eq!(fs::read_dir(root.path()).expect("is there").count(), 0);
    }

    #[test]
    fn what_a_killed_job_left_goes_after_a_day() {
        let out = tempfile::tempdir().expect("a folder");
        let age = |folder: &Path, hours: u64| {
            let then = std::time::SystemTime::now() - Duration::from_secs(hours * 3600);
            File::open(folder).and_then(|folder| folder.set_modified(then)).expect("can be set");
        };
        let left = |name: &str, hours: u64| {
            for part in ["work", "results"] {
                fs::create_dir_all(out.path().join(name).join(part)).expect("can be made");
                age(&out.path().join(name).join(part), hours);
            }
        };
        left(".remix-dead", 25);
        left(".remix-alive", 23);
        left("cnt_1", 25);
        fs::create_dir(out.path().join(".remix-other")).expect("can be made");
        age(&out.path().join(".remix-other"), 25);
        drop(Staging::create(out.path()).expect("can be written"));
        let mut names: Vec<_> =
            fs::read_dir(out.path()).expect("is there").map(|entry| entry.expect("is there").file_name()).collect();
        names.sort();
        assert_eq!(names, [".remix-alive", ".remix-other", "cnt_1"]);
    }

    #[test]
    fn what_is_not_ours_is_not_replaced() {
        let out = tempfile::tempdir().expect("a folder");
        fs::create_dir(out.path().join("cnt")).expect("can be made");
        write_file(&out.path().join("cnt/holiday.jpg"), b"x").expect("can be written");
        let staging = Staging::create(out.path()).expect("can be written");
        fs::create_dir(staging.results().join("cnt")).expect("can be made");
        let error = staging.publish("cnt").expect_err("is refused");
        assert_eq!(error.kind(), ErrorKind::OutputFailed);
        assert!(out.path().join("cnt/holiday.jpg").exists());
    }
}
