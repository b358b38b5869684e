//! The encoder's settings, resolved.

use serde::{Deserialize, Serialize};

/// How much time is spent on how good a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// For a look: fast, large blocks of detail lost.
    Draft,
    /// For posting: platforms encode again, and this loses nothing that they keep. Default.
    #[default]
    Standard,
    /// For archives and ads: closer to the picture, at larger files and twice the time of `Standard` or more.
    High,
}

impl Preset {
    /// The presets' names.
    pub const NAMES: [&'static str; 3] = ["draft", "standard", "high"];

    /// The preset of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "draft" => Some(Self::Draft),
            "standard" => Some(Self::Standard),
            "high" => Some(Self::High),
            _ => None,
        }
    }

    /// The name of the preset.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Standard => "standard",
            Self::High => "high",
        }
    }

    /// Its settings for chunks of at most `gop` frames.
    pub fn settings(self, gop: u32) -> VideoSettings {
        let settings = |x264_preset: &str, crf, bframes| VideoSettings {
            x264_preset: x264_preset.to_owned(),
            lookahead: None,
            pyramid: true,
            aq_mode: None,
            adaptive_bframes: true,
            weighted: true,
            crf,
            gop,
            bframes,
            slow_motion: false,
        };
        match self {
            Self::Draft => settings("ultrafast", 23, 0),
            // Macroblock-tree rate control is what makes `superfast` small: without it files are two to ten times as
            // large at the same rate factor. Weighted prediction costs a tenth of the time and pays in fades alone; a
            // pyramid of B-frames and a longer lookahead cost 35 MB for 2 % of the size. Quantisers that follow each
            // picture's own variance save a twentieth of the size, and a quarter of that of slow zooms, at the same SSIM;
            // a fixed number of B-frames and a shorter lookahead save a tenth of the time (`benches/presets.py`).
            Self::Standard => VideoSettings {
                lookahead: Some(6),
                pyramid: false,
                aq_mode: Some(2),
                adaptive_bframes: false,
                weighted: false,
                ..settings("superfast", 20, 2)
            },
            Self::High => settings("veryfast", 18, 3),
        }
    }
}

/// Everything that the H.264 encoder is told, apart from the pictures. All chunks of a plan have the same, so that all
/// have the same SPS and PPS.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VideoSettings {
    /// x264's preset.
    pub x264_preset: String,
    /// Frames that macroblock-tree rate control looks ahead, 1 to 250. `None`: whether it does, and how far, is the
    /// preset's.
    #[serde(default)]
    pub lookahead: Option<u32>,
    /// Whether B-frames may be referred to.
    #[serde(default = "yes")]
    pub pyramid: bool,
    /// How quantisers follow what a block shows, x264's `aq-mode`, 0 to 3: not at all, by its variance, by that and the
    /// picture's, and with more for what is dark. `None`: the preset's.
    #[serde(default)]
    pub aq_mode: Option<u32>,
    /// Whether it is looked ahead for how many B-frames pay, up to `bframes`, as the preset has it; else there are always as
    /// many.
    #[serde(default = "yes")]
    pub adaptive_bframes: bool,
    /// Whether pictures may be predicted with weights, as the preset has it.
    #[serde(default = "yes")]
    pub weighted: bool,
    /// Constant rate factor, 0 to 51; lower is better.
    pub crf: u32,
    /// The most frames between two IDR pictures.
    pub gop: u32,
    /// The most B-frames in a row.
    pub bframes: u32,
    /// Whether movements of a fraction of a pixel a frame are kept: x264 takes them for stillness by a quick look, and
    /// a slow zoom stands still and jumps by as much as a third of a pixel.
    #[serde(default)]
    pub slow_motion: bool,
}

impl VideoSettings {
    /// The settings as options of FFmpeg's libx264 wrapper.
    ///
    /// One thread, since x264 with several does not repeat itself; `cpu-independent`, so that the bytes do not depend on
    /// the CPU's vector units; closed GOPs, so that every chunk decodes by itself; CABAC and the 8x8 transform, without
    /// which x264 drops from the High profile to a lower one in its fastest presets.
    pub(super) fn options(&self) -> [(&'static str, String); 4] {
        let exact = if self.slow_motion { ":no-fast-pskip=1:no-dct-decimate=1" } else { "" };
        let ahead = self.lookahead.map_or(String::new(), |frames| format!(":mbtree=1:rc-lookahead={frames}"));
        let plain = if self.weighted { "" } else { ":weightp=0:weightb=0" };
        let flat = if self.pyramid { "" } else { ":b-pyramid=none" };
        let quantisers = self.aq_mode.map_or(String::new(), |mode| format!(":aq-mode={mode}"));
        let fixed = if self.adaptive_bframes { "" } else { ":b-adapt=0" };
        let params = format!(
            "threads=1:lookahead-threads=1:sync-lookahead=0:cpu-independent=1:force-cfr=1:open-gop=0:stitchable=1:\
             cabac=1:8x8dct=1:keyint={}:bframes={}{ahead}{plain}{flat}{quantisers}{fixed}{exact}",
            self.gop, self.bframes
        );
        [
            ("preset", self.x264_preset.clone()),
            ("crf", self.crf.to_string()),
            ("profile", "high".to_owned()),
            ("x264-params", params),
        ]
    }
}

const fn yes() -> bool {
    true
}
