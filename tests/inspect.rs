//! What an inspection measures and finds, against the truth of generated files and ffmpeg's own filters.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use remix_engine::inspect::{InspectOptions, Inspection, InspectionCode, Method, Severity, Span};
use remix_engine::output::Container;
use remix_engine::plan::Plan;
use remix_engine::request::{InspectionPolicy, Request};
use remix_engine::{Control, Error, ErrorKind, Stage};
use serde_json::{Value, json};
use support::{H264, Project, clip, engine, fixture, left_in, moving, silent};

const EXACT: InspectOptions = InspectOptions { method: Method::Exact, loudness: None };
const SAMPLED: InspectOptions = InspectOptions { method: Method::Sampled, loudness: None };

/// H.264 without any loss, so that what is generated is what is decoded; a key picture every two seconds.
const LOSSLESS: &str =
    "-c:v libx264 -preset ultrafast -qp 0 -pix_fmt yuv420p -g 60 -keyint_min 60 -sc_threshold 0 -c:a aac -b:a 128k";
/// What makes a file as platforms want it.
const TIDY: &str = "-movflags +faststart+negative_cts_offsets -use_editlist 0 -color_range tv -colorspace bt709 -color_primaries bt709 \
                    -color_trc bt709";
/// Stereo noise of a moderate level.
const NOISE: &str = "-f lavfi -i anoisesrc=c=pink:a=0.3:seed=3:r=48000:d=DURATION,aformat=channel_layouts=stereo";
const FRAME: f64 = 1.0 / 30.0;

fn inspected(file: &Path, options: InspectOptions) -> Inspection {
    engine(2).inspect(file, &options, &Control::new()).expect("can be inspected")
}

fn refused(file: &Path) -> Error {
    engine(2).inspect(file, &EXACT, &Control::new()).expect_err("is refused")
}

fn codes(inspection: &Inspection) -> Vec<(InspectionCode, Severity)> {
    inspection.findings.iter().map(|finding| (finding.code, finding.severity)).collect()
}

fn severity(inspection: &Inspection, code: InspectionCode) -> Option<Severity> {
    inspection.findings.iter().find(|finding| finding.code == code).map(|finding| finding.severity)
}

/// What ffmpeg prints when it runs filters over a file.
fn filtered(file: &Path, filters: &[&str]) -> String {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-hide_banner", "-i"])
        .arg(file)
        .args(filters)
        .args(["-f", "null", "-"])
        .output()
        .expect("ffmpeg runs");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// All values of `name:` or `name=` in a log.
fn values(log: &str, name: &str) -> Vec<f64> {
    let number = |text: &str| {
        let text = text.trim_start_matches([':', '=']).trim_start();
        text.split(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-'))).next()?.parse().ok()
    };
    log.match_indices(name).filter_map(|(at, _)| number(&log[at + name.len()..])).collect()
}

/// The spans that one of ffmpeg's filters finds.
fn judged(file: &Path, filters: &[&str], (start, end): (&str, &str)) -> Vec<(f64, f64)> {
    let log = filtered(file, filters);
    values(&log, start).into_iter().zip(values(&log, end)).collect()
}

#[track_caller]
fn assert_spans(found: &[Span], expected: &[(f64, f64)], tolerance: f64, what: &str) {
    let near = |span: &Span, (start, end): (f64, f64)| {
        (span.start - start).abs() <= tolerance && (span.end - end).abs() <= tolerance
    };
    let all = found.len() == expected.len() && found.iter().zip(expected).all(|(span, &wanted)| near(span, wanted));
    assert!(all, "{what}: {found:?} for {expected:?}");
}

/// Twelve seconds: black from 2.5 s to 5.5 s, a picture that stands still from 7 s to 11 s, silence from 4 s to 7 s.
fn eventful() -> PathBuf {
    let noise = NOISE.replace("DURATION", "12");
    let moving = "testsrc2=size=108x192:rate=30";
    // The last picture of the first part, of 210, stays for 121 more.
    let picture = format!(
        "{moving}:duration=7.0333,drawbox=color=black:t=fill:enable=between(t\\,2.49\\,5.49),\
         tpad=stop_mode=clone:stop=119[a];{moving}:duration=1,hue=h=90[b];[a][b]concat[out0]"
    );
    clip("mp4", &format!("-f lavfi -i {picture} {noise},volume=0:enable=between(t\\,4\\,7) {LOSSLESS} {TIDY} -t 12"))
}

#[test]
fn exact_spans_are_those_of_ffmpegs_filters_and_of_the_truth() {
    let file = eventful();
    let found = inspected(&file, EXACT);
    let audio = found.audio.clone().expect("has sound");
    assert_eq!((found.method, found.video.frames, found.video.looked_at), (Method::Exact, 360, 360));
    assert_spans(&found.video.black, &[(2.5, 5.5)], 0.001, "black");
    assert_spans(&found.video.frozen, &[(2.5, 5.5), (7.0, 11.0)], 0.001, "frozen");
    // The filter that makes it silent works in blocks, and AAC starts a packet late without an edit list.
    assert_spans(&audio.silent, &[(4.0, 7.0)], 0.06, "silent");

    let video =
        |filter: &str| ["-an", "-vf"].map(str::to_owned).into_iter().chain([filter.to_owned()]).collect::<Vec<_>>();
    let run =
        |arguments: Vec<String>, names| judged(&file, &arguments.iter().map(String::as_str).collect::<Vec<_>>(), names);
    let black = run(video("blackdetect"), ("black_start", "black_end"));
    assert_spans(&found.video.black, &black, FRAME, "ffmpeg's blackdetect");
    let frozen = run(video("freezedetect"), ("freeze_start", "freeze_end"));
    assert_spans(&found.video.frozen, &frozen, FRAME, "ffmpeg's freezedetect");
    let silent = judged(&file, &["-vn", "-af", "silencedetect"], ("silence_start", "silence_end"));
    assert_spans(&audio.silent, &silent, FRAME, "ffmpeg's silencedetect");

    let expected = [
        (InspectionCode::BlackSpan, Severity::Warning),
        (InspectionCode::SilentSpan, Severity::Info),
        (InspectionCode::FrozenSpan, Severity::Info),
    ];
    assert_eq!(codes(&found), expected, "{:#?}", found.findings);
    assert!(found.video.black.iter().chain(&found.video.frozen).all(|span| !span.at_least));
}

#[test]
fn sampled_spans_are_exact_for_black_and_cautious_for_standing_pictures() {
    let found = inspected(&eventful(), SAMPLED);
    assert_eq!(found.method, Method::Sampled);
    assert!((found.video.resolution - 2.0).abs() < 1e-6, "{}", found.video.resolution);
    assert_eq!(found.video.frames, 360);
    // Six key pictures, the last one, and the two chunks in which it becomes black and stops.
    assert!((7..=140).contains(&found.video.looked_at), "{}", found.video.looked_at);
    assert_spans(&found.video.black, &[(2.5, 5.5)], 0.001, "black");
    assert_spans(&found.video.frozen, &[(8.0, 10.0)], 0.001, "frozen");
    assert!(found.video.frozen.iter().all(|span| span.at_least), "{:?}", found.video.frozen);
    let exact = inspected(&eventful(), EXACT);
    assert_eq!(found.audio, exact.audio, "all sound is decoded");
}

#[test]
fn a_video_that_is_black_all_along_is_an_error() {
    let noise = NOISE.replace("DURATION", "4");
    let file =
        clip("mp4", &format!("-f lavfi -i color=black:size=108x192:rate=30:duration=4 {noise} {LOSSLESS} {TIDY}"));
    for options in [EXACT, SAMPLED] {
        let found = inspected(&file, options);
        assert_eq!(codes(&found), [(InspectionCode::BlackVideo, Severity::Error)], "{options:?}");
        let error = found.to_error().expect("has an error");
        assert_eq!(error.kind(), ErrorKind::SourceEmpty);
        assert!(error.message().contains("BLACK_VIDEO"), "{error}");
    }
    let nearly = "color=black:size=108x192:rate=30:duration=4,drawbox=w=108:h=10:color=white:t=fill";
    let found = inspected(&clip("mp4", &format!("-f lavfi -i {nearly} {noise} {LOSSLESS} {TIDY}")), EXACT);
    assert_eq!(severity(&found, InspectionCode::BlackVideo), None, "a twentieth of it is white");
}

#[test]
fn first_and_last_frames_are_looked_at() {
    let noise = NOISE.replace("DURATION", "5");
    let picture = "testsrc2=size=108x192:rate=30:duration=5,drawbox=color=black:t=fill:enable=";
    let file = |when: &str| clip("mp4", &format!("-f lavfi -i {picture}{when} {noise} {LOSSLESS} {TIDY}"));
    let (first, last) = (file("lt(t\\,0.49)"), file("gt(t\\,4.79)"));
    for options in [EXACT, SAMPLED] {
        let found = inspected(&first, options);
        assert_eq!(codes(&found), [(InspectionCode::BlackFirstFrame, Severity::Warning)], "{options:?}");
        let span = found.findings[0].span.expect("has a span");
        assert_spans(&[span], &[(0.0, 0.5)], 0.001, "the start");
        let found = inspected(&last, options);
        assert_eq!(codes(&found), [(InspectionCode::BlackLastFrame, Severity::Info)], "{options:?}");
        assert_spans(&[found.findings[0].span.expect("has a span")], &[(4.8, 5.0)], 0.001, "the end");
    }
}

#[test]
fn formats_that_are_not_eight_bits_are_looked_at_too() {
    for coder in [
        "-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -x265-params log-level=none",
        "-c:v prores_ks -pix_fmt yuv422p10le",
        "-c:v qtrle -pix_fmt rgb24",
        "-c:v libx264 -preset ultrafast -pix_fmt yuvj444p",
    ] {
        let picture =
            "testsrc2=size=108x192:rate=30:duration=6,drawbox=color=black:t=fill:enable=between(t\\,1.99\\,4.99)";
        let file = clip("mov", &format!("-f lavfi -i {picture} {coder}"));
        let found = inspected(&file, EXACT);
        assert_spans(&found.video.black, &[(2.0, 5.0)], 0.001, coder);
        assert_spans(&found.video.frozen, &[(2.0, 5.0)], 0.001, coder);
    }
}

#[test]
fn loudness_is_that_of_ebur128() {
    let noise = NOISE.replace("DURATION", "8");
    let loud = clip(
        "mp4",
        &format!(
            "-f lavfi -i testsrc2=size=108x192:rate=30:duration=8 {noise},volume=24dB,alimiter=level=0:limit=1 {LOSSLESS} {TIDY}"
        ),
    );
    let log = filtered(&loud, &["-vn", "-af", "ebur128=peak=true"]);
    let summary = log.split("Summary:").nth(1).expect("a summary");
    let (loudness, peak) = (values(summary, "I:")[0], values(summary, "Peak:")[0]);
    assert!(peak > -1.0, "the clip is meant to be too loud: {peak}");
    let found = inspected(&loud, InspectOptions { loudness: Some(-30.0), ..SAMPLED });
    let audio = found.audio.clone().expect("has sound");
    assert!((audio.loudness.expect("is heard") - loudness).abs() <= 0.1, "{audio:?} for {loudness}");
    assert!((audio.true_peak.expect("is heard") - peak).abs() <= 0.3, "{audio:?} for {peak}");
    let warned = Some(Severity::Warning);
    assert_eq!(severity(&found, InspectionCode::TruePeak), warned);
    assert_eq!(severity(&found, InspectionCode::Loudness), warned, "it is not at -30 LUFS");
    let near = InspectOptions { loudness: Some(loudness + 0.5), ..SAMPLED };
    assert_eq!(severity(&inspected(&loud, near), InspectionCode::Loudness), None);
    assert_eq!(severity(&inspected(&loud, SAMPLED), InspectionCode::Loudness), None, "nobody asked");
}

#[test]
fn sound_that_starts_or_ends_elsewhere_is_found() {
    let noise = |seconds: &str| NOISE.replace("DURATION", seconds);
    let picture = "-f lavfi -i testsrc2=size=108x192:rate=30:duration=4";
    let mkv = |options: &str| {
        clip(
            "mkv",
            &format!("{options} {H264} -g 60 -c:a flac -colorspace bt709 -color_primaries bt709 -color_trc bt709"),
        )
    };
    let late = inspected(&mkv(&format!("{picture} -itsoffset 0.2 {}", noise("3.8"))), EXACT);
    let offset = late.audio.clone().expect("has sound").offset_ms;
    assert!((offset - 200.0).abs() <= 1.5, "{offset}");
    assert_eq!(codes(&late), [(InspectionCode::SoundOffset, Severity::Warning)], "{:#?}", late.findings);

    let short = inspected(&mkv(&format!("{picture} {}", noise("3.5"))), EXACT);
    let end = short.audio.clone().expect("has sound").end_difference_ms;
    assert!((end + 500.0).abs() <= 2.0, "{end}");
    assert_eq!(codes(&short), [(InspectionCode::SoundEnd, Severity::Warning)]);
    let good = inspected(&mkv(&format!("{picture} {}", noise("4"))), EXACT);
    assert_eq!(codes(&good), []);

    // The same in MP4, where an edit list has it.
    let file = clip("mp4", &format!("{picture} -itsoffset 0.2 {} {H264} -c:a aac", noise("3.8")));
    let found = inspected(&file, EXACT);
    let offset = found.audio.clone().expect("has sound").offset_ms;
    assert!((offset - 200.0).abs() <= 25.0, "{offset}");
    assert_eq!(severity(&found, InspectionCode::SoundOffset), Some(Severity::Warning));
}

#[test]
fn what_the_container_lacks_is_found() {
    let noise = NOISE.replace("DURATION", "3");
    let both = format!(
        "-f lavfi -i testsrc2=size=108x192:rate=30:duration=3 {noise} -c:v libx264 -preset veryfast -pix_fmt yuv420p -c:a aac"
    );
    let plain = inspected(&clip("mp4", &both), SAMPLED);
    assert_eq!((plain.file.faststart, plain.file.edit_list), (Some(false), Some(true)));
    assert!(!plain.video.color.is_complete());
    let found = codes(&plain);
    for wanted in [
        (InspectionCode::ColorTags, Severity::Warning),
        (InspectionCode::NotFaststart, Severity::Warning),
        (InspectionCode::EditList, Severity::Info),
    ] {
        assert!(found.contains(&wanted), "{wanted:?} in {found:?}");
    }
    let tidy = inspected(&clip("mp4", &format!("{both} {TIDY}")), SAMPLED);
    assert_eq!((tidy.file.faststart, tidy.file.edit_list), (Some(true), Some(false)));
    let color = tidy.video.color;
    assert_eq!((color.primaries, color.transfer, color.matrix, color.full_range), (1, 1, 1, Some(false)));
    assert_eq!(codes(&tidy), [], "{:#?}", tidy.findings);
    let video = &tidy.video;
    assert_eq!(
        (video.codec.as_str(), video.profile.as_deref(), video.pixel_format.as_deref()),
        ("h264", Some("High"), Some("yuv420p"))
    );
    assert_eq!((video.width, video.height, video.frames), (108, 192, 90));
    assert!(video.level.is_some() && video.monotonic && video.constant_rate && video.key_frames >= 1);
    assert!((video.frame_rate - 30.0).abs() < 0.01 && (video.duration - 3.0).abs() < 0.001 && video.start == 0.0);
    let audio = tidy.audio.expect("has sound");
    assert_eq!(
        (audio.codec.as_str(), audio.profile.as_deref(), audio.sample_rate, audio.channels),
        ("aac", Some("LC"), 48_000, 2)
    );
}

#[test]
fn no_sound_and_nothing_to_hear_are_not_the_same() {
    let found = inspected(&silent(1.0), EXACT);
    assert_eq!(severity(&found, InspectionCode::NoSound), Some(Severity::Warning));
    assert_eq!(found.audio, None);
    let mute = clip(
        "mp4",
        &format!(
            "-f lavfi -i testsrc2=size=108x192:rate=30:duration=3 -f lavfi -i anullsrc=r=48000:cl=stereo:d=3 {LOSSLESS} {TIDY}"
        ),
    );
    let found = inspected(&mute, EXACT);
    assert_eq!(codes(&found), [(InspectionCode::SilentSound, Severity::Warning)]);
    let audio = found.audio.expect("has sound");
    assert_eq!((audio.loudness, audio.true_peak), (None, None));
}

#[test]
fn repeated_times_and_variable_rates_are_found() {
    let source = clip(
        "mp4",
        "-f lavfi -i testsrc2=size=108x192:rate=30:duration=2 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 0",
    );
    let repeated =
        clip("mp4", &format!("-i {} -c copy -bsf:v setts=pts=if(eq(N\\,30)\\,PTS+DURATION\\,PTS)", source.display()));
    let found = inspected(&repeated, EXACT);
    assert!(!found.video.monotonic, "{:?}", found.video);
    assert_eq!(found.video.frames, 59);
    assert_eq!(severity(&found, InspectionCode::Timestamps), Some(Severity::Error));
    let whole = inspected(&source, EXACT);
    assert!(whole.video.monotonic && whole.video.constant_rate);
    assert_eq!(severity(&whole, InspectionCode::Timestamps), None);
    let uneven = clip(
        "mkv",
        "-f lavfi -i testsrc2=size=108x192:rate=30:duration=2,select=not(between(mod(n\\,10)\\,3\\,6)) -vsync vfr -c:v libx264 -preset ultrafast -pix_fmt yuv420p",
    );
    let found = inspected(&uneven, EXACT);
    assert!(!found.video.constant_rate && found.video.monotonic);
    assert_eq!(severity(&found, InspectionCode::VariableRate), Some(Severity::Info));
}

#[test]
fn pictures_that_vp8_never_shows_are_no_fault() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, log) = (folder.path().join("hidden.webm"), folder.path().join("pass"));
    let coder = format!(
        "-f lavfi -i testsrc2=size=160x120:rate=30:duration=4,noise=alls=20 -c:v libvpx -b:v 400k -auto-alt-ref 1 \
         -lag-in-frames 16 -arnr-maxframes 7 -passlogfile {}",
        log.display()
    );
    support::ffmpeg(&file, &format!("{coder} -pass 1 -f null -"));
    support::ffmpeg(&file, &format!("{coder} -pass 2 FILE"));
    let packets = support::ffprobe(&file, "-count_packets -show_entries stream=nb_read_packets");
    let packets = packets["streams"][0]["nb_read_packets"].as_str().and_then(|count| count.parse::<u64>().ok());
    assert!(packets > Some(120), "some are meant to be hidden: {packets:?}");
    let found = inspected(&file, EXACT);
    assert_eq!((found.video.frames, found.video.looked_at, found.video.monotonic), (120, 120, true));
    assert_eq!(found.to_error().map(|error| error.code()), None, "{:#?}", found.findings);
}

#[test]
fn damage_is_a_finding_and_what_is_no_video_an_error() {
    let noise = NOISE.replace("DURATION", "4");
    let whole = clip(
        "mp4",
        &format!(
            "-f lavfi -i testsrc2=size=108x192:rate=30:duration=4 {noise} {H264} -g 30 -c:a aac -movflags +faststart"
        ),
    );
    let bytes = fs::read(&whole).expect("is there");
    let folder = tempfile::tempdir().expect("a folder");
    let cut = folder.path().join("cut.mp4");
    fs::write(&cut, &bytes[..bytes.len() * 6 / 10]).expect("can be written");
    for options in [EXACT, SAMPLED] {
        let found = inspected(&cut, options);
        assert_eq!(severity(&found, InspectionCode::CutShort), Some(Severity::Error), "{:#?}", found.findings);
        assert!(found.video.duration < 3.5, "{:?}", found.video);
        assert_eq!(found.to_error().map(|error| error.kind()), Some(ErrorKind::SourceUnreadable));
    }
    assert_eq!(inspected(&whole, EXACT).to_error().map(|error| error.code()), None);

    // Bytes in the middle of the media that are not what was coded.
    let mut wrong = bytes.clone();
    let middle = bytes.len() / 2;
    wrong[middle..middle + 4_000].iter_mut().for_each(|byte| *byte ^= 0xa5);
    let damaged = folder.path().join("damaged.mp4");
    fs::write(&damaged, wrong).expect("can be written");
    let found = inspected(&damaged, EXACT);
    let faults = [InspectionCode::DamagedPictures, InspectionCode::DamagedSound, InspectionCode::CutShort];
    assert!(faults.iter().any(|&code| severity(&found, code) == Some(Severity::Error)), "{:#?}", found.findings);

    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).expect("can be written");
        path
    };
    assert_eq!(refused(&file("a.mp4", b"this is a text")).kind(), ErrorKind::SourceUnsupported);
    assert_eq!(refused(&file("empty.mp4", b"")).kind(), ErrorKind::SourceEmpty);
    assert_eq!(refused(&folder.path().join("missing.mp4")).kind(), ErrorKind::SourceUnreadable);
    assert_eq!(refused(folder.path()).kind(), ErrorKind::SourceUnreadable);
    assert_eq!(refused(&support::track(1.0)).kind(), ErrorKind::SourceEmpty, "a sound");
    assert_eq!(refused(Path::new("tests/bad/promised-samples.mp4")).kind(), ErrorKind::SourceUnreadable);
    let still = clip("png", "-f lavfi -i testsrc2=size=108x192:rate=30 -frames:v 1");
    assert_eq!(refused(&still).kind(), ErrorKind::SourceUnsupported, "a picture");
}

#[test]
fn a_file_that_is_cut_anywhere_is_inspected_or_refused() {
    let noise = NOISE.replace("DURATION", "1");
    for (extension, options) in [
        ("mp4", "-c:a aac -movflags +faststart"),
        ("mkv", "-c:a flac"),
        ("webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus"),
    ] {
        let whole = clip(
            extension,
            &format!("-f lavfi -i testsrc2=size=108x192:rate=30:duration=1 {noise} -pix_fmt yuv420p -g 10 {options}"),
        );
        let bytes = fs::read(&whole).expect("is there");
        let folder = tempfile::tempdir().expect("a folder");
        let cut = folder.path().join(format!("cut.{extension}"));
        let engine = engine(2);
        let mut inspected = 0;
        for part in 0..20 {
            fs::write(&cut, &bytes[..bytes.len() * part / 20]).expect("can be written");
            for options in [EXACT, SAMPLED] {
                match engine.inspect(&cut, &options, &Control::new()) {
                    Ok(_) => inspected += 1,
                    Err(error) => assert!(error.code().starts_with("SOURCE_"), "{extension} {part}: {error:?}"),
                }
            }
        }
        assert!(inspected > 10, "{extension}: {inspected} of 40 have something to look at");
    }
}

#[test]
fn bytes_that_are_wrong_anywhere_end_in_findings_or_typed_errors() {
    let noise = NOISE.replace("DURATION", "0.5");
    let tidy = format!("-f lavfi -i testsrc2=size=72x128:rate=30:duration=0.5 {noise} {H264} -g 5 -c:a aac {TIDY}");
    let bytes = fs::read(clip("mp4", &tidy)).expect("is there");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("wrong.mp4");
    let engine = engine(2);
    let (mut state, mut found) = (7u64, 0);
    let mut random = |below: usize| {
        // Knuth's linear congruential generator: the same bytes in every run.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    // The index is in the first bytes, and wrong ones there do most.
    for reach in [2_000, bytes.len()].repeat(20) {
        let mut wrong = bytes.clone();
        for _ in 0..6 {
            wrong[random(reach)] = random(256) as u8;
        }
        fs::write(&file, &wrong).expect("can be written");
        for options in [EXACT, SAMPLED] {
            match engine.inspect(&file, &options, &Control::new()) {
                Ok(inspection) => found += usize::from(inspection.worst() == Some(Severity::Error)),
                Err(error) => {
                    let is_typed = error.code().starts_with("SOURCE_") || error.kind() == ErrorKind::LimitExceeded;
                    assert!(is_typed, "{error:?}");
                }
            }
        }
    }
    assert!(found > 5, "damage is found in {found} of 80");
}

#[test]
fn a_cancelled_inspection_ends_at_once() {
    let control = Control::new();
    control.cancel().cancel();
    let error = engine(1).inspect(&eventful(), &EXACT, &control).expect_err("is cancelled");
    assert_eq!(error.kind(), ErrorKind::Canceled);
}

fn container(project: &Project) -> Container {
    engine(2).render(&project.request(), &project.out()).expect("can be rendered").remove(0)
}

fn inspection(container: &Container) -> &Inspection {
    container.report.inspection.as_ref().expect("was inspected")
}

/// What somebody should look at.
fn alarms(inspection: &Inspection) -> Vec<String> {
    let bad = inspection.findings.iter().filter(|finding| finding.severity > Severity::Info);
    bad.map(ToString::to_string).collect()
}

#[test]
fn the_fixture_is_without_fault() {
    let out = tempfile::tempdir().expect("a folder");
    let mut request = Request::from_path(&fixture()).expect("can be read");
    request.output.preset = Some("draft".to_owned());
    let container = engine(2).render(&request, out.path()).expect("can be rendered").remove(0);
    let found = inspection(&container);
    assert_eq!(alarms(found), Vec::<String>::new());
    assert_eq!(
        (found.method, found.video.frames, found.video.looked_at <= 10),
        (Method::Sampled, 480, true),
        "{found:#?}"
    );
    assert!(found.video.resolution <= 2.0 + 1e-6 && found.video.black.is_empty());
    assert_eq!((found.file.faststart, found.file.edit_list), (Some(true), Some(false)));
    let video = out.path().join("cnt_demo/video.mp4");
    let log = filtered(&video, &["-vn", "-af", "ebur128=peak=true"]);
    let summary = log.split("Summary:").nth(1).expect("a summary");
    let audio = found.audio.clone().expect("has sound");
    let loudness = audio.loudness.expect("is heard");
    assert!((loudness - values(summary, "I:")[0]).abs() <= 0.1, "{loudness}");
    assert!((loudness + 14.0).abs() <= 1.0 && audio.true_peak.expect("is heard") <= -1.0);
    assert!(audio.offset_ms.abs() <= 1.0 && audio.end_difference_ms.abs() <= 34.0, "{audio:?}");
    // Whoever looks at every picture agrees.
    let exact = inspected(&video, EXACT);
    assert_eq!(alarms(&exact), Vec::<String>::new());
    assert_eq!((exact.video.frames, exact.video.looked_at), (480, 480));
    assert_eq!((&exact.audio, &exact.file), (&found.audio, &found.file));
    let json = fs::read(out.path().join("cnt_demo/container.json")).expect("is there");
    let mut json: Value = serde_json::from_slice(&json).expect("is JSON");
    assert_eq!(json["report"]["inspection"]["method"], "sampled");
    assert_eq!(json["report"]["inspection"]["video"]["frames"], 480);
    // What earlier versions have written can still be read.
    json["report"].as_object_mut().expect("an object").remove("inspection");
    let old: Container = serde_json::from_value(json).expect("can be read");
    assert_eq!(old.report.inspection, None);
}

fn black(seconds: f64) -> PathBuf {
    clip(
        "mp4",
        &format!(
            "-f lavfi -i color=black:size=270x480:rate=30:duration={seconds} -f lavfi -i sine=frequency=440:sample_rate=44100:duration={seconds} {H264} -c:a aac"
        ),
    )
}

#[test]
fn a_black_clip_is_told_or_ends_the_job_as_the_policy_says() {
    // The hook stands on it.
    let project = || Project::of(&black(3.0), &moving(3.0, 1));
    let made = container(&project());
    let found = inspection(&made);
    let told: Vec<_> = found.findings.iter().filter(|finding| finding.severity > Severity::Info).collect();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!((told[0].code, told[0].severity), (InspectionCode::BlackSpan, Severity::Warning));
    assert!(told[0].message.contains("shot reaction (rt_one)"), "{}", told[0].message);
    assert_spans(&[told[0].span.expect("has a span")], &[(0.0, 3.0)], 0.001, "the reaction");

    let failing = project().with("/output/inspection", json!("fail"));
    let error = engine(2).render(&failing.request(), &failing.out()).expect_err("is ended");
    assert_eq!((error.kind(), error.stage()), (ErrorKind::SourceEmpty, Some(Stage::Finalizing)));
    assert!(error.message().contains("BLACK_SPAN") && error.message().contains("rt_one"), "{error}");
    assert!(!error.is_retryable());
    assert_eq!(left_in(&failing.out()), Vec::<PathBuf>::new(), "nothing is left behind");

    let off = project().with("/output/inspection", json!("off"));
    assert_eq!(container(&off).report.inspection, None);
    let json = fs::read(off.out().join("cnt_test/container.json")).expect("is there");
    let json: Value = serde_json::from_slice(&json).expect("is JSON");
    assert_eq!(json["report"].get("inspection"), None);

    let good = Project::of(&moving(3.0, 0), &moving(3.0, 1)).with("/output/inspection", json!("fail"));
    assert_eq!(alarms(inspection(&container(&good))), Vec::<String>::new(), "what is good passes");
}

#[test]
fn the_policy_changes_no_chunk_and_unknown_ones_are_refused() {
    let plan = |project: Project| -> Plan {
        engine(1).plan(&project.request(), &Control::new()).expect("can be planned").remove(0)
    };
    let keys = |plan: &Plan| plan.keys().cloned().collect::<Vec<_>>();
    let plain = plan(Project::small());
    assert_eq!(plain.job().inspection, InspectionPolicy::Report, "the default");
    for policy in ["off", "report", "fail"] {
        let with = plan(Project::small().with("/output/inspection", json!(policy)));
        assert_eq!(keys(&with), keys(&plain), "{policy}");
        assert_eq!(Some(with.job().inspection), InspectionPolicy::from_name(policy));
        let read: Plan = serde_json::from_value(serde_json::to_value(&with).expect("is JSON")).expect("can be read");
        assert_eq!(read, with);
    }
    let mut old = serde_json::to_value(&plain).expect("is JSON");
    old["job"].as_object_mut().expect("an object").remove("inspection").expect("is there");
    assert_eq!(serde_json::from_value::<Plan>(old).expect("can be read"), plain, "plans of earlier versions");
    let request = Project::small().with("/output/inspection", json!("fial")).request();
    let error = engine(1).plan(&request, &Control::new()).expect_err("is refused");
    assert_eq!((error.kind(), error.pointer()), (ErrorKind::Validation, Some("/output/inspection")));
    assert!(error.suggestion().is_some_and(|text| text.starts_with("did you mean `fail`?")), "{error:?}");
}

#[test]
fn what_the_plan_means_is_no_news() {
    // A photo in the reaction's place, a screen that stands still, no sound at all, no music.
    let photo = clip("png", "-f lavfi -i testsrc2=size=270x480:rate=30 -frames:v 1");
    let screen = clip("mp4", &format!("-loop 1 -i {} -t 7 -r 30 {H264}", photo.display()));
    let project = Project::of(&photo, &screen).with("/music", json!([]));
    let made = container(&project);
    let found = inspection(&made);
    assert_eq!(alarms(found), Vec::<String>::new());
    assert_eq!(severity(found, InspectionCode::SilentSound), None, "no sound lies anywhere");
    let frozen: Vec<_> = found.findings.iter().filter(|finding| finding.code == InspectionCode::FrozenSpan).collect();
    assert_eq!(frozen.len(), 1, "{:#?}", found.findings);
    assert!(frozen[0].message.contains("shot app-demo (med_demo)"), "{}", frozen[0].message);
    let span = frozen[0].span.expect("has a span");
    assert!(span.start >= 4.0 - 1e-6 && span.end <= 11.0 && span.at_least, "the photo is not told: {span:?}");

    // Slides that stand still, and one that is black because somebody chose that.
    let slides = Project::blank(json!({
        "id": "cnt_test", "format": "slideshow-builder", "influencerId": "inf_ada",
        "app": { "name": "Mindful", "description": "A habit tracker.", "colors": ["#000000"] },
        "slides": [{ "text": "one" }, { "text": "two" }, { "text": "three" }],
        "slideVideo": { "slideDuration": 4, "motion": "none", "transition": { "name": "cut" } },
        "output": { "preset": "draft" },
    }));
    let made = container(&slides);
    assert_eq!(codes(inspection(&made)), [], "{:#?}", inspection(&made).findings);
    assert_eq!(inspection(&made).video.frames, 360);

    // A timeline: a part of a clip that is held, one that runs slowly, an end card on the default black.
    let moving = support::moving(2.0, 0);
    let timeline = Project::blank(json!({
        "id": "cnt_test", "influencerId": "inf_ada", "media": [{ "id": "clip", "src": "clip.mp4" }],
        "timeline": { "shots": [
            { "layers": [{ "media": "clip", "trim": { "end": 1 } }], "duration": 6 },
            { "layers": [{ "media": "clip", "trim": { "start": 1 }, "speed": 0.25 }], "duration": 4 },
            { "duration": 4, "texts": [{ "text": "Try it" }] },
        ] },
        "output": { "preset": "draft", "inspection": "fail" },
    }));
    timeline.put("clip.mp4", &moving);
    let made = container(&timeline);
    assert_eq!(alarms(inspection(&made)), Vec::<String>::new());
    let found = &inspection(&made).findings;
    assert!(found.iter().all(|found| found.code != InspectionCode::FrozenSpan), "{found:#?}");
}

#[test]
fn music_that_nobody_hears_is_told() {
    let mute = clip("wav", "-f lavfi -i anullsrc=r=44100:cl=stereo:d=4");
    let project = Project::of(&silent(1.5), &silent(1.5));
    project.put("music.wav", &mute);
    let made = container(&project);
    assert_eq!(severity(inspection(&made), InspectionCode::SilentSound), Some(Severity::Warning));
    let project = Project::of(&silent(1.5), &silent(1.5)).with("/output/inspection", json!("fail"));
    project.put("music.wav", &mute);
    let error = engine(2).render(&project.request(), &project.out()).expect_err("is ended");
    assert_eq!((error.kind(), error.message().contains("SILENT_SOUND")), (ErrorKind::SourceEmpty, true));
}
