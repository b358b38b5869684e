//! Bad input, item by item: each is a clear error with its code and place, and nothing is left behind.

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use remix_engine::output::Container;
use remix_engine::request::Request;
use remix_engine::{Control, Error, Result, Stage};
use serde_json::{Value, json};
use support::{H264, Project, clip, engine, ffmpeg, left_in, moving, run, silent, sound, track};

fn render(project: &Project) -> Result<Vec<Container>> {
    engine(2).render(&project.read()?, &project.out())
}

/// The error of a project, after which the output folder must be as it was: empty.
fn refused(project: &Project) -> Error {
    let error = render(project).expect_err("is refused");
    let left = left_in(&project.out());
    assert!(left.is_empty(), "{error:?}\nleft {left:?}");
    assert!(!error.message().is_empty() && error.suggestion().is_some_and(|text| !text.is_empty()), "{error:?}");
    assert!(!error.is_retryable(), "the same request will fail again: {error:?}");
    error
}

/// The error of a project whose app demo is the file that `make` puts at the given path.
fn refused_demo(make: impl FnOnce(&Path)) -> Error {
    let project = Project::small();
    let demo = project.folder().join("demo.mp4");
    fs::remove_file(&demo).expect("can be removed");
    make(&demo);
    let error = refused(&project);
    assert_eq!(error.pointer(), Some("/media/0/src"), "{error:?}");
    assert_eq!(error.stage(), Some(Stage::Planning));
    let asset = error.asset().unwrap_or_default();
    assert!(asset.contains("med_demo") && asset.contains("demo.mp4"), "{error:?}");
    error
}

fn codes(error: &Error) -> Vec<(&'static str, &str)> {
    error.findings().iter().map(|finding| (finding.code.code(), finding.pointer.as_str())).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).expect("can be copied");
}

// Files.

#[test]
fn a_missing_file() {
    let error = refused_demo(|_| ());
    assert_eq!(error.code(), "SOURCE_UNREADABLE");
    assert!(error.message().contains("does not exist"), "{error:?}");
}

#[test]
fn a_link_to_nothing() {
    assert_eq!(refused_demo(|path| symlink("nowhere.mp4", path).expect("a link")).code(), "SOURCE_UNREADABLE");
}

#[test]
fn an_empty_file() {
    assert_eq!(refused_demo(|path| fs::write(path, "").expect("a file")).code(), "SOURCE_EMPTY");
}

#[test]
fn a_text_that_is_named_mp4() {
    let error = refused_demo(|path| fs::write(path, "Dear reader,\nthis is no video.\n".repeat(50)).expect("a file"));
    assert_eq!(error.code(), "SOURCE_UNSUPPORTED");
}

#[test]
fn random_bytes() {
    let mut state = 1u32;
    let bytes: Vec<u8> = (0..100_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    let error = refused_demo(|path| fs::write(path, &bytes).expect("a file"));
    assert!(error.code().starts_with("SOURCE_"), "{error:?}");
    // The same behind the first bytes of an MP4.
    let head = [&b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2"[..], &bytes].concat();
    let error = refused_demo(|path| fs::write(path, &head).expect("a file"));
    assert!(error.code().starts_with("SOURCE_"), "{error:?}");
}

#[test]
fn a_folder() {
    let error = refused_demo(|path| fs::create_dir(path).expect("a folder"));
    assert_eq!(error.code(), "SOURCE_UNREADABLE");
    assert!(error.message().contains("is a folder"), "{error:?}");
}

#[test]
fn a_pipe_that_nobody_writes_to() {
    let (done, waiting) = mpsc::channel();
    std::thread::spawn(move || {
        let error = refused_demo(|path| drop(run("mkfifo", [path])));
        done.send(error.code()).expect("the test waits");
    });
    assert_eq!(waiting.recv_timeout(Duration::from_secs(20)).expect("it does not hang"), "SOURCE_UNSUPPORTED");
}

#[test]
fn an_app_demo_without_a_picture() {
    let spoken = clip("m4a", "-f lavfi -i sine=frequency=300:duration=0.5 -c:a aac");
    let error = refused_demo(|path| copy(&spoken, path));
    assert_eq!(error.code(), "SOURCE_EMPTY");
    assert!(error.message().contains("no video stream"), "{error:?}");
}

#[test]
fn a_song_with_a_cover_is_not_a_video() {
    let cover = clip("png", "-f lavfi -i testsrc=size=320x320:duration=0.04 -frames:v 1");
    let options = format!(
        "-f lavfi -i sine=duration=0.5 -i {} -map 0 -map 1 -c:a aac -c:v copy -disposition:v attached_pic",
        cover.display()
    );
    let error = refused_demo(|path| copy(&clip("m4a", &options), path));
    assert_eq!(error.code(), "SOURCE_EMPTY");
}

#[test]
fn clips_without_sound_are_fine_and_give_silence() {
    let project = Project::of(&silent(0.5), &silent(1.0)).with("/music", json!([]));
    let container = render(&project).expect("can be rendered").remove(0);
    let heard = sound(&project.out().join("cnt_test/video.mp4"));
    assert!(heard.len().abs_diff(72_000) <= 1600, "{} sample frames for 1.5 s", heard.len());
    assert!(heard.iter().flatten().all(|value| value.abs() < 1e-4), "silence");
    assert_eq!(container.assets[0].frames, Some(45));
}

#[test]
fn music_without_an_audio_stream() {
    let project = Project::small();
    project.put("music.wav", &silent(0.5));
    let error = refused(&project);
    assert_eq!((error.code(), error.pointer()), ("SOURCE_EMPTY", Some("/music/0/src")));
    assert!(error.asset().is_some_and(|asset| asset.starts_with("trk_one")), "{error:?}");
}

#[test]
fn a_codec_that_is_not_on_the_list() {
    let flash = clip("mkv", "-f lavfi -i testsrc2=size=270x480:rate=30:duration=0.5 -c:v flv1");
    let error = refused_demo(|path| copy(&flash, path));
    assert_eq!(error.code(), "SOURCE_UNSUPPORTED");
}

#[test]
fn a_picture_over_the_limit() {
    let wide = clip("mp4", &format!("-f lavfi -i color=size=8192x2304:rate=30:duration=0.1 {H264}"));
    let error = refused_demo(|path| copy(&wide, path));
    assert_eq!(error.code(), "LIMIT_EXCEEDED");
    assert!(error.message().contains("8192x2304"), "{error:?}");
}

#[test]
fn playlists_that_lead_to_other_files() {
    let segment = clip("ts", "-f lavfi -i testsrc2=size=270x480:rate=30:duration=0.5 -c:v libx264");
    for (name, content) in [
        (
            "HLS",
            "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.5,\nsegment.ts\n#EXT-X-ENDLIST\n".to_owned(),
        ),
        (
            "HLS with an absolute path",
            format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.5,\nfile://{}\n#EXT-X-ENDLIST\n", segment.display()),
        ),
        ("ffconcat", "ffconcat version 1.0\nfile reaction.mp4\nfile reaction.mp4\n".to_owned()),
        (
            "DASH",
            "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" \
            mediaPresentationDuration=\"PT0.5S\" profiles=\"urn:mpeg:dash:profile:isoff-on-demand:2011\"><Period>\
            <AdaptationSet mimeType=\"video/mp4\"><Representation id=\"1\" bandwidth=\"1000\" codecs=\"avc1.42c00d\">\
            <BaseURL>reaction.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>\n"
                .to_owned(),
        ),
        ("SDP", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n".to_owned()),
    ] {
        let error = refused_demo(|path| {
            fs::write(path, &content).expect("a file");
            fs::copy(&segment, path.with_file_name("segment.ts")).expect("can be copied");
        });
        assert_eq!(error.code(), "SOURCE_UNSUPPORTED", "{name}: {error:?}");
    }
}

/// The first `percent` of a two-second clip made with these muxer options.
fn cut_short(muxer: &str, percent: usize) -> Vec<u8> {
    let options = format!("-f lavfi -i testsrc2=size=270x480:rate=30:duration=2 {H264} -g 15 {muxer}");
    let bytes = fs::read(clip("mp4", &options)).expect("is there");
    bytes[..bytes.len() * percent / 100].to_vec()
}

#[test]
fn an_upload_that_was_cut_short_is_used_as_far_as_it_goes_and_said_so() {
    let project = Project::small();
    project.write("demo.mp4", &cut_short("-movflags +faststart", 60));
    let container = render(&project).expect("what is there can be rendered").remove(0);
    let frames = container.assets[0].frames.expect("a video");
    assert!((15 + 20..15 + 55).contains(&frames), "60 % of the clip's 60 frames: {frames}");
    ffmpeg(&project.out().join("cnt_test/video.mp4"), "-i FILE -f null -");
    let sources = &container.report.sources;
    let demo = sources.iter().find(|source| source.id == "med_demo").expect("a source");
    assert!(demo.corrections.iter().any(|text| text.contains("cut short")), "{:?}", demo.corrections);
}

#[test]
fn an_upload_that_lost_its_index_is_refused() {
    let error = refused_demo(|path| fs::write(path, cut_short("", 60)).expect("a file"));
    assert!(["SOURCE_UNREADABLE", "SOURCE_UNSUPPORTED", "SOURCE_EMPTY"].contains(&error.code()), "{error:?}");
}

#[test]
fn an_upload_whose_pictures_are_all_noise_is_refused() {
    let mut bytes = cut_short("-movflags +faststart", 100);
    let data = bytes.windows(4).position(|window| window == b"mdat").expect("an mdat") + 4;
    bytes[data..].fill(0xa5);
    let error = refused_demo(|path| fs::write(path, &bytes).expect("a file"));
    assert!(["SOURCE_UNREADABLE", "SOURCE_EMPTY"].contains(&error.code()), "never a black video: {error:?}");
}

#[test]
fn all_bad_sources_are_named_at_once() {
    let project = Project::small();
    project.write("reaction.mp4", b"");
    fs::remove_file(project.folder().join("demo.mp4")).expect("can be removed");
    project.put("music.wav", &silent(0.5));
    let error = refused(&project);
    assert_eq!(
        codes(&error),
        [
            ("SOURCE_EMPTY", "/reactionTemplates/0/src"),
            ("SOURCE_UNREADABLE", "/media/0/src"),
            ("SOURCE_EMPTY", "/music/0/src"),
        ]
    );
    assert_eq!(error.code(), "SOURCE_EMPTY");
}

// Requests.

/// The error of a small project with one value changed.
fn refused_with(pointer: &str, value: Value) -> Error {
    refused(&Project::small().with(pointer, value))
}

#[test]
fn an_unknown_field_names_the_nearest_known_one() {
    for (pointer, near) in [("/variantcount", "variantCount"), ("/hok", "hook"), ("/media/0/mediaRoll", "mediaRole")] {
        let error = refused_with(pointer, json!("x"));
        assert_eq!((error.code(), error.pointer()), ("VALIDATION", Some(pointer)));
        let suggestion = error.suggestion().expect("a suggestion");
        assert!(suggestion.contains(&format!("did you mean `{near}`")), "{suggestion}");
    }
}

#[test]
fn formats_that_this_engine_does_not_make() {
    for name in ["image", "carousel", "short_form_video", "short-form-video", "UGC", ""] {
        let error = refused_with("/format", json!(name));
        assert_eq!((error.code(), error.pointer()), ("UNSUPPORTED_FORMAT", Some("/format")), "{name}");
        assert!(error.suggestion().is_some_and(|text| text.contains("ugc-remix")), "{error:?}");
    }
}

#[test]
fn no_influencer() {
    let error = refused_with("/influencerId", Value::Null);
    assert_eq!((error.code(), error.pointer()), ("INFLUENCER_REQUIRED", Some("/influencerId")));
    let account = Project::small().with("/influencerId", Value::Null).with("/socialAccountId", json!("soc_1"));
    engine(1).plan(&account.request(), &Control::new()).expect("an account is enough");
}

#[test]
fn no_app_demo() {
    for media in [json!([]), json!([{ "id": "med_logo", "mediaRole": "logo", "src": "demo.mp4" }])] {
        let error = refused_with("/media", media);
        assert_eq!((error.code(), error.pointer()), ("MISSING_APP_DEMO", Some("/media")));
    }
    let error = refused(&Project::small().with("/media", json!([])).with("/format", json!("auto")));
    assert!(codes(&error).contains(&("MISSING_APP_DEMO", "/media")), "no format fits: {error:?}");
}

#[test]
fn no_reaction() {
    let error = refused_with("/reactionTemplates", json!([]));
    assert_eq!((error.code(), error.pointer()), ("VALIDATION", Some("/reactionTemplates")));
}

#[test]
fn ids_that_name_nothing() {
    for field in ["mediaId", "reactionTemplateId", "musicTrackId"] {
        let pointer = format!("/{field}");
        let error = refused_with(&pointer, json!("med_dem"));
        assert_eq!((error.code(), error.pointer()), ("NOT_FOUND", Some(pointer.as_str())));
        if field == "mediaId" {
            assert!(error.suggestion().is_some_and(|text| text.contains("did you mean `med_demo`")), "{error:?}");
        }
    }
}

#[test]
fn variant_counts_outside_one_to_five() {
    for count in [json!(0), json!(6), json!(u64::MAX), json!(-1), json!(1.5), json!("2")] {
        let error = refused_with_any_suggestion("/variantCount", count.clone());
        assert_eq!((error.code(), error.pointer()), ("VALIDATION", Some("/variantCount")), "{count}");
    }
}

/// As [`refused_with`], for findings whose message says all there is to do.
fn refused_with_any_suggestion(pointer: &str, value: Value) -> Error {
    let project = Project::small().with(pointer, value);
    let error = render(&project).expect_err("is refused");
    assert!(left_in(&project.out()).is_empty());
    error
}

#[test]
fn a_hook_of_2001_characters() {
    let error = refused_with("/hook", json!("é".repeat(2001)));
    assert_eq!((error.code(), error.pointer()), ("VALIDATION", Some("/hook")));
    assert!(error.message().contains("2001"), "{error:?}");
    let fits = Project::small().with("/hook", json!("wait for it ".repeat(166) + "12345678"));
    assert_eq!(fits.request().hook.as_ref().map(|hook| hook.chars().count()), Some(2000));
    engine(1).plan(&fits.request(), &Control::new()).expect("2000 characters are set");
}

#[test]
fn numbers_and_names_that_make_no_sense() {
    for (pointer, value) in [
        ("/id", json!("")),
        ("/id", json!("../up")),
        ("/id", json!("a/b")),
        ("/id", json!(".hidden")),
        ("/id", json!("x".repeat(65))),
        ("/hookDuration", json!(0)),
        ("/hookDuration", json!(-1.0)),
        ("/hookDuration", json!(1e300)),
        ("/output/thumbnailAt", json!(-0.1)),
        ("/output/preset", json!("ultra")),
        ("/layout", json!("grid")),
        ("/language", json!("not a tag")),
        ("/missingCharacters", json!("ignore")),
        ("/media/0/id", json!("")),
    ] {
        let error = refused_with_any_suggestion(pointer, value.clone());
        assert!(codes(&error).contains(&("VALIDATION", pointer)), "{pointer} = {value}: {error:?}");
    }
}

#[test]
fn a_source_that_leaves_the_projects_folder() {
    let outside = moving(0.5, 1);
    for src in [
        "../demo.mp4".to_owned(),
        "media/../../demo.mp4".to_owned(),
        outside.display().to_string(),
        "/etc/passwd".to_owned(),
        "file:///etc/passwd".to_owned(),
        "http://127.0.0.1/demo.mp4".to_owned(),
        "concat:demo.mp4|reaction.mp4://".to_owned(),
        String::new(),
    ] {
        let error = refused_with("/media/0/src", json!(src));
        assert_eq!((error.code(), error.pointer()), ("VALIDATION", Some("/media/0/src")), "{src}");
    }

    let linked = Project::small().with("/media/0/src", json!("link.mp4"));
    symlink(&outside, linked.folder().join("link.mp4")).expect("a link");
    assert_eq!((refused(&linked).code(), refused(&linked).pointer()), ("VALIDATION", Some("/media/0/src")));
    let through = Project::small().with("/media/0/src", json!("up/file.mp4"));
    symlink(outside.parent().expect("a folder"), through.folder().join("up")).expect("a link");
    fs::copy(&outside, outside.with_file_name("file.mp4")).expect("can be copied");
    assert_eq!((refused(&through).code(), refused(&through).pointer()), ("VALIDATION", Some("/media/0/src")));

    // A link inside is fine, and the caller may allow more.
    let inside = Project::small().with("/media/0/src", json!("link.mp4"));
    symlink("demo.mp4", inside.folder().join("link.mp4")).expect("a link");
    engine(1).plan(&inside.request(), &Control::new()).expect("the link stays inside");
    let allowed = Request { allow_outside: true, ..linked.request() };
    engine(1).plan(&allowed, &Control::new()).expect("the caller allows it");
}

#[test]
fn a_name_that_ffmpeg_would_take_for_a_protocol_is_a_file() {
    let project = Project::small().with("/media/0/src", json!("concat:demo.mp4"));
    project.put("concat:demo.mp4", &moving(0.5, 1));
    engine(1).plan(&project.request(), &Control::new()).expect("it is the file of that name");
    let missing = Project::small().with("/media/0/src", json!("concat:demo.mp4"));
    assert_eq!(refused(&missing).code(), "SOURCE_UNREADABLE");
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let project = Project::small()
        .with("/format", json!("carousel"))
        .with("/influencerId", Value::Null)
        .with("/variantCount", json!(6))
        .with("/hook", json!("x".repeat(2001)))
        .with("/musicTrackId", json!("trk_two"))
        .with("/reactionTemplates/0/src", json!("../reaction.mp4"))
        .with("/hokDuration", json!(3));
    let error = refused(&project);
    let mut found = codes(&error);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            ("INFLUENCER_REQUIRED", "/influencerId"),
            ("NOT_FOUND", "/musicTrackId"),
            ("UNSUPPORTED_FORMAT", "/format"),
            ("VALIDATION", "/hokDuration"),
            ("VALIDATION", "/hook"),
            ("VALIDATION", "/reactionTemplates/0/src"),
            ("VALIDATION", "/variantCount"),
        ]
    );
}

#[test]
fn unknown_looks_of_the_hook() {
    let project = Project::small()
        .with("/hookStyle", json!("white_box"))
        .with("/hookPosition", json!("middle"))
        .with("/safeArea", json!("vine"));
    let error = refused(&project);
    let expected = [("VALIDATION", "/hookStyle"), ("VALIDATION", "/hookPosition"), ("VALIDATION", "/safeArea")];
    assert_eq!(codes(&error), expected);
    assert!(error.findings()[0].suggestion.as_deref().is_some_and(|words| words.contains("`white-box`")), "{error:?}");
}

// The output folder. These depend on the machine, so they may be tried again.

#[test]
fn an_output_folder_that_is_a_file_or_lies_in_one() {
    for place in ["out", "out/deeper/still"] {
        let project = Project::small();
        fs::write(project.out(), "a file").expect("can be written");
        let out = project.out().with_file_name(place);
        let error = engine(2).render(&project.request(), &out).expect_err("cannot be written");
        assert_eq!(error.code(), "OUTPUT_FAILED", "{place}");
        assert!(error.is_retryable() && error.suggestion().is_some());
        assert_eq!(fs::read_to_string(project.out()).expect("is there"), "a file", "it is left alone");
    }
}

#[test]
fn what_stands_in_the_results_place_is_left_alone() {
    let project = Project::small();
    fs::create_dir_all(project.out().join("cnt_test")).expect("can be made");
    fs::write(project.out().join("cnt_test/holiday.jpg"), "a picture").expect("can be written");
    let error = render(&project).expect_err("is not overwritten");
    assert_eq!((error.code(), error.stage()), ("OUTPUT_FAILED", Some(Stage::Finalizing)));
    assert_eq!(left_in(&project.out()), [project.out().join("cnt_test")]);
    assert_eq!(left_in(&project.out().join("cnt_test")), [project.out().join("cnt_test/holiday.jpg")]);
}

#[test]
fn a_track_that_is_shorter_than_the_video_is_taken() {
    let project = Project::small();
    project.put("music.wav", &track(0.2));
    render(&project).expect("a short track is looped");
}
