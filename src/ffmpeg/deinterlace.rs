//! Two fields to one progressive picture.
//!
//! The one filter graph of the engine: `buffer`, `bwdif`, `buffersink`. It is owned as a whole, its contexts never leave
//! it, and it is made anew when the pictures change.

use std::ffi::{CStr, CString, c_int};
use std::ptr::{self, NonNull};

use ffmpeg_next::ffi;

use super::{AvError, VideoFrame};

/// Makes one progressive picture of each interlaced one, with `bwdif`; progressive ones pass untouched.
///
/// A picture depends on the ones before and after it, so it comes out one later than it goes in, and the first one after
/// [`Deinterlacer::new`] is made without its predecessor.
pub(crate) struct Deinterlacer {
    graph: NonNull<ffi::AVFilterGraph>,
    source: NonNull<ffi::AVFilterContext>,
    sink: NonNull<ffi::AVFilterContext>,
    takes: (u32, u32, i32),
}

// SAFETY: a graph without threads is tied to no thread, and its contexts do not leave this type.
unsafe impl Send for Deinterlacer {}

struct Graph(*mut ffi::AVFilterGraph);

impl Drop for Graph {
    fn drop(&mut self) {
        // SAFETY: the graph is ours or null, which is accepted; its contexts are freed with it.
        unsafe { ffi::avfilter_graph_free(&mut self.0) }
    }
}

impl Deinterlacer {
    /// A deinterlacer for pictures like `frame`.
    pub(crate) fn new(frame: &VideoFrame) -> Result<Self, AvError> {
        let takes = (frame.width(), frame.height(), frame.pixel_format());
        // Times pass through unchanged in a time base of our own; bwdif gives them in halves of it.
        let buffer =
            format!("video_size={}x{}:pix_fmt={}:time_base=1/1000:pixel_aspect=1/1", takes.0, takes.1, takes.2);
        let buffer = CString::new(buffer).map_err(|_| AvError::invalid("avfilter_graph_create_filter"))?;
        // SAFETY: the graph is allocated here and freed by its guard until it is given to `Self`; filters and contexts
        // belong to it.
        unsafe {
            let mut graph = Graph(ffi::avfilter_graph_alloc());
            let raw = NonNull::new(graph.0).ok_or(AvError::no_memory("avfilter_graph_alloc"))?;
            (*raw.as_ptr()).nb_threads = 1;
            let source = add(raw, c"buffer", Some(&buffer))?;
            // One picture for each frame, field order from the frame, and only frames that are marked.
            let filter = add(raw, c"bwdif", Some(c"mode=send_frame:parity=auto:deint=interlaced"))?;
            let sink = add(raw, c"buffersink", None)?;
            AvError::check("avfilter_link", ffi::avfilter_link(source.as_ptr(), 0, filter.as_ptr(), 0))?;
            AvError::check("avfilter_link", ffi::avfilter_link(filter.as_ptr(), 0, sink.as_ptr(), 0))?;
            AvError::check("avfilter_graph_config", ffi::avfilter_graph_config(raw.as_ptr(), ptr::null_mut()))?;
            graph.0 = ptr::null_mut();
            Ok(Self { graph: raw, source, sink, takes })
        }
    }

    /// Whether it takes pictures like `frame`.
    pub(crate) fn takes(&self, frame: &VideoFrame) -> bool {
        self.takes == (frame.width(), frame.height(), frame.pixel_format())
    }

    /// Gives it the next picture, which it refers to from then on; `frame` is blank afterwards.
    pub(crate) fn send(&mut self, frame: &mut VideoFrame) -> Result<(), AvError> {
        // SAFETY: both contexts live as long as the graph; the frame is ours, and its reference moves.
        let code = unsafe { ffi::av_buffersrc_add_frame(self.source.as_ptr(), frame.as_mut_ptr()) };
        AvError::check("av_buffersrc_add_frame", code).map(drop)
    }

    /// Tells it that no picture follows.
    pub(crate) fn send_end(&mut self) -> Result<(), AvError> {
        // SAFETY: as above; a null frame is the end.
        let code = unsafe { ffi::av_buffersrc_add_frame(self.source.as_ptr(), ptr::null_mut()) };
        AvError::check("av_buffersrc_add_frame", code).map(drop)
    }

    /// The next finished picture, if there is one yet.
    pub(crate) fn receive(&mut self, frame: &mut VideoFrame) -> Result<bool, AvError> {
        frame.unref();
        // SAFETY: as above; the frame is blank.
        let code = unsafe { ffi::av_buffersink_get_frame(self.sink.as_ptr(), frame.as_mut_ptr()) };
        if code == ffi::AVERROR_EOF || code == ffi::AVERROR(ffi::EAGAIN) {
            return Ok(false);
        }
        AvError::check("av_buffersink_get_frame", code)?;
        frame.halve_pts();
        Ok(true)
    }
}

/// Adds a filter to a graph.
///
/// # Safety
/// `graph` must be a live graph.
unsafe fn add(
    graph: NonNull<ffi::AVFilterGraph>,
    name: &CStr,
    options: Option<&CStr>,
) -> Result<NonNull<ffi::AVFilterContext>, AvError> {
    // SAFETY: by the caller's promise; filters are static, and strings live across the call.
    unsafe {
        let filter = ffi::avfilter_get_by_name(name.as_ptr());
        if filter.is_null() {
            return Err(AvError { call: "avfilter_get_by_name", code: ffi::AVERROR_FILTER_NOT_FOUND as c_int });
        }
        let mut context = ptr::null_mut();
        let options = options.map_or(ptr::null(), CStr::as_ptr);
        let code = ffi::avfilter_graph_create_filter(
            &mut context,
            filter,
            name.as_ptr(),
            options,
            ptr::null_mut(),
            graph.as_ptr(),
        );
        AvError::check("avfilter_graph_create_filter", code)?;
        NonNull::new(context).ok_or(AvError::no_memory("avfilter_graph_create_filter"))
    }
}

impl Drop for Deinterlacer {
    fn drop(&mut self) {
        drop(Graph(self.graph.as_ptr()));
    }
}
