//! FFmpeg's error codes, option dictionaries and versions.

use std::ffi::{CStr, CString, c_int};
use std::fmt;
use std::ptr;
use std::sync::Once;

use ffmpeg_next::ffi;

/// A failed FFmpeg call: which one, and what FFmpeg says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AvError {
    pub(crate) call: &'static str,
    pub(crate) code: c_int,
}

impl AvError {
    /// `Ok(code)` unless `code` is negative.
    pub(super) fn check(call: &'static str, code: c_int) -> Result<c_int, Self> {
        if code < 0 { Err(Self { call, code }) } else { Ok(code) }
    }

    pub(super) fn no_memory(call: &'static str) -> Self {
        Self { call, code: ffi::AVERROR(libc::ENOMEM) }
    }

    pub(super) fn invalid(call: &'static str) -> Self {
        Self { call, code: ffi::AVERROR_INVALIDDATA }
    }

    /// Whether the data is damaged, as opposed to a fault of the machine.
    pub(crate) fn is_invalid_data(&self) -> bool {
        self.code == ffi::AVERROR_INVALIDDATA
    }

    /// Whether the allow-list refused the demuxer: FFmpeg answers with EINVAL then.
    pub(crate) fn is_refused_format(&self) -> bool {
        self.call == "avformat_open_input" && self.code == ffi::AVERROR(libc::EINVAL)
    }

    /// Whether the interrupt stopped the call.
    pub(crate) fn is_interrupt(&self) -> bool {
        self.code == ffi::AVERROR_EXIT
    }
}

impl fmt::Display for AvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = [0; ffi::AV_ERROR_MAX_STRING_SIZE];
        // SAFETY: the buffer is valid for its length; av_strerror always terminates it.
        let text = unsafe {
            ffi::av_strerror(self.code, buffer.as_mut_ptr(), buffer.len());
            CStr::from_ptr(buffer.as_ptr())
        };
        write!(f, "{}: {}", self.call, text.to_string_lossy())
    }
}

impl std::error::Error for AvError {}

/// An owned `AVDictionary`.
pub(super) struct Options(*mut ffi::AVDictionary);

impl Options {
    pub(super) fn new<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, AvError> {
        let mut options = Self(ptr::null_mut());
        for (key, value) in entries {
            let (Ok(key), Ok(value)) = (CString::new(key), CString::new(value)) else {
                return Err(AvError::invalid("av_dict_set"));
            };
            // SAFETY: both strings live across the call, which copies them; the dictionary pointer is ours.
            let code = unsafe { ffi::av_dict_set(&mut options.0, key.as_ptr(), value.as_ptr(), 0) };
            AvError::check("av_dict_set", code)?;
        }
        Ok(options)
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut *mut ffi::AVDictionary {
        &mut self.0
    }

    /// Gives the dictionary away, to a call that wants an array of them; [`Self::put`] takes back what is left of it.
    pub(super) fn take(&mut self) -> *mut ffi::AVDictionary {
        std::mem::replace(&mut self.0, ptr::null_mut())
    }

    /// Owns `dictionary` from now on, in place of nothing.
    pub(super) fn put(&mut self, dictionary: *mut ffi::AVDictionary) {
        *self = Self(dictionary);
    }

    /// The first entry that the call given this dictionary did not consume. FFmpeg drops unknown options silently, so
    /// a misspelt allow-list would allow everything.
    pub(super) fn leftover(&self) -> Option<String> {
        // SAFETY: the dictionary is ours; an empty key with IGNORE_SUFFIX iterates over all entries, and the entry
        // returned is valid until the dictionary changes.
        unsafe {
            let entry = ffi::av_dict_get(self.0, c"".as_ptr(), ptr::null(), ffi::AV_DICT_IGNORE_SUFFIX);
            (!entry.is_null()).then(|| CStr::from_ptr((*entry).key).to_string_lossy().into_owned())
        }
    }
}

impl Drop for Options {
    fn drop(&mut self) {
        // SAFETY: the dictionary is ours, possibly null, which av_dict_free accepts.
        unsafe { ffi::av_dict_free(&mut self.0) }
    }
}

/// Keeps FFmpeg from printing to standard error: a library does not print, and every fault reaches the caller as an
/// error. It touches only FFmpeg's own default printer; a host that has installed a log callback keeps it.
pub(crate) fn quiet() {
    static ONCE: Once = Once::new();
    // SAFETY: setting the level is an atomic store inside FFmpeg.
    ONCE.call_once(|| unsafe { ffi::av_log_set_level(ffi::AV_LOG_QUIET) });
}

/// The versions of FFmpeg's libraries that are linked at run time.
pub(crate) fn versions() -> String {
    // SAFETY: these calls only return constants.
    let (codec, filter, format, scale, resample, util) = unsafe {
        (
            ffi::avcodec_version(),
            ffi::avfilter_version(),
            ffi::avformat_version(),
            ffi::swscale_version(),
            ffi::swresample_version(),
            CStr::from_ptr(ffi::av_version_info()).to_string_lossy().into_owned(),
        )
    };
    let dotted = |v: u32| format!("{}.{}.{}", v >> 16, (v >> 8) & 0xff, v & 0xff);
    format!(
        "FFmpeg {util} (avcodec {}, avfilter {}, avformat {}, swscale {}, swresample {})",
        dotted(codec),
        dotted(filter),
        dotted(format),
        dotted(scale),
        dotted(resample)
    )
}

/// Gives memory that was freed back to the system. glibc keeps what large encoders and decoders leave behind in one
/// arena for each thread; without this, two workers took 550 MB for what 450 MB hold.
pub(crate) fn release_free_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim may be called at any time from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Has the C library give every picture pages of its own, which go back to the system when it is freed. By itself it puts
/// what is smaller than the largest block that was ever freed into its heaps, where holes between pictures stay: 25 MB
/// for two workers. Holds for the whole process, for blocks of half a megabyte and more.
pub(crate) fn give_pictures_pages_of_their_own() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt may be called at any time; it takes two integers.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 512 << 10);
    }
}
