//! stub
use super::{Encoding, I420Mut};
/// .
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hdr {
    /// .
    None,
    /// .
    Pq,
    /// .
    Hlg,
}
/// .
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Primaries {
    /// .
    Bt709,
    /// .
    Bt2020,
}
/// .
pub struct ToneMap;
/// .
pub struct Deep<'a>(pub &'a [u16]);
impl ToneMap {
    /// .
    pub fn new(_h: Hdr, _p: Primaries, _e: Encoding) -> Self {
        Self
    }
    /// .
    pub fn apply(&self, _f: Deep<'_>, _t: &mut I420Mut<'_>) {}
}
