//! From a picture's own colour to sRGB: ICC profiles and H.273 code points through `moxcms`, CMYK and grey without one.

use std::sync::Arc;

use moxcms::{
    CicpColorPrimaries, CicpProfile, ColorProfile, DataColorSpace, Layout, MatrixCoefficients, ProfileText,
    RenderingIntent, ToneReprCurve, TransferCharacteristics, Transform8BitExecutor, Transform16BitExecutor,
    TransformOptions,
};

use crate::compose::{hlg_scene_light, pq_eotf};
use crate::error::{Error, ErrorKind, Result};

/// Pixels that are converted at once, so that intermediate rows stay in the cache.
const BLOCK: usize = 16 * 1024;

/// Largest difference of a channel, of 255, up to which a profile counts as sRGB: rounding of tables.
const SAME: u8 = 1;

/// The luminance of a white page in HDR, in cd/m2 (ITU-R BT.2408, clause 2): it becomes white.
const PAPER_WHITE: f64 = 203.0;

/// The channels of decoded samples, interleaved. Alpha is straight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Model {
    Gray,
    GrayAlpha,
    Rgb,
    Rgba,
    /// 0 is no ink.
    Cmyk,
}

impl Model {
    pub(super) const fn channels(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::GrayAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba | Self::Cmyk => 4,
        }
    }

    const fn is_gray(self) -> bool {
        matches!(self, Self::Gray | Self::GrayAlpha)
    }

    const fn layout(self) -> Layout {
        match self {
            Self::Gray => Layout::Gray,
            Self::GrayAlpha => Layout::GrayAlpha,
            Self::Rgb => Layout::Rgb,
            Self::Rgba | Self::Cmyk => Layout::Rgba,
        }
    }

    const fn space(self) -> DataColorSpace {
        match self {
            Self::Gray | Self::GrayAlpha => DataColorSpace::Gray,
            Self::Rgb | Self::Rgba => DataColorSpace::Rgb,
            Self::Cmyk => DataColorSpace::Cmyk,
        }
    }
}

/// Decoded samples, rows without padding, of the full range of their type.
pub(super) enum Samples {
    Eight(Vec<u8>),
    Sixteen(Vec<u16>),
}

/// What a file says about its colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Profile {
    /// Nothing: sRGB, as browsers take it.
    None,
    Icc(Vec<u8>),
    /// ITU-T H.273 code points.
    Cicp {
        primaries: u8,
        transfer: u8,
    },
}

/// How the samples of one picture become sRGB.
pub(super) struct Conversion {
    source: Model,
    /// What goes into `transform`: colour, for grey samples with a profile for colour.
    working: Model,
    transform: Option<Transform>,
}

enum Transform {
    Eight(Arc<Transform8BitExecutor>),
    Sixteen(Arc<Transform16BitExecutor>),
}

impl Conversion {
    /// Plans the conversion of `source` samples of `bits` (8 or 16) with `profile`, and adds what it corrects to
    /// `notes`. A profile that cannot be used is noted and ignored.
    pub(super) fn new(source: Model, bits: u8, profile: &Profile, notes: &mut Vec<String>) -> Self {
        let mut conversion = Self { source, working: source, transform: None };
        let (profile, name) = match profile {
            Profile::None => (None, String::new()),
            Profile::Icc(bytes) => match ColorProfile::new_from_slice(bytes) {
                Ok(profile) => {
                    let name = format!("icc profile \"{}\"", name_of(&profile));
                    (Some(profile), name)
                }
                Err(_) => {
                    notes.push("broken icc profile: ignored".to_owned());
                    (None, String::new())
                }
            },
            &Profile::Cicp { primaries, transfer } => cicp(primaries, transfer),
        };
        if let Some(profile) = &profile {
            conversion.use_profile(profile, bits, &name, notes);
        }
        if source == Model::Cmyk && conversion.transform.is_none() {
            notes.push("cmyk -> sRGB".to_owned());
        }
        if bits > 8 {
            notes.push(format!("{bits} bit -> 8 bit"));
        }
        conversion
    }

    fn use_profile(&mut self, profile: &ColorProfile, bits: u8, name: &str, notes: &mut Vec<String>) {
        self.working = match (self.source, profile.color_space) {
            // Grey values are equal amounts of red, green and blue.
            (Model::Gray, DataColorSpace::Rgb) => Model::Rgb,
            (Model::GrayAlpha, DataColorSpace::Rgb) => Model::Rgba,
            (source, _) => source,
        };
        if self.working.space() != profile.color_space {
            notes.push(format!("{name} is not for these samples: ignored"));
            self.working = self.source;
            return;
        }
        let Some(probe) = create_8bit(profile, self.working) else {
            notes.push(format!("{name} cannot be used: ignored"));
            self.working = self.source;
            return;
        };
        if self.working != Model::Cmyk && is_srgb(probe.as_ref(), self.working) {
            self.working = self.source;
            return;
        }
        let sixteen = if bits > 8 { create_16bit(profile, self.working) } else { None };
        self.transform = Some(sixteen.map_or(Transform::Eight(probe), Transform::Sixteen));
        notes.push(format!("{name} -> sRGB"));
    }

    /// The samples as sRGB RGBA8. Alpha is 255 where the source has none.
    ///
    /// # Errors
    /// `INTERNAL` when the colour library refuses samples that it agreed to convert.
    pub(super) fn to_srgb(&self, samples: Samples) -> Result<Vec<u8>> {
        match (samples, &self.transform) {
            // As most pictures: without a copy.
            (Samples::Eight(samples), None) if self.source == Model::Rgba => Ok(samples),
            (Samples::Eight(samples), None) => Ok(self.spread(&samples, |value| value)),
            (Samples::Sixteen(samples), None) => Ok(self.spread(&samples, narrow)),
            (Samples::Eight(samples), Some(Transform::Eight(transform))) => {
                self.run(&samples, 255, |source, target| transform.transform(source, target), |value| value)
            }
            (Samples::Sixteen(samples), Some(Transform::Sixteen(transform))) => {
                self.run(&samples, 65_535, |source, target| transform.transform(source, target), narrow)
            }
            (Samples::Sixteen(samples), Some(Transform::Eight(_))) => {
                self.to_srgb(Samples::Eight(samples.into_iter().map(narrow).collect()))
            }
            (Samples::Eight(_), Some(Transform::Sixteen(_))) => {
                Err(Error::new(ErrorKind::Internal, "8 bit samples met a conversion of 16 bit"))
            }
        }
    }

    /// Conversion without a profile.
    fn spread<T: Copy>(&self, samples: &[T], narrow: impl Fn(T) -> u8) -> Vec<u8> {
        let pixel = |pixel: &[T]| match (self.source, pixel) {
            (Model::Gray, &[y]) => [narrow(y), narrow(y), narrow(y), 255],
            (Model::GrayAlpha, &[y, a]) => [narrow(y), narrow(y), narrow(y), narrow(a)],
            (Model::Rgb, &[r, g, b]) => [narrow(r), narrow(g), narrow(b), 255],
            (Model::Cmyk, &[c, m, y, k]) => {
                let [r, g, b] = [c, m, y].map(|ink| mul(255 - narrow(ink), 255 - narrow(k)));
                [r, g, b, 255]
            }
            (_, &[r, g, b, a]) => [narrow(r), narrow(g), narrow(b), narrow(a)],
            _ => [0; 4],
        };
        samples.chunks_exact(self.source.channels()).flat_map(pixel).collect()
    }

    /// Conversion with a profile, block by block.
    fn run<T: Copy + Default>(
        &self,
        samples: &[T],
        opaque: T,
        transform: impl Fn(&[T], &mut [T]) -> Result<(), moxcms::CmsError>,
        narrow: impl Fn(T) -> u8,
    ) -> Result<Vec<u8>> {
        let failed = |error| Error::new(ErrorKind::Internal, "converting colours failed").caused_by(error);
        let channels = self.source.channels();
        let has_alpha = matches!(self.source, Model::GrayAlpha | Model::Rgba);
        let mut rgba = Vec::with_capacity(samples.len() / channels * 4);
        let mut wide: Vec<T> = Vec::new();
        let mut target = vec![T::default(); (samples.len() / channels).min(BLOCK) * 4];
        for block in samples.chunks(BLOCK * channels) {
            let source = if self.working == self.source {
                block
            } else {
                wide.clear();
                wide.extend(
                    block
                        .chunks_exact(channels)
                        .flat_map(|pixel| [pixel[0]; 3].into_iter().chain(pixel.get(1).copied())),
                );
                &wide
            };
            let target = &mut target[..block.len() / channels * 4];
            transform(source, target).map_err(failed)?;
            if !has_alpha {
                target.as_chunks_mut::<4>().0.iter_mut().for_each(|pixel| pixel[3] = opaque);
            }
            rgba.extend(target.iter().map(|&value| narrow(value)));
        }
        Ok(rgba)
    }
}

/// 16 bit to 8 bit, rounded.
fn narrow(value: u16) -> u8 {
    ((u32::from(value) * 255 + 32_767) / 65_535) as u8
}

/// The product of two shares of 255, rounded.
pub(super) fn mul(a: u8, b: u8) -> u8 {
    ((u32::from(a) * u32::from(b) + 127) / 255) as u8
}

fn options(rendering_intent: RenderingIntent) -> TransformOptions {
    TransformOptions { rendering_intent, ..TransformOptions::default() }
}

/// Perceptual, as photographs want it; many profiles have relative colorimetric tables only.
const INTENTS: [RenderingIntent; 2] = [RenderingIntent::Perceptual, RenderingIntent::RelativeColorimetric];

fn create_8bit(profile: &ColorProfile, model: Model) -> Option<Arc<Transform8BitExecutor>> {
    let srgb = ColorProfile::new_srgb();
    INTENTS
        .into_iter()
        .find_map(|intent| profile.create_transform_8bit(model.layout(), &srgb, Layout::Rgba, options(intent)).ok())
}

fn create_16bit(profile: &ColorProfile, model: Model) -> Option<Arc<Transform16BitExecutor>> {
    let srgb = ColorProfile::new_srgb();
    INTENTS
        .into_iter()
        .find_map(|intent| profile.create_transform_16bit(model.layout(), &srgb, Layout::Rgba, options(intent)).ok())
}

/// Whether a transform to sRGB changes nothing that can be seen. Names of profiles say little: it is tried.
fn is_srgb(transform: &Transform8BitExecutor, model: Model) -> bool {
    let steps = || (0..=255u8).step_by(if model.is_gray() { 1 } else { 51 });
    let colors: Vec<[u8; 3]> = if model.is_gray() {
        steps().map(|y| [y; 3]).collect()
    } else {
        steps().flat_map(|r| steps().flat_map(move |g| steps().map(move |b| [r, g, b]))).collect()
    };
    let samples: Vec<u8> = colors
        .iter()
        .flat_map(|&[r, g, b]| match model {
            Model::Gray => vec![r],
            Model::GrayAlpha => vec![r, 255],
            Model::Rgb => vec![r, g, b],
            Model::Rgba | Model::Cmyk => vec![r, g, b, 255],
        })
        .collect();
    let mut target = vec![0; colors.len() * 4];
    transform.transform(&samples, &mut target).is_ok()
        && target
            .as_chunks::<4>()
            .0
            .iter()
            .zip(&colors)
            .all(|(to, from)| to.iter().zip(from).all(|(to, from)| to.abs_diff(*from) <= SAME))
}

/// The profile's name, short and printable.
fn name_of(profile: &ColorProfile) -> String {
    let text = match &profile.description {
        Some(ProfileText::PlainString(text)) => text.as_str(),
        Some(ProfileText::Localizable(texts)) => {
            let english = texts.iter().find(|text| text.language == "en");
            english.or(texts.first()).map_or("", |text| text.value.as_str())
        }
        Some(ProfileText::Description(text)) => text.ascii_string.as_str(),
        None => "",
    };
    let name: String = text.chars().filter(|letter| !letter.is_control()).take(60).collect();
    if name.trim().is_empty() { "unnamed".to_owned() } else { name.trim().to_owned() }
}

/// The profile for H.273 code points, with its name; `None` where they are sRGB or say nothing.
///
/// The transfer functions of BT.601, BT.709 and BT.2020 are taken as that of sRGB, as browsers do.
fn cicp(primaries: u8, transfer: u8) -> (Option<ColorProfile>, String) {
    let nothing = (None, String::new());
    // 2 is "unspecified", and 1 has the primaries of sRGB.
    let color_primaries = match primaries {
        1 | 2 => CicpColorPrimaries::Bt709,
        _ => CicpColorPrimaries::try_from(primaries).unwrap_or(CicpColorPrimaries::Bt709),
    };
    let curve = match transfer {
        16 => Some(curve_of(pq)),
        18 => Some(curve_of(hlg)),
        _ => None,
    };
    if color_primaries == CicpColorPrimaries::Bt709 && curve.is_none() {
        return nothing;
    }
    let mut profile = ColorProfile::new_from_cicp(CicpProfile {
        color_primaries,
        transfer_characteristics: TransferCharacteristics::Srgb,
        matrix_coefficients: MatrixCoefficients::Identity,
        full_range: true,
    });
    let mut name = format!("colour primaries {primaries}");
    if let Some(curve) = curve {
        profile.cicp = None;
        profile.red_trc = Some(curve.clone());
        profile.green_trc = Some(curve.clone());
        profile.blue_trc = Some(curve);
        let transfer = if transfer == 16 { "PQ" } else { "HLG" };
        name += &format!(", {transfer} (brighter than paper white is clipped)");
    }
    (Some(profile), name)
}

/// A table of `linear`, which gives the light of a sample from 0 to 1, with paper white as 1.
fn curve_of(linear: impl Fn(f32) -> f32) -> ToneReprCurve {
    let entry = |i: u16| (linear(f32::from(i) / 1023.0).clamp(0.0, 1.0) * 65_535.0).round() as u16;
    ToneReprCurve::Lut((0..1024).map(entry).collect())
}

/// The EOTF of PQ, relative to paper white.
fn pq(sample: f32) -> f32 {
    (pq_eotf(f64::from(sample)) / PAPER_WHITE) as f32
}

/// The EOTF of HLG (ITU-R BT.2100, table 5) for 1 000 cd/m2, each channel by itself, relative to paper white, which is
/// at 75 % of the signal.
fn hlg(sample: f32) -> f32 {
    libm::pow(hlg_scene_light(f64::from(sample)) / hlg_scene_light(0.75), 1.2) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(model: Model, profile: &Profile, samples: Samples) -> (Vec<u8>, Vec<String>) {
        let mut notes = Vec::new();
        let bits = if matches!(samples, Samples::Eight(_)) { 8 } else { 16 };
        let conversion = Conversion::new(model, bits, profile, &mut notes);
        (conversion.to_srgb(samples).expect("colours convert"), notes)
    }

    fn icc(profile: &ColorProfile) -> Profile {
        Profile::Icc(profile.encode().expect("a built-in profile is encoded"))
    }

    #[test]
    fn display_p3_becomes_srgb() {
        // 234, 51, 35 is sRGB's red in Display P3; grey stays.
        let samples = vec![234, 51, 35, 128, 128, 128];
        let p3 = icc(&ColorProfile::new_display_p3());
        let (rgba, notes) = convert(Model::Rgb, &p3, Samples::Eight(samples.clone()));
        assert!(rgba[0] >= 253 && rgba[1] <= 6 && rgba[2] <= 6, "{rgba:?}");
        assert!(rgba[4..7].iter().all(|value| value.abs_diff(128) <= 1) && rgba[7] == 255, "{rgba:?}");
        assert!(
            notes.len() == 1 && notes[0].starts_with("icc profile \"") && notes[0].ends_with("-> sRGB"),
            "{notes:?}"
        );

        let wide = samples.into_iter().map(|value| u16::from(value) * 257).collect();
        let (sixteen, notes) = convert(Model::Rgb, &p3, Samples::Sixteen(wide));
        assert!(sixteen.iter().zip(&rgba).all(|(a, b)| a.abs_diff(*b) <= 2), "{sixteen:?} {rgba:?}");
        assert_eq!(notes.last().map(String::as_str), Some("16 bit -> 8 bit"));

        let points = Profile::Cicp { primaries: 12, transfer: 13 };
        let (rgba, _) = convert(Model::Rgba, &points, Samples::Eight(vec![234, 51, 35, 77]));
        assert!(rgba[0] >= 253 && rgba[1] <= 6 && rgba[2] <= 6 && rgba[3] == 77, "{rgba:?}");
    }

    #[test]
    fn srgb_and_silence_change_nothing() {
        for profile in [icc(&ColorProfile::new_srgb()), Profile::None, Profile::Cicp { primaries: 1, transfer: 13 }] {
            let (rgba, notes) = convert(Model::Rgba, &profile, Samples::Eight(vec![9, 99, 199, 50]));
            assert_eq!((rgba, notes), (vec![9, 99, 199, 50], Vec::new()));
        }
    }

    #[test]
    fn grey_takes_profiles_of_grey_and_of_colour() {
        let linear = icc(&ColorProfile::new_gray_with_gamma(1.0));
        let (rgba, notes) = convert(Model::GrayAlpha, &linear, Samples::Eight(vec![128, 7]));
        // Half the light is 188 in sRGB.
        assert!(rgba[..3].iter().all(|value| value.abs_diff(188) <= 1) && rgba[3] == 7, "{rgba:?} {notes:?}");
        let (rgba, _) = convert(Model::Gray, &icc(&ColorProfile::new_adobe_rgb()), Samples::Eight(vec![255, 0]));
        assert_eq!(rgba, [255, 255, 255, 255, 0, 0, 0, 255]);
    }

    #[test]
    fn bad_profiles_are_noted_and_ignored() {
        let broken = Profile::Icc(vec![7; 300]);
        let (rgba, notes) = convert(Model::Rgb, &broken, Samples::Eight(vec![1, 2, 3]));
        assert_eq!((rgba, notes), (vec![1, 2, 3, 255], vec!["broken icc profile: ignored".to_owned()]));
        let (_, notes) =
            convert(Model::Rgb, &icc(&ColorProfile::new_gray_with_gamma(2.2)), Samples::Eight(vec![1, 2, 3]));
        assert!(notes[0].ends_with("is not for these samples: ignored"), "{notes:?}");
        let Profile::Icc(whole) = icc(&ColorProfile::new_display_p3()) else { return };
        for cut in 0..whole.len() {
            convert(Model::Rgb, &Profile::Icc(whole[..cut].to_vec()), Samples::Eight(vec![1, 2, 3]));
        }
    }

    #[test]
    fn cmyk_without_a_profile_is_ink_on_white() {
        let inks = vec![0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 255];
        let (rgba, notes) = convert(Model::Cmyk, &Profile::None, Samples::Eight(inks));
        assert_eq!(rgba, [255, 255, 255, 255, 0, 255, 255, 255, 0, 0, 0, 255]);
        assert_eq!(notes, ["cmyk -> sRGB"]);
    }

    #[test]
    fn paper_white_of_hdr_is_white() {
        // 58 % of PQ and 75 % of HLG are 203 cd/m2 (ITU-R BT.2408, table 1).
        assert!((pq(0.58) - 1.0).abs() < 0.03 && (hlg(0.75) - 1.0).abs() < 1e-5);
        let points = Profile::Cicp { primaries: 9, transfer: 16 };
        let (rgba, notes) = convert(Model::Rgba, &points, Samples::Eight(vec![150, 150, 150, 255, 0, 0, 0, 255]));
        assert!(rgba[..3].iter().all(|&value| value > 250) && rgba[4..7] == [0; 3], "{rgba:?} {notes:?}");
    }
}
