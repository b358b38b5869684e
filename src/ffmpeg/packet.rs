//! One packet of encoded data.

use std::ffi::c_int;
use std::ptr::NonNull;

use ffmpeg_next::ffi;

use super::AvError;

/// An owned `AVPacket`, reused from read to read.
pub(crate) struct Packet(NonNull<ffi::AVPacket>);

// SAFETY: a packet owns its data through atomic reference counts and refers to no thread.
unsafe impl Send for Packet {}

impl Packet {
    pub(crate) fn new() -> Result<Self, AvError> {
        // SAFETY: av_packet_alloc has no preconditions.
        NonNull::new(unsafe { ffi::av_packet_alloc() }).map(Self).ok_or(AvError::no_memory("av_packet_alloc"))
    }

    /// A packet with a copy of `data`.
    pub(crate) fn with_data(data: &[u8]) -> Result<Self, AvError> {
        let packet = Self::new()?;
        let size = c_int::try_from(data.len()).map_err(|_| AvError::invalid("av_new_packet"))?;
        // SAFETY: the packet is blank; av_new_packet gives it a buffer of `size` bytes, which the copy fills.
        unsafe {
            AvError::check("av_new_packet", ffi::av_new_packet(packet.0.as_ptr(), size))?;
            std::ptr::copy_nonoverlapping(data.as_ptr(), (*packet.0.as_ptr()).data, data.len());
        }
        Ok(packet)
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut ffi::AVPacket {
        self.0.as_ptr()
    }

    pub(super) fn as_ptr(&self) -> *const ffi::AVPacket {
        self.0.as_ptr()
    }

    /// Makes it blank.
    pub(crate) fn unref(&mut self) {
        // SAFETY: the packet is ours.
        unsafe { ffi::av_packet_unref(self.0.as_ptr()) }
    }

    fn get(&self) -> &ffi::AVPacket {
        // SAFETY: the packet is ours and lives as long as `self`.
        unsafe { self.0.as_ref() }
    }

    pub(crate) fn stream(&self) -> usize {
        usize::try_from(self.get().stream_index).unwrap_or(usize::MAX)
    }

    /// Presentation time in the stream's time base; `None` where the container gives none.
    pub(crate) fn pts(&self) -> Option<i64> {
        timestamp(self.get().pts)
    }

    pub(crate) fn dts(&self) -> Option<i64> {
        timestamp(self.get().dts)
    }

    /// Duration in the stream's time base; 0 where the container gives none.
    pub(crate) fn duration(&self) -> i64 {
        self.get().duration
    }

    pub(crate) fn is_key(&self) -> bool {
        self.get().flags & ffi::AV_PKT_FLAG_KEY != 0
    }

    /// Whether no other frame refers to this one, so that it need not be decoded unless it is shown.
    pub(crate) fn is_disposable(&self) -> bool {
        self.get().flags & ffi::AV_PKT_FLAG_DISPOSABLE != 0
    }

    /// Whether the container says that the frame is decoded but never shown (before an edit list's start).
    pub(crate) fn is_discard(&self) -> bool {
        self.get().flags & ffi::AV_PKT_FLAG_DISCARD != 0
    }

    pub(crate) fn data(&self) -> &[u8] {
        let packet = self.get();
        if packet.data.is_null() || packet.size <= 0 {
            return &[];
        }
        // SAFETY: FFmpeg keeps `data` valid for `size` bytes as long as the packet holds its reference.
        unsafe { std::slice::from_raw_parts(packet.data, packet.size as usize) }
    }

    pub(crate) fn set(&mut self, stream: usize, pts: i64, dts: i64, duration: i64, key: bool) {
        // SAFETY: the packet is ours and borrowed mutably.
        let packet = unsafe { self.0.as_mut() };
        packet.stream_index = c_int::try_from(stream).unwrap_or(c_int::MAX);
        packet.pts = pts;
        packet.dts = dts;
        packet.duration = duration;
        packet.flags = if key { ffi::AV_PKT_FLAG_KEY } else { 0 };
    }
}

pub(super) fn timestamp(value: i64) -> Option<i64> {
    (value != ffi::AV_NOPTS_VALUE).then_some(value)
}

impl Drop for Packet {
    fn drop(&mut self) {
        let mut raw = self.0.as_ptr();
        // SAFETY: the packet is ours and not used again.
        unsafe { ffi::av_packet_free(&mut raw) }
    }
}
