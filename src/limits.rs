//! The largest size, duration and count of everything, and what this machine gives a job.

use std::num::NonZeroUsize;
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
            stall: Duration::from_secs(60),
        }
    }
}

/// The threads that this process may use at once: the CPU affinity and the cgroup's CPU quota (v1 and v2) counted in.
pub fn available_threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// The memory that this process may use, in bytes: the smaller of the machine's memory and the cgroup's limit.
/// `None` where the system does not say.
pub fn available_memory() -> Option<u64> {
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| parse_meminfo(&text));
    let cgroup = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        .iter()
        .find_map(|path| std::fs::read_to_string(path).ok())
        // "max" means no limit, and is not a number.
        .and_then(|text| text.trim().parse().ok());
    match (machine, cgroup) {
        (Some(machine), Some(cgroup)) => Some(u64::min(machine, cgroup)),
        (machine, cgroup) => machine.or(cgroup),
    }
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
    }
}
