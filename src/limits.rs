//! The largest size, duration and count of everything, and what this machine gives a job.

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use crate::units::TimeSpan;

/// Limits on what a job may ask for and what a source may be. All are checked before memory is allocated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's JSON. Default: 1 MiB.
    pub request_bytes: u64,
    /// Characters of a hook. Default: 2 000.
    pub hook_chars: usize,
    /// Items in a pool or list of a request. Default: 200.
    pub pool_items: usize,
    /// Containers of one request. Default: 5.
    pub variants: u8,
    /// Bytes of one source. Default: 4 GiB.
    pub source_bytes: u64,
    /// Pixels of one picture of a source. Default: 4096 x 4096.
    pub source_pixels: u64,
    /// Bytes of one picture file, which is read whole. Default: 256 MiB.
    pub picture_bytes: u64,
    /// Frames of one animated picture. Default: 2 000.
    pub picture_frames: usize,
    /// Pixels of all frames of one animated picture together, which is the work of decoding it. Default: 2^32, some
    /// 2 000 frames of 1080 x 1920.
    pub animation_pixels: u64,
    /// Length of one source. Default: 1 h.
    pub source_duration: TimeSpan,
    /// Video packets of one source. Default: 500 000 (more than an hour at 120 fps).
    pub source_packets: usize,
    /// Mean pictures a second of one source. Default: 1 000, more than any phone's slow motion.
    pub source_frame_rate: u32,
    /// Length of an output. Default: 10 min, the longest that all platforms take.
    pub output_duration: TimeSpan,
    /// Duration of a source whose text is looked for. Default: three minutes.
    pub read_duration: TimeSpan,
    /// Seconds of CPU time that a job may be expected to take. Default: no limit.
    pub cpu: Option<Duration>,
    /// How long a job may be expected to take, were it alone on the machine. Default: no limit.
    pub wall: Option<Duration>,
    /// Bytes of memory that a job may be expected to take: it has fewer workers rather than more. Default:
    /// [`available_memory`].
    pub memory: Option<u64>,
    /// Bytes on the disk that a job may be expected to take. Default: what is free where its results go.
    pub disk: Option<u64>,
    /// How long a job may go without finishing a frame before it ends in `STALLED`. Default: 60 s.
    pub stall: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_bytes: 1 << 20,
            hook_chars: 2_000,
            pool_items: 200,
            variants: 5,
            source_bytes: 4 << 30,
            source_pixels: 4096 * 4096,
            picture_bytes: 256 << 20,
            picture_frames: 2_000,
            animation_pixels: 1 << 32,
            source_duration: TimeSpan::from_secs(3_600),
            source_packets: 500_000,
            source_frame_rate: 1_000,
            output_duration: TimeSpan::from_secs(600),
            read_duration: TimeSpan::from_secs(180),
            cpu: None,
            wall: None,
            memory: None,
            disk: None,
            stall: Duration::from_secs(60),
        }
    }
}

/// The threads that this process may use at once: the CPU affinity and the cgroup's CPU quota (v1 and v2) counted in.
pub fn available_threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// The memory that this process may use, in bytes: the least of the machine's memory, the limits of its cgroup and of those
/// above it (v1 and v2), and the limits on its data and address space (`ulimit -d`, `ulimit -v`). `None` where the system
/// does not say.
pub fn available_memory() -> Option<u64> {
    use rustix::process::{Resource, getrlimit};
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let machine = read("/proc/meminfo").and_then(|text| parse_meminfo(&text));
    let cgroup = cgroup_files(&read("/proc/self/cgroup").unwrap_or_default())
        .iter()
        .filter_map(|path| read(path))
        // "max" means no limit, and is not a number.
        .filter_map(|text| text.trim().parse().ok())
        .min();
    let data = getrlimit(Resource::Data).current;
    // The address space has libraries and stacks in it too, which are there already.
    let mapped = read("/proc/self/status").map_or(0, |status| mapped_besides_data(&status));
    let space = getrlimit(Resource::As).current.map(|limit| limit.saturating_sub(mapped));
    [machine, cgroup, data, space].into_iter().flatten().min()
}

/// Bytes that may still be written to the disk that `folder` is on. `None` where the system does not say.
pub fn free_disk(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    // Some file systems of user space say nothing, in zeros.
    (disk.f_blocks > 0).then(|| disk.f_frsize.saturating_mul(disk.f_bavail))
}

/// The files that may hold a limit of memory, for the cgroups of `/proc/self/cgroup`.
fn cgroup_files(cgroups: &str) -> Vec<String> {
    let mut files = Vec::new();
    for line in cgroups.lines() {
        let mut fields = line.splitn(3, ':');
        let (_, controllers, path) = (fields.next(), fields.next().unwrap_or(""), fields.next().unwrap_or("/"));
        let (root, name) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            _ if controllers.split(',').any(|controller| controller == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => continue,
        };
        // A limit of any cgroup above holds too. In a container the path may be the host's and lead nowhere.
        files.extend(Path::new(path).ancestors().map(|folder| {
            let folder = folder.to_string_lossy();
            format!("{root}/{}/{name}", folder.trim_matches('/')).replace("//", "/")
        }));
    }
    files
}

/// Bytes of the address space that are no data, by `/proc/self/status`.
fn mapped_besides_data(status: &str) -> u64 {
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
    };
    let besides = kib("VmSize:").unwrap_or(0).saturating_sub(kib("VmData:").unwrap_or(0));
    besides.saturating_mul(1024)
}

fn parse_meminfo(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_known() {
        assert!(available_threads().get() >= 1);
        assert_eq!(parse_meminfo("MemTotal:       24633932 kB\nMemFree: 1 kB\n"), Some(24_633_932 * 1024));
        assert_eq!(parse_meminfo("MemFree: 1 kB\n"), None);
        assert!(available_memory().is_some_and(|bytes| bytes > 64 << 20));
    }

    #[test]
    fn limits_are_looked_for_in_all_cgroups_above() {
        let v2 = cgroup_files("0::/user.slice/job.scope\n");
        let at = |path: &str| format!("/sys/fs/cgroup/{path}memory.max");
        assert_eq!(v2, [at("user.slice/job.scope/"), at("user.slice/"), at("")]);
        let v1 = cgroup_files("12:cpu,cpuacct:/docker/1\n4:memory:/docker/1\n");
        let at = |path: &str| format!("/sys/fs/cgroup/memory/{path}memory.limit_in_bytes");
        assert_eq!(v1, [at("docker/1/"), at("docker/"), at("")]);
        assert_eq!(mapped_besides_data("VmSize:\t 300 kB\nVmData:\t 100 kB\n"), 200 * 1024);
    }
}
