//! Decoded pictures to the working format: one fixed chain for each source, and no step that it does not need.
//!
//! Crop and scale (swscale, which keeps the colours) → colour (matrix and range, or HDR to SDR) → turn. A picture that is
//! what the output wants already is used as it is, without a copy.

use std::sync::{Arc, OnceLock};

use super::color::ColorInfo;
use super::geometry::Geometry;
use super::source_error;
use crate::compose::{
    Encoding, GamutMap, HdrColor, HdrMatrix, I420Mut, I420Ref16, Orientation, PlaneRef, Recolor, SourceRect, ToneMap,
    premultiply, turn, turn_plane,
};
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::{AvError, ColorTags, Crop, FormatInfo, PixelFormat, Scaler, VideoFrame};
use crate::units::{CanvasSize, SourceSize};

/// How the pictures of one source become pictures of the output.
#[derive(Debug, Clone)]
pub(super) struct Look {
    pub(super) color: ColorInfo,
    /// What `color` was resolved from; `None` for picture files.
    pub(super) coding: Option<Coding>,
    /// The luminance in cd/m2 that PQ is rolled off from.
    pub(super) peak_nits: u32,
    /// Whether the pictures have alpha that counts.
    pub(super) has_alpha: bool,
    /// The part that is meant to be seen of pictures of the size `coded`.
    pub(super) aperture: Option<Crop>,
    /// The coded size of the first picture.
    pub(super) coded: (u32, u32),
    /// What the container says about the pixels' shape.
    pub(super) aspect: Option<(u32, u32)>,
    pub(super) orientation: Orientation,
    /// The size that was planned with.
    pub(super) size: SourceSize,
    /// The change from HDR, made by the first who needs it: it takes a while.
    pub(super) tone: Arc<OnceLock<ToneMap>>,
}

/// What the colour of a picture was resolved from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Coding {
    pub(super) picture: ColorTags,
    pub(super) format: FormatInfo,
    pub(super) container: ColorTags,
}

/// Converts the pictures of one source, with all that it needs made once.
pub(super) struct Converter {
    look: Look,
    rect: SourceRect,
    canvas: CanvasSize,
    color: Color,
    /// What `color` is for.
    coding: Option<Coding>,
    /// The geometry of pictures of the size and pixel shape that came last.
    geometry: Option<(PictureShape, Crop)>,
    /// One for each step that scales or changes the pixel format.
    scalers: [Option<Scaler>; 3],
    /// One picture for each step.
    deep: Option<VideoFrame>,
    flat: Option<VideoFrame>,
    scaled: Option<VideoFrame>,
    turned: Option<VideoFrame>,
}

type PictureShape = (u32, u32, Option<(u32, u32)>);

/// What happens to the colours.
enum Color {
    Keep,
    Recolor(Recolor),
    Tone(Arc<OnceLock<ToneMap>>),
    Gamut(GamutMap),
}

impl Color {
    /// `tone`: where the change from HDR is kept, if one is needed.
    fn of(info: ColorInfo, peak_nits: u32, tone: &Arc<OnceLock<ToneMap>>) -> Result<Self> {
        let unsupported = || {
            Error::new(ErrorKind::SourceUnsupported, format!("its colour matrix {} is not supported", info.matrix))
                .suggest("export it in BT.709")
        };
        let encoding = Encoding::of_matrix(info.matrix, info.full_range).ok_or_else(unsupported)?;
        Ok(match info.hdr() {
            Some(transfer) => {
                let matrix = match info.matrix {
                    1 => HdrMatrix::Bt709,
                    9 | 10 => HdrMatrix::Bt2020,
                    _ => return Err(unsupported()),
                };
                let (primaries, full_range) = (info.color_primaries(), info.full_range);
                tone.get_or_init(|| ToneMap::new(HdrColor { transfer, primaries, matrix, full_range, peak_nits }));
                Self::Tone(Arc::clone(tone))
            }
            None if info.is_wide() => Self::Gamut(GamutMap::new(encoding, info.color_primaries())),
            None => Recolor::to_bt709(encoding).map_or(Self::Keep, Self::Recolor),
        })
    }

    /// Whether the change starts from 10-bit samples.
    fn is_deep(&self) -> bool {
        matches!(self, Self::Tone(_) | Self::Gamut(_))
    }

    /// Whether it was done: it is not for pictures of different sizes.
    fn apply_deep(&self, from: I420Ref16<'_>, to: &mut I420Mut<'_>) -> bool {
        match self {
            Self::Tone(map) => map.get().is_some_and(|map| map.apply(from, to)),
            Self::Gamut(map) => {
                map.apply(from, to);
                true
            }
            Self::Keep | Self::Recolor(_) => false,
        }
    }
}

impl Converter {
    /// The part `rect` of the displayed picture is scaled to `canvas`.
    ///
    /// # Errors
    /// `SOURCE_UNSUPPORTED` for a colour matrix that is none.
    pub(super) fn new(look: Look, rect: SourceRect, canvas: CanvasSize) -> Result<Self> {
        let color = Color::of(look.color, look.peak_nits, &look.tone)?;
        Ok(Self {
            coding: look.coding,
            look,
            rect,
            canvas,
            color,
            geometry: None,
            scalers: [None, None, None],
            deep: None,
            flat: None,
            scaled: None,
            turned: None,
        })
    }

    /// Whether `picture` is a working picture as it is.
    pub(super) fn passes(&mut self, picture: &VideoFrame) -> Result<bool> {
        self.follow_color(picture)?;
        let crop = self.crop(picture)?;
        let whole = (crop.left, crop.top, crop.width, crop.height) == (0, 0, picture.width(), picture.height());
        Ok(picture.is_i420()
            && whole
            && (crop.width, crop.height) == (self.canvas.width(), self.canvas.height())
            && matches!(self.color, Color::Keep)
            && self.look.orientation == Orientation::Upright)
    }

    /// The working picture of `picture`: canvas size, 8-bit 4:2:0 BT.709 limited, and with alpha (premultiplied) if the
    /// source has it.
    pub(super) fn convert(&mut self, picture: &VideoFrame) -> Result<&VideoFrame> {
        self.follow_color(picture)?;
        let crop = self.crop(picture)?;
        let info = picture.format_info().ok_or_else(|| {
            Error::new(ErrorKind::SourceUnsupported, "its pixel format is not known").suggest("export it as H.264")
        })?;
        let (width, height) = (self.canvas.width(), self.canvas.height());
        let size = if self.look.orientation.swaps_sides() { (height, width) } else { (width, height) };
        let is_rgb = info.is_rgb;
        if self.look.has_alpha && info.has_alpha {
            self.convert_alpha(picture, crop, size, is_rgb)?;
        } else if self.color.is_deep() && !is_rgb {
            let whole = (crop.width, crop.height) == size;
            let untouched = whole && picture.is(PixelFormat::I420Deep) && covers(crop, picture);
            let deep = if untouched {
                picture
            } else {
                scale(&mut self.scalers[0], picture, crop, PixelFormat::I420Deep, size, &mut self.deep)?
            };
            let flat = frame(&mut self.flat, PixelFormat::I420, size)?;
            let from = deep.deep_planes().ok_or_else(not_working)?;
            if !self.color.apply_deep(from, &mut flat.planes_mut().map_err(failed)?.ok_or_else(not_working)?) {
                return Err(not_working());
            }
        } else {
            scale(&mut self.scalers[0], picture, crop, PixelFormat::I420, size, &mut self.flat)?;
            let flat = self.flat.as_mut().ok_or_else(not_working)?;
            if let (Color::Recolor(recolor), false) = (&self.color, is_rgb) {
                recolor.apply(&mut flat.planes_mut().map_err(failed)?.ok_or_else(not_working)?);
            }
        }
        if self.look.orientation != Orientation::Upright {
            self.turn()?;
        }
        self.converted()
    }

    /// Resolves the colour anew where a stream changes it on the way, as one does that was joined from several.
    fn follow_color(&mut self, picture: &VideoFrame) -> Result<()> {
        let (Some(known), Some(format)) = (self.coding, picture.format_info()) else { return Ok(()) };
        let coding = Coding { picture: picture.color(), format, ..known };
        if coding != known {
            let shorter = picture.width().min(picture.height());
            let info = ColorInfo::resolve(coding.picture, coding.container, shorter, format, &mut Vec::new());
            if format.is_rgb && info.hdr().is_some() {
                return Err(Error::new(ErrorKind::SourceUnsupported, "one of its pictures has HDR in RGB"));
            }
            let kept = if info == self.look.color { Arc::clone(&self.look.tone) } else { Arc::default() };
            self.color = Color::of(info, self.look.peak_nits, &kept)?;
            self.coding = Some(coding);
        }
        Ok(())
    }

    /// The picture that was converted last.
    pub(super) fn converted(&self) -> Result<&VideoFrame> {
        let upright = self.look.orientation == Orientation::Upright;
        if upright { self.flat.as_ref() } else { self.turned.as_ref() }.ok_or_else(not_working)
    }

    /// With alpha: colours first, then premultiplied, then scaled, so that what is transparent colours no edge.
    fn convert_alpha(&mut self, picture: &VideoFrame, crop: Crop, size: (u32, u32), is_rgb: bool) -> Result<()> {
        let [plain, last, depth] = &mut self.scalers;
        let part = (crop.width, crop.height);
        scale(plain, picture, crop, PixelFormat::I420Alpha, part, &mut self.scaled)?;
        let scaled = self.scaled.as_mut().ok_or_else(not_working)?;
        let alpha = scaled.alpha().map(|alpha| alpha.rows().flatten().copied().collect::<Vec<u8>>());
        let alpha = alpha.ok_or_else(not_working)?;
        let mut planes = scaled.planes_mut().map_err(failed)?.ok_or_else(not_working)?;
        match &self.color {
            _ if is_rgb => {}
            Color::Keep => {}
            Color::Recolor(recolor) => recolor.apply(&mut planes),
            Color::Tone(_) | Color::Gamut(_) => {
                let deep = scale(depth, picture, crop, PixelFormat::I420Deep, part, &mut self.deep)?;
                if !self.color.apply_deep(deep.deep_planes().ok_or_else(not_working)?, &mut planes) {
                    return Err(not_working());
                }
            }
        }
        let width = part.0 as usize;
        let alpha = PlaneRef::new(&alpha, width, part.1 as usize, width).ok_or_else(not_working)?;
        premultiply(&mut planes, alpha);
        let whole = Crop { left: 0, top: 0, width: part.0, height: part.1 };
        scale(last, scaled, whole, PixelFormat::I420Alpha, size, &mut self.flat)?;
        Ok(())
    }

    fn turn(&mut self) -> Result<()> {
        let flat = self.flat.as_ref().ok_or_else(not_working)?;
        let format = if flat.is(PixelFormat::I420Alpha) { PixelFormat::I420Alpha } else { PixelFormat::I420 };
        let turned = frame(&mut self.turned, format, (self.canvas.width(), self.canvas.height()))?;
        let orientation = self.look.orientation;
        let from = flat.planes().ok_or_else(not_working)?;
        match (flat.alpha(), turned.planes_and_alpha_mut().map_err(failed)?) {
            (Some(alpha), Some((mut planes, mut turned_alpha))) => {
                turn(from, &mut planes, orientation);
                turn_plane(alpha, &mut turned_alpha, orientation);
            }
            _ => turn(from, &mut turned.planes_mut().map_err(failed)?.ok_or_else(not_working)?, orientation),
        }
        Ok(())
    }

    /// The part of `picture` that is shown, in its coded pixels. A stream may change its size on the way.
    fn crop(&mut self, picture: &VideoFrame) -> Result<Crop> {
        let aspect = self.look.aspect.or(picture.sample_aspect());
        let shape = (picture.width(), picture.height(), aspect);
        if let Some((_, crop)) = self.geometry.filter(|(known, _)| *known == shape) {
            return Ok(crop);
        }
        let Look { aperture, coded, orientation, size, .. } = self.look;
        // The container says it of one size; what comes in another is shown whole.
        let aperture = aperture.filter(|_| coded == (shape.0, shape.1));
        let geometry = Geometry::new((shape.0, shape.1), aperture, aspect, orientation)
            .ok_or_else(|| Error::new(ErrorKind::SourceUnsupported, "one of its pictures has no size"))?;
        let crop = geometry.coded(geometry.part_like(self.rect, size));
        self.geometry = Some((shape, crop));
        Ok(crop)
    }
}

fn covers(crop: Crop, picture: &VideoFrame) -> bool {
    crop == Crop { left: 0, top: 0, width: picture.width(), height: picture.height() }
}

/// Scales the part `crop` of `picture` into `target`, with the scaler that is there or a new one.
fn scale<'a>(
    scaler: &mut Option<Scaler>,
    picture: &VideoFrame,
    crop: Crop,
    format: PixelFormat,
    size: (u32, u32),
    target: &'a mut Option<VideoFrame>,
) -> Result<&'a VideoFrame> {
    let scaler = match scaler {
        Some(scaler) if scaler.makes(picture, crop, format, size) => scaler,
        stale => stale.insert(Scaler::new(picture, crop, format, size).map_err(failed)?),
    };
    let target = frame(target, format, size)?;
    scaler.scale(picture, target).map_err(failed)?;
    Ok(target)
}

/// The picture in `slot`, made if it is missing or of another kind.
fn frame(slot: &mut Option<VideoFrame>, format: PixelFormat, (width, height): (u32, u32)) -> Result<&mut VideoFrame> {
    let fits = |kept: &VideoFrame| kept.is(format) && (kept.width(), kept.height()) == (width, height);
    if !slot.as_ref().is_some_and(fits) {
        *slot = Some(VideoFrame::of_format(format, width, height).map_err(failed)?);
    }
    slot.as_mut().ok_or_else(not_working)
}

fn failed(error: AvError) -> Error {
    source_error(error, "converting a picture")
}

fn not_working() -> Error {
    Error::new(ErrorKind::Internal, "a picture is not in the working format")
}
