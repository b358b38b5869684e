//! stub
use crate::error::Result;
use crate::ffmpeg::Interrupt;
use crate::limits::Limits;
use std::path::Path;
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PictureKind {
    Jpeg,
    Gif,
}
impl PictureKind {
    pub(crate) fn name(self) -> &'static str {
        "jpeg"
    }
}
pub(crate) fn sniff(_h: &[u8]) -> Option<PictureKind> {
    None
}
pub(crate) struct PictureInfo {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) has_alpha: bool,
    pub(crate) delays_ms: Vec<u32>,
    pub(crate) corrections: Vec<String>,
}
pub(crate) struct Picture {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) rgba: Vec<u8>,
}
pub(crate) fn probe_picture(_p: &Path, _k: PictureKind, _l: &Limits, _i: &Interrupt) -> Result<PictureInfo> {
    unimplemented!()
}
pub(crate) fn decode_still(_p: &Path, _k: PictureKind, _l: &Limits, _i: &Interrupt) -> Result<Picture> {
    unimplemented!()
}
pub(crate) struct AnimationReader;
impl AnimationReader {
    pub(crate) fn open(_p: &Path, _k: PictureKind, _l: &Limits, _i: &Interrupt) -> Result<Self> {
        unimplemented!()
    }
    pub(crate) fn next_frame(&mut self) -> Result<Option<Picture>> {
        unimplemented!()
    }
}
