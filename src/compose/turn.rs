//! stub
use super::{I420Mut, I420Ref, PlaneMut, PlaneRef, SourceRect};
/// stub
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orientation {
    /// .
    Upright,
    /// .
    Rotate90,
    /// .
    Rotate180,
    /// .
    Rotate270,
    /// .
    MirrorHorizontal,
    /// .
    MirrorVertical,
    /// .
    Transpose,
    /// .
    Transverse,
}
impl Orientation {
    /// .
    pub fn swaps_sides(self) -> bool {
        matches!(self, Self::Rotate90 | Self::Rotate270 | Self::Transpose | Self::Transverse)
    }
    /// .
    pub fn describe(self) -> &'static str {
        "turned"
    }
    /// .
    pub fn coded_rect(self, r: SourceRect, _size: (u32, u32)) -> SourceRect {
        r
    }
}
/// .
pub fn turn(_f: I420Ref<'_>, _t: &mut I420Mut<'_>, _o: Orientation) {}
/// .
pub fn turn_plane(_f: PlaneRef<'_>, _t: &mut PlaneMut<'_>, _o: Orientation) {}
