//! How the pictures of a stream want to be shown: what container and bitstream say, resolved.

use std::path::Path;
use std::sync::Arc;

use super::boxes;
use super::color::ColorInfo;
use super::convert::{Coding, Look};
use super::geometry::{Geometry, is_plausible};
use super::probe::ProbedStream;
use crate::compose::Orientation;
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::{Crop, DolbyVision, StreamInfo, VideoFrame};

/// Resolves the look of a stream from what the container says and its `first` picture; what will be changed goes to
/// `corrections`.
///
/// # Errors
/// `SOURCE_UNSUPPORTED` for Dolby Vision without a base layer that can be shown, HDR in RGB, and pictures that are no
/// pixels in memory.
pub(super) fn look_of(
    stream: &StreamInfo,
    first: &VideoFrame,
    aperture: Option<Crop>,
    probed: &ProbedStream,
    corrections: &mut Vec<String>,
) -> Result<Look> {
    let unsupported = |what: &str| {
        Error::new(ErrorKind::SourceUnsupported, what).suggest("export it as H.264 in SDR (BT.709), 8 bit")
    };
    if let Some(dolby_vision) = stream.dolby_vision {
        corrections.push(base_layer(dolby_vision)?);
    }
    let format = first.format_info().ok_or_else(|| unsupported("its pixel format is not known"))?;
    // The container's matrix comes first: it is what players obey.
    let matrix = stream.display_matrix.or_else(|| first.display_matrix());
    let orientation = matrix.map_or(Orientation::Upright, |matrix| {
        of_matrix(matrix).unwrap_or_else(|| {
            corrections.push("its display matrix turns by no quarter turn and is ignored".to_owned());
            Orientation::Upright
        })
    });
    if orientation != Orientation::Upright {
        corrections.push(format!("{} as its display matrix says", orientation.describe()));
    }
    if let Some(crop) = aperture {
        let (width, height) = (first.width(), first.height());
        corrections.push(format!("clean aperture {}x{} of {width}x{height}", crop.width, crop.height));
    }
    match stream.sample_aspect.or_else(|| first.sample_aspect()) {
        None | Some((1, 1)) => {}
        Some((num, den)) if is_plausible((num, den)) && num != den => {
            corrections.push(format!("pixels of {num}:{den} made square"));
        }
        Some((num, den)) if num != den => corrections.push(format!("pixels of {num}:{den} taken as square")),
        Some(_) => {}
    }
    if probed.is_interlaced {
        corrections.push("interlaced -> progressive".to_owned());
    }
    let shorter = first.width().min(first.height());
    let color = ColorInfo::resolve(first.color(), stream.color, shorter, format, corrections);
    if format.is_rgb && color.hdr().is_some() {
        return Err(unsupported("it has HDR in RGB"));
    }
    // A layer of alpha may begin with a later picture.
    let has_alpha = format.has_alpha || stream.has_alpha_layer;
    if format.depth > 8 {
        corrections.push(format!("{} bit -> 8 bit", format.depth));
    }
    if has_alpha {
        corrections.push("transparent parts show what lies below".to_owned());
    }
    let aspect = stream.sample_aspect;
    let geometry =
        Geometry::new((first.width(), first.height()), aperture, aspect.or_else(|| first.sample_aspect()), orientation);
    let size = geometry.and_then(|geometry| geometry.displayed());
    let size = size.ok_or_else(|| Error::new(ErrorKind::SourceEmpty, "its pictures have no size"))?;
    // The bitstream's own comes first, as for the other tags.
    let peak = first.light().or(stream.light).peak();
    Ok(Look {
        color,
        coding: Some(Coding { picture: first.color(), format, container: stream.color }),
        peak_nits: peak.unwrap_or(UNKNOWN_PEAK),
        has_alpha,
        aperture,
        coded: (first.width(), first.height()),
        aspect,
        orientation,
        size,
        tone: Arc::default(),
    })
}

/// The peak of PQ in cd/m2 where its mastering is not told: that of the displays on which most of it is graded.
pub(super) const UNKNOWN_PEAK: u32 = 1000;

/// What is shown of a Dolby Vision stream.
fn base_layer(DolbyVision { profile, compatibility }: DolbyVision) -> Result<String> {
    if compatibility == 0 {
        let message =
            format!("it is Dolby Vision of profile {profile}, which has no layer that other players can show");
        return Err(Error::new(ErrorKind::SourceUnsupported, message)
            .suggest("record or export it without Dolby Vision, or as HDR10 or HLG"));
    }
    Ok(format!("dolby vision {profile}.{compatibility}: its base layer is used"))
}

/// The orientation of a display matrix; `None` if it is none of the eight. The matrix maps a coded point (x, y) to
/// (a x + c y, b x + d y), with a, b, c, d at places 0, 1, 3, 4 (ISO/IEC 14496-12, 6.2.2).
fn of_matrix(matrix: [i32; 9]) -> Option<Orientation> {
    // A broken matrix of zeros means nothing.
    let sign = |value: i32| if value.unsigned_abs() < 1 << 12 { 0 } else { value.signum() };
    let [a, b, c, d] = [matrix[0], matrix[1], matrix[3], matrix[4]].map(sign);
    Some(match (a, b, c, d) {
        (1, 0, 0, 1) | (0, 0, 0, 0) => Orientation::Upright,
        (0, 1, -1, 0) => Orientation::Rotate90,
        (-1, 0, 0, -1) => Orientation::Rotate180,
        (0, -1, 1, 0) => Orientation::Rotate270,
        (-1, 0, 0, 1) => Orientation::MirrorHorizontal,
        (1, 0, 0, -1) => Orientation::MirrorVertical,
        (0, 1, 1, 0) => Orientation::Transpose,
        (0, -1, -1, 0) => Orientation::Transverse,
        _ => return None,
    })
}

/// The clean aperture of an MP4 or MOV track, if it is less than the whole picture.
pub(super) fn clean_aperture(path: &Path, track: i32, first: &VideoFrame) -> Option<Crop> {
    let track = u32::try_from(track).ok()?;
    let aperture = boxes::clean_aperture(path, track)?;
    let crop = aperture.crop(first.width(), first.height())?;
    (crop.width < first.width() || crop.height < first.height()).then_some(crop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eight_matrices() {
        const ONE: i32 = 1 << 16;
        let of = |a, b, c, d| of_matrix([a, b, 0, c, d, 0, 0, 0, 1 << 30]);
        assert_eq!(of(ONE, 0, 0, ONE), Some(Orientation::Upright));
        assert_eq!(of(0, ONE, -ONE, 0), Some(Orientation::Rotate90));
        assert_eq!(of(-ONE, 0, 0, -ONE), Some(Orientation::Rotate180));
        assert_eq!(of(0, -ONE, ONE, 0), Some(Orientation::Rotate270));
        assert_eq!(of(-ONE, 0, 0, ONE), Some(Orientation::MirrorHorizontal));
        assert_eq!(of(ONE, 0, 0, -ONE), Some(Orientation::MirrorVertical));
        assert_eq!(of(0, ONE, ONE, 0), Some(Orientation::Transpose));
        assert_eq!(of(0, -ONE, -ONE, 0), Some(Orientation::Transverse));
        assert_eq!(of(ONE / 2, ONE / 2, -ONE / 2, ONE / 2), None, "an eighth of a turn");
        assert_eq!(of(0, 0, 0, 0), Some(Orientation::Upright), "a broken one");
    }

    #[test]
    fn dolby_vision_needs_a_base_layer() {
        let error = base_layer(DolbyVision { profile: 5, compatibility: 0 }).expect_err("has none");
        assert_eq!(error.code(), "SOURCE_UNSUPPORTED");
        let told = base_layer(DolbyVision { profile: 8, compatibility: 4 }).expect("HLG");
        assert_eq!(told, "dolby vision 8.4: its base layer is used");
    }
}
