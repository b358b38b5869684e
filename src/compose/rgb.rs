//! Working pictures in RGB.

use yuv::{YuvPlanarImage, YuvRange, YuvStandardMatrix, yuv420_to_rgb};

use super::{I420Ref, PlaneRef};
use crate::error::{Error, ErrorKind, Result};

/// Red, green and blue of each pixel, row by row without padding.
pub(crate) fn rgb_of(planes: I420Ref<'_>) -> Result<Vec<u8>> {
    let failed = || Error::new(ErrorKind::Internal, "a picture is not in the working format");
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
    let mut rgb = vec![0; 3 * y.len()];
    yuv420_to_rgb(&source, &mut rgb, width * 3, YuvRange::Limited, YuvStandardMatrix::Bt709)
        .map_err(|error| failed().caused_by(error.to_string()))?;
    Ok(rgb)
}
