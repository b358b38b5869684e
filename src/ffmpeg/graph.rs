//! A chain of filters: what goes in at one end comes out at the other.

use std::ffi::{CStr, CString, c_int};
use std::ptr::{self, NonNull};

use ffmpeg_next::ffi;

use super::AvError;

/// A chain without threads of its own. It is owned as a whole: its contexts never leave it.
pub(super) struct Chain {
    graph: NonNull<ffi::AVFilterGraph>,
    source: NonNull<ffi::AVFilterContext>,
    sink: NonNull<ffi::AVFilterContext>,
}

// SAFETY: a graph without threads is tied to no thread, and its contexts do not leave this type.
unsafe impl Send for Chain {}

impl Chain {
    /// From `filters`, each with its options; the first one is a source, the last one a sink.
    pub(super) fn new(filters: &[(&CStr, &str)]) -> Result<Self, AvError> {
        // SAFETY: the graph is allocated here and freed by its guard until it is given to `Self`; filters and contexts
        // belong to it.
        unsafe {
            let mut graph = Graph(ffi::avfilter_graph_alloc());
            let raw = NonNull::new(graph.0).ok_or(AvError::no_memory("avfilter_graph_alloc"))?;
            (*raw.as_ptr()).nb_threads = 1;
            let mut contexts = Vec::new();
            for (name, options) in filters {
                let context = add(raw, name, options)?;
                if let Some(last) = contexts.last().copied().map(NonNull::as_ptr) {
                    AvError::check("avfilter_link", ffi::avfilter_link(last, 0, context.as_ptr(), 0))?;
                }
                contexts.push(context);
            }
            let (Some(&source), Some(&sink)) = (contexts.first(), contexts.last()) else {
                return Err(AvError::invalid("avfilter_graph_config"));
            };
            AvError::check("avfilter_graph_config", ffi::avfilter_graph_config(raw.as_ptr(), ptr::null_mut()))?;
            graph.0 = ptr::null_mut();
            Ok(Self { graph: raw, source, sink })
        }
    }

    /// Gives it the next frame, which it refers to from then on; null for the end.
    ///
    /// # Safety
    /// `frame` must be null or a frame of the kind that the source was made for; it is blank afterwards.
    pub(super) unsafe fn send(&mut self, frame: *mut ffi::AVFrame) -> Result<(), AvError> {
        // SAFETY: the context lives as long as the graph; the frame by the caller's promise.
        let code = unsafe { ffi::av_buffersrc_add_frame(self.source.as_ptr(), frame) };
        AvError::check("av_buffersrc_add_frame", code).map(drop)
    }

    /// The next finished frame, if there is one yet.
    ///
    /// # Safety
    /// `frame` must be blank.
    pub(super) unsafe fn receive(&mut self, frame: *mut ffi::AVFrame) -> Result<bool, AvError> {
        // SAFETY: as above.
        let code = unsafe { ffi::av_buffersink_get_frame(self.sink.as_ptr(), frame) };
        if code == ffi::AVERROR_EOF || code == ffi::AVERROR(ffi::EAGAIN) {
            return Ok(false);
        }
        AvError::check("av_buffersink_get_frame", code).map(|_| true)
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        drop(Graph(self.graph.as_ptr()));
    }
}

struct Graph(*mut ffi::AVFilterGraph);

impl Drop for Graph {
    fn drop(&mut self) {
        // SAFETY: the graph is ours or null, which is accepted; its contexts are freed with it.
        unsafe { ffi::avfilter_graph_free(&mut self.0) }
    }
}

/// Adds a filter to a graph.
///
/// # Safety
/// `graph` must be a live graph.
unsafe fn add(
    graph: NonNull<ffi::AVFilterGraph>,
    name: &CStr,
    options: &str,
) -> Result<NonNull<ffi::AVFilterContext>, AvError> {
    let options = CString::new(options).map_err(|_| AvError::invalid("avfilter_graph_create_filter"))?;
    // SAFETY: by the caller's promise; filters are static, and strings live across the call.
    unsafe {
        let filter = ffi::avfilter_get_by_name(name.as_ptr());
        if filter.is_null() {
            return Err(AvError { call: "avfilter_get_by_name", code: ffi::AVERROR_FILTER_NOT_FOUND as c_int });
        }
        let mut context = ptr::null_mut();
        let code = ffi::avfilter_graph_create_filter(
            &mut context,
            filter,
            name.as_ptr(),
            options.as_ptr(),
            ptr::null_mut(),
            graph.as_ptr(),
        );
        AvError::check("avfilter_graph_create_filter", code)?;
        NonNull::new(context).ok_or(AvError::no_memory("avfilter_graph_create_filter"))
    }
}
