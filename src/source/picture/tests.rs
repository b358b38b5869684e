//! Files are made here, byte by byte or with the encoders at hand.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use image::{ExtendedColorType, ImageEncoder as _};
use jpeg_encoder::{ColorType as JpegColor, Encoder as JpegEncoder};

use super::*;

const RED: [u8; 3] = [220, 30, 30];
const GREEN: [u8; 3] = [30, 200, 40];
const BLUE: [u8; 3] = [30, 40, 210];
const WHITE: [u8; 3] = [240, 240, 240];

fn interrupt() -> Interrupt {
    Interrupt::new(Arc::default(), Arc::default(), Arc::default())
}

struct Sample {
    file: tempfile::NamedTempFile,
    kind: PictureKind,
}

impl Sample {
    fn new(bytes: &[u8]) -> Self {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), bytes).expect("it is written");
        Self { file, kind: sniff(&bytes[..bytes.len().min(256)]).expect("a picture") }
    }

    fn probe(&self, limits: &Limits) -> Result<PictureInfo> {
        probe_picture(self.file.path(), self.kind, limits, &interrupt())
    }

    fn decode(&self) -> Result<Picture> {
        decode_still(self.file.path(), self.kind, &Limits::default(), &interrupt())
    }

    fn animation(&self) -> AnimationReader {
        AnimationReader::open(self.file.path(), self.kind, &Limits::default(), &interrupt()).expect("an animation")
    }
}

fn info(bytes: &[u8]) -> PictureInfo {
    Sample::new(bytes).probe(&Limits::default()).expect("a picture")
}

fn decoded(bytes: &[u8]) -> Picture {
    let picture = Sample::new(bytes).decode().expect("a picture");
    assert_eq!(picture.rgba.len(), picture.width as usize * picture.height as usize * 4);
    picture
}

fn pixel(picture: &Picture, x: u32, y: u32) -> [u8; 4] {
    picture.rgba.as_chunks::<4>().0[(y * picture.width + x) as usize]
}

#[track_caller]
fn assert_near(actual: [u8; 4], expected: [u8; 3], tolerance: u8) {
    let near = actual.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= tolerance);
    assert!(near && actual[3] == 255, "{actual:?} is not {expected:?}");
}

/// Red, green, blue and white quarters, clockwise from the top left: red, green, white, blue.
fn quarters(width: u32, height: u32) -> Vec<u8> {
    let color = |x, y| match (x < width / 2, y < height / 2) {
        (true, true) => RED,
        (false, true) => GREEN,
        (true, false) => BLUE,
        (false, false) => WHITE,
    };
    (0..height).flat_map(|y| (0..width).flat_map(move |x| color(x, y))).collect()
}

fn corners(picture: &Picture) -> [[u8; 4]; 4] {
    let (right, bottom) = (picture.width - 4, picture.height - 4);
    [pixel(picture, 3, 3), pixel(picture, right, 3), pixel(picture, 3, bottom), pixel(picture, right, bottom)]
}

/// An EXIF block with nothing but an orientation.
fn exif(orientation: u8) -> Vec<u8> {
    let mut tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    tiff.extend([orientation, 0, 0, 0, 0, 0, 0]);
    tiff
}

fn jpeg(
    samples: &[u8],
    width: u16,
    height: u16,
    color: JpegColor,
    adapt: impl FnOnce(&mut JpegEncoder<&mut Vec<u8>>),
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new(&mut bytes, 95);
    adapt(&mut encoder);
    encoder.encode(samples, width, height, color).expect("a JPEG");
    bytes
}

#[test]
fn jpegs_are_shown_upright() {
    // The corners of the picture as it is displayed: top left, top right, bottom left, bottom right.
    let cases = [
        (1, [RED, GREEN, BLUE, WHITE]),
        (2, [GREEN, RED, WHITE, BLUE]),
        (3, [WHITE, BLUE, GREEN, RED]),
        (4, [BLUE, WHITE, RED, GREEN]),
        (5, [RED, BLUE, GREEN, WHITE]),
        (6, [BLUE, RED, WHITE, GREEN]),
        (7, [WHITE, GREEN, BLUE, RED]),
        (8, [GREEN, WHITE, RED, BLUE]),
    ];
    for (orientation, expected) in cases {
        let segment = [b"Exif\0\0".as_slice(), &exif(orientation)].concat();
        let bytes = jpeg(&quarters(64, 32), 64, 32, JpegColor::Rgb, |encoder| {
            encoder.add_app_segment(1, segment.clone()).expect("a segment");
        });
        let picture = decoded(&bytes);
        let size = if orientation < 5 { (64, 32) } else { (32, 64) };
        assert_eq!((picture.width, picture.height, picture.has_alpha), (size.0, size.1, false));
        let info = info(&bytes);
        assert_eq!((info.size.width(), info.size.height()), size);
        let told = (orientation > 1).then(|| format!("orientation {orientation} applied"));
        assert_eq!(info.corrections, told.into_iter().collect::<Vec<_>>());
        corners(&picture).into_iter().zip(expected).for_each(|(actual, color)| assert_near(actual, color, 12));
    }
}

#[test]
fn jpegs_of_other_colours_are_read() {
    let grey = decoded(&jpeg(&[77; 40 * 20], 40, 20, JpegColor::Luma, |_| {}));
    assert_near(pixel(&grey, 20, 10), [77; 3], 2);
    let progressive =
        decoded(&jpeg(&quarters(64, 32), 64, 32, JpegColor::Rgb, |encoder| encoder.set_progressive(true)));
    assert_near(pixel(&progressive, 60, 3), GREEN, 12);

    // Red is no cyan, much magenta and yellow; the encoder inverts as Adobe does.
    let ink: Vec<u8> = [[0, 255, 255, 0], [0, 0, 0, 128]].into_iter().flat_map(|ink| ink.repeat(16 * 32)).collect();
    for color in [JpegColor::Cmyk, JpegColor::CmykAsYcck] {
        let bytes = jpeg(&ink, 32, 32, color, |_| {});
        let picture = decoded(&bytes);
        assert_near(pixel(&picture, 16, 4), [255, 0, 0], 6);
        assert_near(pixel(&picture, 16, 28), [127; 3], 6);
        assert_eq!(info(&bytes).corrections, ["cmyk -> sRGB"]);
    }
}

/// Adobe's transform 0 with three components means RGB.
#[test]
fn jpegs_coded_as_rgb_are_not_taken_for_ycbcr() {
    let mut bytes = jpeg(&quarters(32, 32), 32, 32, JpegColor::Ycbcr, |encoder| {
        encoder.add_app_segment(14, b"Adobe\0\x64\0\0\0\0\0".to_vec()).expect("a segment");
    });
    // The encoder's JFIF marker would mean YCbCr.
    assert_eq!(bytes[2..4], [0xff, 0xe0]);
    bytes.drain(2..20);
    let picture = decoded(&bytes);
    corners(&picture)
        .into_iter()
        .zip([RED, GREEN, BLUE, WHITE])
        .for_each(|(actual, color)| assert_near(actual, color, 12));
}

#[test]
fn jpegs_that_break_off_show_what_is_there() {
    for progressive in [false, true] {
        let whole = jpeg(&quarters(160, 160), 160, 160, JpegColor::Rgb, |encoder| encoder.set_progressive(progressive));
        let mut pictures = 0;
        for cut in (4..whole.len() - 2).step_by(7) {
            let sample = Sample::new(&whole[..cut]);
            match (sample.probe(&Limits::default()), sample.decode()) {
                (Ok(info), Ok(picture)) => {
                    assert_eq!(info.corrections, [TRUNCATED], "at {cut}");
                    assert!(!picture.has_alpha && (picture.width, picture.height) == (160, 160));
                    pictures += 1;
                }
                (_, Err(error)) => assert!(
                    matches!(error.kind(), ErrorKind::SourceUnreadable | ErrorKind::SourceEmpty),
                    "at {cut}: {error:?}"
                ),
                (Err(error), Ok(_)) => unreachable!("refused by the probe only, at {cut}: {error:?}"),
            }
        }
        assert!(pictures > 50, "{pictures} of {}", whole.len());
        let late = decoded(&whole[..whole.len() * 9 / 10]);
        assert_near(pixel(&late, 3, 3), RED, 30);
    }
}

#[test]
fn damage_never_panics() {
    let mut seed = 7u32;
    let mut random = move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed >> 8
    };
    let lossless = webp(&quarters(24, 24), 24, 24);
    let whole = [
        jpeg(&quarters(48, 48), 48, 48, JpegColor::Rgb, |encoder| encoder.set_progressive(true)),
        jpeg(&[100; 48 * 48 * 4], 48, 48, JpegColor::CmykAsYcck, |_| {}),
        png(&quarters(24, 24), 24, 24, ExtendedColorType::Rgb8, None),
        animated_gif(),
        animated_webp(&lossless),
        lossless,
    ];
    for bytes in whole {
        for _ in 0..150 {
            let mut bytes = bytes.clone();
            let from = bytes.len() / 50;
            for _ in 0..=random() % 4 {
                // The first bytes tell the kind.
                let at = 12 + random() as usize % (bytes.len() - 12);
                bytes[at.max(from)] = random() as u8;
            }
            let sample = Sample::new(&bytes);
            let small = Limits { source_pixels: 1 << 20, ..Limits::default() };
            for error in [sample.probe(&small).err(), sample.decode().err()].into_iter().flatten() {
                assert_ne!(error.message(), "its decoder gave up on the picture", "{error:?}");
                assert_ne!(error.kind(), ErrorKind::Internal, "{error:?}");
            }
        }
    }
}

fn png(samples: &[u8], width: u32, height: u32, color: ExtendedColorType, icc: Option<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    if let Some(icc) = icc {
        encoder.set_icc_profile(icc).expect("PNG takes profiles");
    }
    encoder.write_image(samples, width, height, color).expect("a PNG");
    bytes
}

/// A PNG chunk with its checksum (CRC-32 of ISO 3309).
fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let covered = [kind.as_slice(), body].concat();
    let crc = !covered.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    });
    [(body.len() as u32).to_be_bytes().as_slice(), &covered, &crc.to_be_bytes()].concat()
}

/// A zlib stream with one stored block.
fn stored(data: &[u8]) -> Vec<u8> {
    let length = data.len() as u16;
    let (a, b) = data.iter().fold((1u32, 0u32), |(a, b), &byte| {
        let a = (a + u32::from(byte)) % 65_521;
        (a, (a + b) % 65_521)
    });
    let head = [0x78, 0x01, 1].into_iter().chain(length.to_le_bytes()).chain((!length).to_le_bytes());
    head.chain(data.iter().copied()).chain((b << 16 | a).to_be_bytes()).collect()
}

fn png_header(width: u32, height: u32, bits: u8, color: u8) -> Vec<u8> {
    let fields = [width.to_be_bytes().as_slice(), &height.to_be_bytes(), &[bits, color, 0, 0, 0]].concat();
    [b"\x89PNG\r\n\x1a\n".as_slice(), &chunk(b"IHDR", &fields)].concat()
}

#[test]
fn pngs_of_all_kinds_are_read() {
    let wide: Vec<u8> = [0u16, 32_896, 65_535, 65_535].into_iter().flat_map(u16::to_ne_bytes).collect();
    let bytes = png(&wide, 1, 1, ExtendedColorType::Rgba16, None);
    assert_eq!(decoded(&bytes), Picture { width: 1, height: 1, rgba: vec![0, 128, 255, 255], has_alpha: false });
    assert_eq!(info(&bytes).corrections, ["16 bit -> 8 bit"]);

    let bytes = png(&[10, 255, 200, 40], 2, 1, ExtendedColorType::La8, None);
    assert_eq!(decoded(&bytes).rgba, [10, 10, 10, 255, 200, 200, 200, 40]);
    assert!(decoded(&bytes).has_alpha && info(&bytes).has_alpha && info(&bytes).corrections.is_empty());

    // A palette of two bits with transparency for its second entry; turned by 180 degrees.
    let palette = [
        png_header(3, 1, 2, 3),
        chunk(b"PLTE", &[1, 2, 3, 40, 50, 60, 7, 8, 9]),
        chunk(b"tRNS", &[255, 128]),
        chunk(b"eXIf", &exif(3)),
        chunk(b"IDAT", &stored(&[0, 0b0001_1000])),
        chunk(b"IEND", &[]),
    ]
    .concat();
    assert_eq!(decoded(&palette).rgba, [7, 8, 9, 255, 40, 50, 60, 128, 1, 2, 3, 255]);
    assert_eq!(info(&palette).corrections, ["orientation 3 applied"]);
}

#[test]
fn a_profile_of_a_png_is_applied() {
    let icc = moxcms::ColorProfile::new_display_p3().encode().expect("a profile");
    let bytes = png(&[234, 51, 35, 128, 128, 128], 2, 1, ExtendedColorType::Rgb8, Some(icc));
    let picture = decoded(&bytes);
    assert_near(pixel(&picture, 0, 0), [255, 0, 0], 6);
    assert_near(pixel(&picture, 1, 0), [128; 3], 1);
    let corrections = info(&bytes).corrections;
    assert!(corrections.len() == 1 && corrections[0].starts_with("icc profile \"Display P3"), "{corrections:?}");
}

#[test]
fn pngs_that_break_off_show_what_is_there() {
    let whole = png(&quarters(64, 64), 64, 64, ExtendedColorType::Rgb8, None);
    let mut pictures = 0;
    for cut in 8..whole.len() - 12 {
        match Sample::new(&whole[..cut]).decode() {
            Ok(_) => {
                assert_eq!(info(&whole[..cut]).corrections, [TRUNCATED]);
                pictures += 1;
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::SourceUnreadable, "at {cut}: {error:?}"),
        }
    }
    assert!(pictures > 0);
}

#[test]
fn pictures_beyond_the_limits_are_refused_at_once() {
    let started = std::time::Instant::now();
    let huge = [png_header(60_000, 60_000, 8, 6), chunk(b"IDAT", &stored(&[0; 100])), chunk(b"IEND", &[])].concat();
    let mut jpeg = jpeg(&quarters(32, 32), 32, 32, JpegColor::Rgb, |_| {});
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).expect("a frame header");
    jpeg[frame + 5..frame + 9].fill(0xff);
    let mut gif = animated_gif();
    gif[6..10].fill(0xff);
    for bytes in [huge, jpeg, gif] {
        let sample = Sample::new(&bytes);
        for error in [sample.probe(&Limits::default()).err(), sample.decode().err()] {
            assert_eq!(error.expect("too large").kind(), ErrorKind::LimitExceeded);
        }
    }
    assert!(started.elapsed().as_secs() < 5);

    let small = Limits { source_pixels: 100, ..Limits::default() };
    let error = Sample::new(&webp(&quarters(24, 24), 24, 24)).probe(&small).expect_err("too large");
    assert_eq!((error.kind(), error.suggestion().is_some()), (ErrorKind::LimitExceeded, true));
    let frames = Limits { picture_frames: 3, ..Limits::default() };
    let pixels = Limits { animation_pixels: 8 * 4 * 4 - 1, ..Limits::default() };
    let duration = Limits { source_duration: TimeSpan::from_secs_f64(0.2).expect("a span"), ..Limits::default() };
    let bytes = Limits { picture_bytes: 20, ..Limits::default() };
    for limits in [frames, pixels, duration, bytes] {
        let error = Sample::new(&animated_gif()).probe(&limits).expect_err("too much");
        assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error:?}");
    }
}

/// 8 x 4: a red canvas; a green dot that is removed; a blue dot that gives back what was below; an empty frame.
fn animated_gif() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = ::gif::Encoder::new(&mut bytes, 8, 4, &[255, 0, 0, 0, 255, 0, 0, 0, 255]).expect("a GIF");
    let mut add = |left, width, height, color, delay, dispose, transparent| {
        let buffer = Cow::Owned(vec![color; usize::from(width) * usize::from(height)]);
        let frame =
            ::gif::Frame { left, width, height, buffer, delay, dispose, transparent, ..::gif::Frame::default() };
        encoder.write_frame(&frame).expect("a frame");
    };
    add(0, 8, 4, 0, 0, ::gif::DisposalMethod::Keep, None);
    add(0, 2, 2, 1, 1, ::gif::DisposalMethod::Background, None);
    add(4, 2, 2, 2, 2, ::gif::DisposalMethod::Previous, None);
    add(6, 1, 1, 1, 50, ::gif::DisposalMethod::Keep, Some(1));
    drop(encoder);
    bytes
}

fn milliseconds(info: &PictureInfo) -> Vec<(u64, u64)> {
    let millisecond = TimeSpan::from_secs(1).ticks() / 1_000;
    info.frames.iter().map(|frame| (frame.start.ticks() / millisecond, frame.duration.ticks() / millisecond)).collect()
}

/// The colours of all frames at the given columns of the first row.
fn columns<const N: usize>(reader: &mut AnimationReader, columns: [u32; N]) -> Vec<[[u8; 4]; N]> {
    let mut frames = Vec::new();
    while let Some(picture) = reader.next_frame().expect("a frame") {
        frames.push(columns.map(|x| pixel(picture, x, 0)));
    }
    frames
}

const R: [u8; 4] = [255, 0, 0, 255];
const G: [u8; 4] = [0, 255, 0, 255];
const B: [u8; 4] = [0, 0, 255, 255];
const NONE: [u8; 4] = [0; 4];

#[test]
fn a_gif_is_transparent_only_if_it_is() {
    let gif = |frames: &[(u16, u16, Option<u8>, ::gif::DisposalMethod)]| {
        let mut bytes = Vec::new();
        let mut encoder = ::gif::Encoder::new(&mut bytes, 4, 4, &[255, 0, 0, 0, 0, 255]).expect("a GIF");
        for &(width, height, transparent, dispose) in frames {
            let buffer = vec![0; usize::from(width * height)].into();
            let frame = ::gif::Frame { width, height, buffer, transparent, dispose, ..::gif::Frame::default() };
            encoder.write_frame(&frame).expect("a frame");
        }
        drop(encoder);
        info(&bytes).has_alpha
    };
    let keep = ::gif::DisposalMethod::Keep;
    assert!(!gif(&[(4, 4, None, keep)]));
    assert!(!gif(&[(4, 4, None, keep), (2, 2, Some(1), keep)]), "what lies below is filled");
    assert!(gif(&[(4, 4, Some(1), keep)]));
    assert!(gif(&[(2, 4, None, keep)]), "the canvas is not covered");
    assert!(gif(&[(4, 4, None, keep), (2, 2, None, ::gif::DisposalMethod::Background)]), "a part is cleared");
}

#[test]
fn the_work_of_an_animation_is_that_of_its_frames() {
    // Frames of 40 x 40 on a canvas of one pixel.
    let mut bytes = Vec::new();
    let mut encoder = ::gif::Encoder::new(&mut bytes, 1, 1, &[0; 6]).expect("a GIF");
    for _ in 0..10 {
        let frame = ::gif::Frame { width: 40, height: 40, buffer: vec![0; 1600].into(), ..::gif::Frame::default() };
        encoder.write_frame(&frame).expect("a frame");
    }
    drop(encoder);
    let limits = Limits { animation_pixels: 10_000, ..Limits::default() };
    let error = Sample::new(&bytes).probe(&limits).expect_err("16 000 pixels");
    assert_eq!(error.code(), "LIMIT_EXCEEDED");
    let limits = Limits { animation_pixels: 16_000, ..Limits::default() };
    assert_eq!(Sample::new(&bytes).probe(&limits).expect("fits").frames.len(), 10);
}

#[test]
fn frames_of_a_webp_are_not_listed_without_end() {
    let limits = Limits { picture_frames: 1, ..Limits::default() };
    let error = Sample::new(&animated_webp(&webp(&quarters(24, 24), 24, 24))).probe(&limits).expect_err("too many");
    assert_eq!(error.code(), "LIMIT_EXCEEDED");
}

#[test]
fn animated_gifs_are_composed_and_timed_as_in_browsers() {
    let sample = Sample::new(&animated_gif());
    let info = sample.probe(&Limits::default()).expect("a GIF");
    assert!(info.is_animated() && info.corrections.is_empty());
    // 0 and 10 ms count 100 ms, and 20 ms count.
    assert_eq!(milliseconds(&info), [(0, 100), (100, 100), (200, 20), (220, 500)]);
    assert_eq!(info.duration(), TimeSpan::from_secs_f64(0.72).expect("a span"));

    let mut reader = sample.animation();
    let expected = [[R, R, R], [G, R, R], [NONE, B, R], [NONE, R, R]];
    assert_eq!(columns(&mut reader, [0, 4, 7]), expected);
    reader.restart().expect("it is still there");
    assert_eq!(columns(&mut reader, [0, 4, 7]), expected);
    assert!(!reader.is_damaged());
    assert_eq!(pixel(&sample.decode().expect("a still"), 0, 0), R);
}

#[test]
fn animations_that_break_off_hold_their_last_picture() {
    for whole in [animated_gif(), animated_webp(&webp(&quarters(24, 24), 24, 24))] {
        for cut in 30..whole.len() {
            let sample = Sample::new(&whole[..cut]);
            let Ok(info) = sample.probe(&Limits::default()) else { continue };
            if !info.is_animated() {
                continue;
            }
            let mut reader = sample.animation();
            let mut frames = 0;
            while reader.next_frame().expect("the first frame is whole").is_some() {
                frames += 1;
            }
            assert_eq!(frames, info.frames.len(), "at {cut}");
        }
    }
}

fn webp(samples: &[u8], width: u32, height: u32) -> Vec<u8> {
    let color =
        if samples.len() as u32 == width * height * 4 { ExtendedColorType::Rgba8 } else { ExtendedColorType::Rgb8 };
    let mut bytes = Vec::new();
    let encoder = image::codecs::webp::WebPEncoder::new_lossless(&mut bytes);
    encoder.write_image(samples, width, height, color).expect("a WebP");
    bytes
}

fn riff(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let padding = &[0][..body.len() % 2];
    [kind.as_slice(), &(body.len() as u32).to_le_bytes(), body, padding].concat()
}

/// 24 x 24: the file `first`; a green dot that is removed; a half transparent blue one on the other side.
fn animated_webp(first: &[u8]) -> Vec<u8> {
    let frame = |still: &[u8], left: u8, side: u8, delay: u8, flags: u8| {
        let head = [left / 2, 0, 0, 0, 0, 0, side - 1, 0, 0, side - 1, 0, 0, delay, 0, 0, flags];
        riff(b"ANMF", &[head.as_slice(), &still[12..]].concat())
    };
    let green = webp(&G.repeat(4), 2, 2);
    let blue = webp(&[0, 0, 255, 128].repeat(4), 2, 2);
    let chunks = [
        riff(b"VP8X", &[0x12, 0, 0, 0, 23, 0, 0, 23, 0, 0]),
        riff(b"ANIM", &[9, 9, 9, 255, 0, 0]),
        frame(first, 0, 24, 10, 0),
        frame(&green, 0, 2, 40, 1),
        frame(&blue, 22, 2, 60, 0),
    ];
    riff(b"RIFF", &[b"WEBP".as_slice(), &chunks.concat()].concat())
}

#[test]
fn webps_are_read_still_and_animated() {
    let bytes = webp(&[10, 20, 30, 40], 1, 1);
    assert_eq!(decoded(&bytes), Picture { width: 1, height: 1, rgba: vec![10, 20, 30, 40], has_alpha: true });
    assert_eq!(decoded(&webp(&quarters(24, 24), 24, 24)).rgba[..4], [220, 30, 30, 255]);

    let sample = Sample::new(&animated_webp(&webp(&R.repeat(24 * 24), 24, 24)));
    let info = sample.probe(&Limits::default()).expect("a WebP");
    assert_eq!(milliseconds(&info), [(0, 100), (100, 40), (140, 60)]);
    let mut reader = sample.animation();
    let mixed = [127, 0, 128, 255];
    let expected = [[R, R, R], [G, R, R], [NONE, R, mixed]];
    assert_eq!(columns(&mut reader, [0, 4, 23]), expected);
    reader.restart().expect("it is still there");
    assert_eq!(columns(&mut reader, [0, 4, 23]), expected);
    assert_eq!(pixel(&sample.decode().expect("a still"), 0, 0), R);
}

fn avif() -> Vec<u8> {
    use libheif_rs::{Channel, ColorSpace, CompressionFormat, HeifContext, Image, LibHeif, RgbChroma};
    let mut image = Image::new(64, 32, ColorSpace::Rgb(RgbChroma::Rgb)).expect("an image");
    image.create_plane(Channel::Interleaved, 64, 32, 8).expect("a plane");
    let plane = image.planes_mut().interleaved.expect("the plane");
    for (target, row) in plane.data.chunks_mut(plane.stride).zip(quarters(64, 32).chunks(64 * 3)) {
        target[..row.len()].copy_from_slice(row);
    }
    let library = LibHeif::new();
    let mut encoder = library.encoder_for_format(CompressionFormat::Av1).expect("libheif has AV1");
    let mut context = HeifContext::new().expect("a context");
    context.encode_image(&image, &mut encoder, None).expect("an AVIF");
    context.write_to_bytes().expect("it is written")
}

#[test]
fn avifs_are_read_and_may_be_damaged() {
    let whole = avif();
    assert_eq!(Sample::new(&whole).kind, PictureKind::Avif);
    let picture = decoded(&whole);
    assert_eq!((picture.width, picture.height, picture.has_alpha), (64, 32, false));
    corners(&picture)
        .into_iter()
        .zip([RED, GREEN, BLUE, WHITE])
        .for_each(|(actual, color)| assert_near(actual, color, 20));
    assert!(info(&whole).corrections.is_empty(), "{:?}", info(&whole));
    let small = Limits { source_pixels: 64 * 32 - 1, ..Limits::default() };
    assert_eq!(Sample::new(&whole).probe(&small).expect_err("too large").kind(), ErrorKind::LimitExceeded);
    for cut in (32..whole.len()).step_by(7) {
        drop(Sample::new(&whole[..cut]).decode());
    }
}

#[test]
fn cancelling_is_heard() {
    let cancelled = Interrupt::new(Arc::new(AtomicBool::new(true)), Arc::default(), Arc::default());
    let sample = Sample::new(&animated_gif());
    let error = probe_picture(sample.file.path(), sample.kind, &Limits::default(), &cancelled).expect_err("cancelled");
    assert_eq!(error.kind(), ErrorKind::Canceled);
}

/// A part of a JPEG scaled plane by plane is what the whole one decoded and scaled gives, whatever its orientation, its
/// subsampling and the reduction of the transform.
#[test]
fn scaled_jpegs_are_those_that_are_decoded_whole() {
    use jpeg_encoder::SamplingFactor::{F_1_1, F_2_1, F_2_2};
    let (width, height) = (603usize, 410usize);
    let rgb: Vec<u8> = (0..width * height)
        .flat_map(|at| {
            let (x, y) = ((at % width) as f64, (at / width) as f64);
            let wave = |period: f64, phase: f64| (128.0 + 100.0 * ((x + 0.6 * y) / period + phase).sin()) as u8;
            [wave(40.0, 0.0), wave(55.0, 1.0), wave(70.0, 2.0)]
        })
        .collect();
    for (orientation, sampling, progressive) in
        (1..=8).map(|o| (o, F_2_2, false)).chain([(6, F_2_1, false), (1, F_1_1, true), (3, F_2_2, true)])
    {
        let mut bytes = Vec::new();
        let mut encoder = JpegEncoder::new(&mut bytes, 92);
        encoder.set_sampling_factor(sampling);
        encoder.set_progressive(progressive);
        encoder.add_exif_metadata(&exif(orientation)).expect("is taken");
        encoder.encode(&rgb, width as u16, height as u16, JpegColor::Rgb).expect("can be encoded");
        let sample = Sample::new(&bytes);
        let path = sample.file.path();
        let shown = sample.probe(&Limits::default()).expect("a picture").size;
        for (rect, target) in [
            (SourceRect { x: 0, y: 0, width: shown.width(), height: shown.height() }, (shown.width() & !1, 300)),
            (SourceRect { x: 101, y: 51, width: 200, height: 300 }, (100, 150)),
            (SourceRect { x: 7, y: 3, width: 390, height: 400 }, (60, 64)),
        ] {
            let size = CanvasSize::new(target.0, target.1).expect("not zero");
            let survey = jpeg::scaled(
                bytes.clone(),
                (width as u32, height as u32),
                orient::coded(rect, width as u32, height as u32, Orientation::from_exif(orientation).expect("valid")),
                (8, 8),
                1 << 24,
            );
            assert!(survey.expect("no error").is_some(), "the short way is taken");
            let short =
                decode_scaled(path, sample.kind, rect, size, &Limits::default(), &interrupt()).expect("is scaled");
            let long = scale(sample.decode().expect("a picture"), rect, size).expect("is scaled");
            let off: Vec<u8> = short.iter().zip(&long).map(|(a, b)| a.abs_diff(*b)).collect();
            let mean = off.iter().map(|&off| f64::from(off)).sum::<f64>() / off.len() as f64;
            let worst = off.iter().max();
            assert!(mean < 1.0 && worst < Some(&14), "{orientation} {target:?}: off by {mean:.2}, at most {worst:?}");
        }
    }
}

#[test]
fn damaged_and_strange_jpegs_are_scaled_too() {
    let mut whole = Vec::new();
    let picture = [200u8, 60, 60].repeat(64 * 64);
    JpegEncoder::new(&mut whole, 90).encode(&picture, 64, 64, JpegColor::Rgb).expect("can be encoded");
    let mut grey = Vec::new();
    JpegEncoder::new(&mut grey, 90).encode(&[90u8; 64 * 64], 64, 64, JpegColor::Luma).expect("can be encoded");
    let size = CanvasSize::new(16, 16).expect("not zero");
    let rect = SourceRect { x: 0, y: 0, width: 64, height: 64 };
    for (bytes, meant) in
        [(&whole[..], [200, 60, 60]), (&whole[..whole.len() - 30], [200, 60, 60]), (&grey[..], [90; 3])]
    {
        let sample = Sample::new(bytes);
        let scaled = decode_scaled(sample.file.path(), sample.kind, rect, size, &Limits::default(), &interrupt());
        let [r, g, b, a] = scaled.expect("is scaled").as_chunks::<4>().0[17];
        assert!([r, g, b].iter().zip(meant).all(|(found, meant)| found.abs_diff(meant) < 4) && a == 255, "{r} {g} {b}");
    }
    let beyond = SourceRect { x: 1, ..rect };
    let sample = Sample::new(&whole);
    let error = decode_scaled(sample.file.path(), sample.kind, beyond, size, &Limits::default(), &interrupt());
    assert_eq!(error.expect_err("is refused").code(), "SOURCE_UNREADABLE");
}
