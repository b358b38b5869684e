//! The sound that a request asks for: music and voice-over, and what is wrong with its options.

use super::ugc_remix::chosen_music;
use crate::error::{ErrorKind, Finding, Result};
use crate::plan::Duck;
use crate::request::{AudioOptions, LoudnessTarget, MusicOptions, Request, Switch, nearest};
use crate::timeline::{Asset, MusicTrack, VoiceOver};
use crate::units::{Decibels, TimeSpan};

/// What the platforms play at, in LUFS.
const LOUDNESS: f64 = -14.0;
/// Music goes down under voices by this, in decibels.
const DUCK: f64 = 12.0;

/// The loudness that a request asks for, in LUFS; `None` for the levels of the mix.
pub(crate) fn loudness(request: &Request) -> Option<f64> {
    match request.audio.as_ref().and_then(|audio| audio.loudness) {
        Some(LoudnessTarget::Off) => None,
        Some(LoudnessTarget::Lufs(lufs)) => Some(lufs),
        None => Some(LOUDNESS),
    }
}

/// Whether the request has music.
pub(crate) fn has_music(request: &Request) -> bool {
    !request.music.is_empty() && music_options(request).is_some()
}

/// The options of the music; `None` if it shall have none.
fn music_options(request: &Request) -> Option<MusicOptions> {
    match request.audio.as_ref().and_then(|audio| audio.music.clone()) {
        Some(Switch::Off) => None,
        Some(Switch::On(options)) => Some(options),
        None => Some(MusicOptions::default()),
    }
}

/// The music of a variant as its options have it, at `gain` where they say nothing.
pub(crate) fn music(request: &Request, variant: u8, gain: Decibels) -> Result<Option<MusicTrack>> {
    let Some(options) = music_options(request) else { return Ok(None) };
    let duck = match options.duck {
        Some(Switch::Off) => None,
        Some(Switch::On(duck)) => {
            let usual = Duck::by(duck.amount.unwrap_or(DUCK));
            Some(Duck {
                attack: duck.attack.unwrap_or(usual.attack),
                hold: duck.hold.unwrap_or(usual.hold),
                release: duck.release.unwrap_or(usual.release),
                ..usual
            })
        }
        None => Some(Duck::by(DUCK)),
    };
    Ok(chosen_music(request, variant)?.map(|asset| MusicTrack {
        asset,
        gain: options.gain.map_or(gain, Decibels),
        start: span(options.start, 0.0),
        looped: options.looped.unwrap_or(true),
        fade_in: span(options.fade_in, 0.0),
        fade_out: span(options.fade_out, 1.0),
        duck,
    }))
}

/// The level of the source's own sound; `None` if it is not heard.
pub(super) fn source_sound(request: &Request) -> Option<Decibels> {
    match request.audio.as_ref().and_then(|audio| audio.source.as_ref()) {
        Some(Switch::Off) => None,
        Some(Switch::On(options)) => Some(Decibels(options.gain.unwrap_or(0.0))),
        None => Some(Decibels(0.0)),
    }
}

/// The voice-over, if the request has one.
pub(crate) fn voice_over(request: &Request) -> Result<Option<VoiceOver>> {
    let Some(options) = request.audio.as_ref().and_then(|audio| audio.voice_over.as_ref()) else { return Ok(None) };
    let Some(index) = request.media.iter().position(|row| row.id == options.media_id) else { return Ok(None) };
    let row = &request.media[index];
    let pointer = format!("/media/{index}/src");
    let path = request.resolve(&row.src).map_err(|error| error.at_pointer(pointer.clone()))?;
    Ok(Some(VoiceOver {
        asset: Asset { id: row.id.clone(), path, pointer },
        start: span(options.start, 0.0),
        gain: Decibels(options.gain.unwrap_or(0.0)),
    }))
}

fn span(seconds: Option<f64>, default: f64) -> TimeSpan {
    TimeSpan::from_secs_f64(seconds.unwrap_or(default)).unwrap_or_default()
}

/// What is wrong with the sound's options.
pub(crate) fn check_sound(request: &Request) -> Vec<Finding> {
    let mut found = Vec::new();
    let Some(AudioOptions { loudness, music, voice_over, source }) = &request.audio else { return found };
    let mut check = |pointer: &str, value: Option<f64>, range: std::ops::RangeInclusive<f64>, unit: &str| {
        if let Some(value) = value.filter(|value| !range.contains(value)) {
            let message = format!("it is {value}; it must be {} to {} {unit}", range.start(), range.end());
            found.push(Finding::new(ErrorKind::Validation, format!("/audio/{pointer}"), message));
        }
    };
    if let Some(LoudnessTarget::Lufs(lufs)) = loudness {
        check("loudness", Some(*lufs), -30.0..=-9.0, "LUFS, or \"off\"");
    }
    if let Some(Switch::On(music)) = music {
        check("music/gain", music.gain, -60.0..=12.0, "dB");
        check("music/start", music.start, 0.0..=3_600.0, "seconds");
        check("music/fadeIn", music.fade_in, 0.0..=30.0, "seconds");
        check("music/fadeOut", music.fade_out, 0.0..=30.0, "seconds");
        if let Some(Switch::On(duck)) = &music.duck {
            check("music/duck/amount", duck.amount, 0.1..=60.0, "dB");
            check("music/duck/attack", duck.attack, 0.01..=5.0, "seconds");
            check("music/duck/hold", duck.hold, 0.01..=5.0, "seconds");
            check("music/duck/release", duck.release, 0.01..=10.0, "seconds");
        }
    }
    if let Some(Switch::On(source)) = source {
        check("source/gain", source.gain, -60.0..=12.0, "dB");
    }
    if let Some(voice) = voice_over {
        check("voiceOver/gain", voice.gain, -60.0..=12.0, "dB");
        check("voiceOver/start", voice.start, 0.0..=3_600.0, "seconds");
        let known: Vec<&str> = request.media.iter().map(|row| row.id.as_str()).collect();
        if !known.contains(&voice.media_id.as_str()) {
            let message = format!("`{}` is not in media", voice.media_id.chars().take(80).collect::<String>());
            found.push(
                Finding::new(ErrorKind::NotFound, "/audio/voiceOver/mediaId", message)
                    .suggest(nearest(&voice.media_id, &known)),
            );
        }
    }
    found
}
