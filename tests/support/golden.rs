//! Pictures as they were when somebody last looked at them.

use std::path::{Path, PathBuf};

use image::RgbImage;

/// Oklab (Ottosson, 2020): distances in it are about as large as they look; black to white is 1.
fn oklab([r, g, b]: [u8; 3]) -> [f32; 3] {
    let light = |value: u8| {
        let value = f32::from(value) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    let (r, g, b) = (light(r), light(g), light(b));
    let l = (0.412_221_46 * r + 0.536_332_55 * g + 0.051_445_995 * b).cbrt();
    let m = (0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b).cbrt();
    let s = (0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b).cbrt();
    [
        0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
        1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
        0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
    ]
}

/// How different two pictures look: the mean and the largest distance of 3x3 px means.
pub(crate) fn difference(old: &RgbImage, new: &RgbImage) -> (f32, f32) {
    if old.dimensions() != new.dimensions() {
        return (f32::INFINITY, f32::INFINITY);
    }
    let old_size = old.dimensions();
    let lab = |picture: &RgbImage| picture.pixels().map(|pixel| oklab(pixel.0)).collect::<Vec<_>>();
    let (old, new) = (lab(old), lab(new));
    let (width, height) = (old_size.0 as usize, old_size.1 as usize);
    let (mut sum, mut most) = (0.0f32, 0.0f32);
    for y in 1..height - 1 {
        for x in 1..width - 1 {
            let mut apart = [0.0f32; 3];
            for at in (y - 1..=y + 1).flat_map(|y| (x - 1..=x + 1).map(move |x| y * width + x)) {
                for (apart, (old, new)) in apart.iter_mut().zip(old[at].iter().zip(&new[at])) {
                    *apart += (old - new) / 9.0;
                }
            }
            let distance = apart.iter().map(|value| value * value).sum::<f32>().sqrt();
            sum += distance;
            most = most.max(distance);
        }
    }
    (sum / ((width - 2) * (height - 2)) as f32, most)
}

pub(crate) fn file_of(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.png"))
}

/// Compares pictures with those of the same names in `tests/golden`, which differ if somebody would see it. With
/// `GOLDEN=update` the ones that differ are written anew, and the test fails all the same.
pub(crate) fn assert_same(pictures: impl IntoIterator<Item = (&'static str, RgbImage)>) {
    let update = std::env::var_os("GOLDEN").is_some_and(|value| value == "update");
    let mut wrong = Vec::new();
    for (name, new) in pictures {
        let file = file_of(name);
        let old = image::open(&file).map(image::DynamicImage::into_rgb8);
        let (mean, most) = old.as_ref().map_or((f32::INFINITY, f32::INFINITY), |old| difference(old, &new));
        if mean <= 0.000_5 && most <= 0.04 {
            continue;
        }
        if update {
            new.save(&file).expect("is written");
            wrong.push(format!("{name}: written anew, to be looked at"));
            continue;
        }
        let found = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"));
        std::fs::create_dir_all(found.parent().expect("has one")).expect("can be made");
        new.save(&found).expect("is written");
        wrong.push(format!("{name}: mean {mean:.4}, most {most:.3}; now {}", found.display()));
    }
    assert!(wrong.is_empty(), "these look different:\n{}", wrong.join("\n"));
}
