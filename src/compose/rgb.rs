//! Working pictures in RGB.

use yuv::{YuvError, YuvPlanarImage, YuvRange, YuvStandardMatrix, yuv420_to_rgb, yuv420_to_rgba};

use super::{I420Ref, PlaneRef};
use crate::error::{Error, ErrorKind, Result};

fn failed() -> Error {
    Error::new(ErrorKind::Internal, "a picture is not in the working format")
}

/// Red, green and blue of each pixel, row by row without padding.
pub(crate) fn rgb_of(planes: I420Ref<'_>) -> Result<Vec<u8>> {
    packed(planes, |source, width| {
        let mut rgb = vec![0; 3 * source.y_plane.len()];
        yuv420_to_rgb(source, &mut rgb, width * 3, YuvRange::Limited, YuvStandardMatrix::Bt709)?;
        Ok(rgb)
    })
}

/// The same with an alpha of 255.
pub(crate) fn rgba_of(planes: I420Ref<'_>) -> Result<Vec<u8>> {
    packed(planes, |source, width| {
        let mut rgba = vec![0; 4 * source.y_plane.len()];
        yuv420_to_rgba(source, &mut rgba, width * 4, YuvRange::Limited, YuvStandardMatrix::Bt709)?;
        Ok(rgba)
    })
}

/// What `convert` makes of planes without padding and their width.
fn packed(
    planes: I420Ref<'_>,
    convert: impl FnOnce(&YuvPlanarImage<'_, u8>, u32) -> std::result::Result<Vec<u8>, YuvError>,
) -> Result<Vec<u8>> {
    let pack = |plane: PlaneRef<'_>| plane.rows().flatten().copied().collect::<Vec<u8>>();
    let [y, u, v] = [planes.y, planes.u, planes.v].map(pack);
    let side = |side: usize| u32::try_from(side).map_err(|_| failed());
    let (width, height) = (side(planes.y.width())?, side(planes.y.height())?);
    let source = YuvPlanarImage {
        y_plane: &y,
        y_stride: width,
        u_plane: &u,
        u_stride: width.div_ceil(2),
        v_plane: &v,
        v_stride: width.div_ceil(2),
        width,
        height,
    };
    convert(&source, width).map_err(|error| failed().caused_by(error.to_string()))
}
