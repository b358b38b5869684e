//! Every frame of the output shows the picture of its source that is on at its time, whatever the source's clock.

mod support;

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use remix_engine::store::ChunkStore;
use remix_engine::{Engine, EngineOptions, Existing};
use support::boxes::Mp4;
use support::numbered::{Case, Shown, assert_shown, bare, fault, numbered, numbers, rendered};
use support::{clip, ffprobe, left_in, render_as};

/// H.264 with pictures out of order.
const REORDERED: &str = "-c:v libx264 -preset veryfast -crf 20 -bf 3 -b_strategy 0 -sc_threshold 0";
/// H.264 with pictures in order.
const IN_ORDER: &str = "-c:v libx264 -preset ultrafast -crf 20 -bf 0 -sc_threshold 0";
/// Behind a filter that sets times: a clock of 1/90000 s to the file.
const FINE: &str = "-enc_time_base 1:90000 -video_track_timescale 90000";
/// The same for Matroska, which makes milliseconds of it.
const FINE_MATROSKA: &str = "-enc_time_base 1:90000";

/// Filters that put picture `N` at `ticks`, in 1/90000 s.
fn at(ticks: &str) -> String {
    format!("settb=1/90000,setpts={ticks}")
}

/// What the `ffmpeg` command makes of a copy of `source`, with `before` and `after` its name.
fn copied(extension: &str, before: &str, source: &Path, after: &str) -> PathBuf {
    clip(extension, &format!("{before} -i {} -c copy {after}", source.display()))
}

/// A clip of every picture in order from 0 on.
fn whole(what: &str, count: usize, clip: PathBuf) -> Case {
    let case = Case::new(what, clip);
    let numbers: Vec<usize> = case.shown.pictures.iter().map(|(_, number)| usize::from(*number)).collect();
    assert_eq!(numbers, (0..count).collect::<Vec<_>>(), "{what}");
    case
}

#[test]
fn the_reader_of_numbers_notices_what_it_must() {
    let clip = numbered("mp4", "30", 30, "", REORDERED);
    let case = whole("30 fps", 30, clip.clone());
    let seen = numbers(&clip);
    assert_eq!(fault(&case, &seen), None);
    for at in [0, 7, 29] {
        let mut repeated = seen.clone();
        repeated[at] = seen[if at == 0 { 1 } else { at - 1 }];
        assert!(fault(&case, &repeated).is_some(), "a wrong picture at {at}");
    }
    assert!(fault(&case, &seen[..29]).is_some(), "a frame too few");
    let filtered = |filters: &str| numbers(&numbered("mp4", "30", 30, filters, REORDERED));
    assert!(filtered("drawbox=color=black:t=fill").iter().all(Option::is_none), "black pictures");
    let blended = filtered("tblend=all_mode=average").iter().filter(|number| number.is_none()).count();
    assert!(blended > 25, "pictures blended of two: {blended}");
    let torn = filtered("scroll=vertical=0.5");
    assert!(torn.iter().skip(1).step_by(2).flatten().count() < 3, "every second picture is out of place: {torn:?}");
    let late = Case {
        what: "late".to_owned(),
        clip,
        shown: Shown { pictures: case.shown.pictures[1..].to_vec(), ..case.shown.clone() },
    };
    assert!(
        fault(&late, &seen[1..]).is_none() && fault(&late, &seen[..29]).is_some(),
        "a clip that is one picture late"
    );
}

#[test]
fn constant_rates() {
    let rates = ["24", "24000/1001", "25", "30000/1001", "30", "50", "60000/1001", "60", "120"];
    let cases: Vec<Case> = rates
        .iter()
        .enumerate()
        .map(|(at, rate)| {
            let per_second: u32 = rate.split('/').next().and_then(|rate| rate.parse().ok()).expect("a rate");
            let count = if per_second > 1000 { per_second / 1000 } else { per_second };
            let options = if at % 2 == 0 { REORDERED } else { IN_ORDER };
            whole(rate, count as usize, numbered("mp4", rate, count, "", options))
        })
        .collect();
    assert_shown(&cases);
}

#[test]
fn a_rate_that_never_meets_the_outputs_clock_in_matroska() {
    // Matroska rounds every time to a millisecond.
    let cases = ["30000/1001", "60000/1001"].map(|rate| whole(rate, 45, numbered("mkv", rate, 45, "", REORDERED)));
    assert_shown(&cases);
}

/// Of a rate that does meet the output's clock, every picture is seen, though half of the times are rounded up.
#[test]
fn no_picture_is_skipped_in_webm() {
    let vp9 = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 1M";
    let clips = ["30", "60"].map(|rate| numbered("webm", rate, rate.parse().expect("a number"), "", vp9));
    let [first, second] = rendered(&bare(&clips[0], &clips[1]), 2);
    assert_eq!(first, (0..30).map(Some).collect::<Vec<_>>());
    assert_eq!(second, (0..30).map(|number| Some(2 * number)).collect::<Vec<_>>());
}

#[test]
fn variable_rates() {
    // 21 to 43 ms apart, as a phone in poor light records.
    let jittered = at("N*2880+mod(N*N*631\\,1900)");
    let mut cases = Vec::new();
    for (what, options) in [("reordered", REORDERED), ("in order", IN_ORDER)] {
        cases.push(whole(
            &format!("jittered MP4, {what}"),
            40,
            numbered("mp4", "30", 40, &jittered, &format!("{FINE} {options}")),
        ));
        cases.push(whole(
            &format!("jittered Matroska, {what}"),
            40,
            numbered("mkv", "30", 40, &jittered, &format!("{FINE_MATROSKA} {options}")),
        ));
        // Every second to fourth picture was not recorded.
        let dropped = "select=not(eq(mod(n\\,7)\\,3)+eq(mod(n\\,5)\\,1)+between(n\\,30\\,37))";
        cases.push(Case::new(format!("dropped MP4, {what}"), numbered("mp4", "60", 60, dropped, options)));
        cases.push(Case::new(format!("dropped Matroska, {what}"), numbered("mkv", "60", 60, dropped, options)));
    }
    // A screen recording: bursts at 120 Hz, then nothing for a while.
    let bursts = at("mod(N\\,12)*750+floor(N/12)*31234");
    cases.push(whole("bursts", 48, numbered("mp4", "30", 48, &bursts, &format!("{FINE} {REORDERED}"))));
    assert_shown(&cases);
}

#[test]
fn a_picture_is_held_until_the_next_one_comes() {
    let sparse = at("(N+30*floor(N/5))*3000");
    let cases = ["mp4", "mkv"].map(|extension| {
        let options =
            if extension == "mp4" { format!("{FINE} {REORDERED}") } else { format!("{FINE_MATROSKA} {REORDERED}") };
        whole(&format!("gaps of a second in {extension}"), 12, numbered(extension, "30", 12, &sparse, &options))
    });
    assert_shown(&cases);
}

#[test]
fn a_clock_that_does_not_start_at_zero() {
    let late = |extension: &str| numbered(extension, "30", 30, "", &format!("-output_ts_offset 1.51 {REORDERED}"));
    let from_ts = copied("mp4", "-copyts", &late("ts"), "");
    let cases = [
        whole("Matroska that starts at 1.51 s", 30, late("mkv")),
        whole("MP4 that starts at 1.51 s", 30, late("mp4")),
        whole("MP4 from a transport stream", 30, from_ts.clone()),
        whole(
            "MP4 with an empty edit",
            30,
            copied("mp4", "-itsoffset 0.7", &numbered("mp4", "30", 30, "", REORDERED), ""),
        ),
    ];
    assert!(cases.iter().all(|case| case.shown.pictures[0].0 > 0), "all start late");
    assert_shown(&cases);
}

#[test]
fn what_an_edit_list_cuts_off_is_not_shown() {
    let cut = |what: &str, count: u32, options: &str, from: &str| {
        let source = numbered("mp4", "30", count, "", &format!("-g {count} {options}"));
        let clip = copied("mp4", &format!("-ss {from}"), &source, "");
        let case = Case::new(format!("{what} from {from} s"), clip.clone());
        let found = ffprobe(&clip, "-select_streams v:0 -show_entries packet=flags");
        let packets = found["packets"].as_array().expect("a list");
        let hidden = packets.iter().filter(|packet| packet["flags"].as_str().is_some_and(|flags| flags.contains('D')));
        assert!(hidden.count() > 8, "{what}: the file has pictures that are not shown");
        assert!(case.shown.pictures[0].1 > 0, "{what}: the first picture is cut off");
        case
    };
    assert_shown(&[
        cut("reordered", 60, REORDERED, "0.4"),
        cut("in order", 60, IN_ORDER, "0.41"),
        cut("reordered", 60, REORDERED, "1.234"),
        cut(
            "HEVC",
            60,
            "-c:v libx265 -preset ultrafast -x265-params log-level=none:bframes=3:scenecut=0 -tag:v hvc1",
            "0.5",
        ),
        // Long enough for a second chunk.
        cut("two chunks", 130, REORDERED, "1.3"),
    ]);
}

#[test]
fn an_edit_list_may_cut_both_ends() {
    let clip = numbered("mp4", "30", 60, "", &format!("-video_track_timescale 30000 {REORDERED}"));
    let delay = Shown::of(&clip).pictures[0].0;
    assert_eq!(delay, 0);
    let edited = |what: &str, name: &str, length: u32, from: u32| {
        let mut file = Mp4::open(&clip);
        // The movie counts milliseconds. Two pictures of the media (2000 ticks) are the delay of B-frames.
        file.set_edit(length, from);
        Case::new(what, file.save(&format!("edit-{name}")))
    };
    let tail = edited("the last second is cut off", "tail", 1000, 2000);
    assert_eq!((tail.shown.pictures[0].1, tail.shown.pictures.len()), (0, 30));
    let both = edited("half a second of both ends is cut off", "both", 1000, 17_000);
    assert_eq!((both.shown.pictures[0].1, both.shown.pictures.len()), (15, 30));
    assert_shown(&[tail, both]);
}

#[test]
fn pictures_that_refer_to_each_other_in_every_way() {
    let pyramid = "-c:v libx264 -preset veryfast -bf 7 -b_strategy 0 -x264-params b-pyramid=normal:ref=4";
    let open = "-c:v libx264 -preset veryfast -bf 3 -b_strategy 0 -g 12 -x264-params open-gop=1";
    let hevc = "-c:v libx265 -preset ultrafast -x265-params \
                log-level=none:open-gop=1:keyint=15:min-keyint=15:bframes=4:b-adapt=0:b-pyramid=1 -tag:v hvc1";
    let vp9 = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 1M -auto-alt-ref 1 -lag-in-frames 12 -g 20";
    // More than two seconds: a second chunk, which starts decoding in the middle.
    assert_shown(&[
        whole("a pyramid of B-pictures", 75, numbered("mp4", "30", 75, "", pyramid)),
        whole("H.264 with open GOPs", 75, numbered("mp4", "30", 75, "", open)),
        whole("HEVC with open GOPs", 75, numbered("mp4", "30", 75, "", hevc)),
        whole("VP9 in WebM", 75, numbered("webm", "30", 75, "", vp9)),
    ]);
}

#[test]
fn the_last_picture_lasts_as_long_as_it_says() {
    let mut long = Mp4::open(&numbered("mp4", "30", 20, "", IN_ORDER));
    long.lengthen_last(25);
    let long = long.save("long-last");
    let case = whole("a long last picture", 20, long);
    assert!(case.shown.lasts(19 + 25) && !case.shown.lasts(20), "{:?}", case.shown);
    let single = whole("one picture", 1, numbered("mp4", "2", 1, "", IN_ORDER));
    assert!(single.shown.lasts(15), "{:?}", single.shown);
    assert_shown(&[case, single]);
}

#[test]
fn a_header_that_lies_about_the_duration_changes_nothing() {
    let clip = numbered("mp4", "30", 30, "", REORDERED);
    let truth = Shown::of(&clip);
    let lies = |what: &str, num: u64, den: u64| {
        let mut file = Mp4::open(&clip);
        file.scale_durations(num, den);
        let clip = file.save(&format!("duration-{num}-{den}"));
        Case { what: what.to_owned(), clip, shown: truth.clone() }
    };
    assert_shown(&[
        lies("ten times too long", 10, 1),
        lies("ten times too short", 1, 10),
        lies("0 s", 0, 1),
        lies("a little too long", 11, 10),
    ]);
}

#[test]
fn a_nominal_rate_of_90000_is_only_a_clock() {
    let odd = at("N*3003+mod(N*N*N*7\\,1237)");
    let clip = numbered("mp4", "30", 40, &odd, &format!("{FINE} {IN_ORDER}"));
    let found = ffprobe(&clip, "-show_entries stream=r_frame_rate");
    assert_eq!(found["streams"][0]["r_frame_rate"], "90000/1");
    let slow = numbered("mp4", "30", 40, &at("N*4500+mod(N*N*N*7\\,1237)"), &format!("{FINE} {REORDERED}"));
    assert_shown(&[whole("30 fps and up to 14 ms", 40, clip), whole("20 fps and up to 14 ms", 40, slow)]);
}

#[test]
fn the_cut_between_reaction_and_app_demo_is_clean() {
    // Lengths that end between two frames of the output, in both directions, and pictures that tell which clip is on.
    let cases = [("24", 25), ("60", 61), ("50", 52), ("120", 123)].map(|(rate, count)| {
        let first = count * 10;
        let filters = format!("select=gte(n\\,{first}),setpts=PTS-STARTPTS");
        let options = format!("-frames:v {count} {REORDERED}");
        let case = Case::new(
            format!("{count} pictures at {rate} fps"),
            numbered("mp4", rate, first + count, &filters, &options),
        );
        assert_eq!((case.shown.pictures.len(), case.shown.pictures[0].1), (count as usize, first as u16));
        case
    });
    assert_shown(&cases);
}

/// Chunks are cut every two seconds; each is decoded by itself, by whichever thread comes first.
#[test]
fn chunks_of_a_variable_rate_are_pure() {
    let jittered = at("N*2880+mod(N*N*631\\,1900)");
    let options = format!("{FINE} {REORDERED} -g 50");
    let demo = Case::new("4.5 s of a variable rate", numbered("mp4", "30", 140, &jittered, &options));
    let reaction = numbered("mp4", "30", 3, "", IN_ORDER);
    let [one, two] = [1, 2].map(|threads| {
        let project = bare(&reaction, &demo.clip);
        let [_, seen] = rendered(&project, threads);
        assert_eq!(fault(&demo, &seen), None, "on {threads} threads");
        assert!(seen.len() > 120, "more than two chunks");
        fs::read(project.out().join("cnt_test/video.mp4")).expect("is there")
    });
    assert!(one == two, "one and two threads give the same bytes");
}

/// The pictures that refer to what lies before a random access point cannot be shown when a file starts with it: its
/// time zero is that of the first picture that can.
#[test]
fn a_file_that_starts_with_an_open_gop() {
    let options = "-c:v libx265 -preset ultrafast -x265-params \
                   log-level=none:open-gop=1:keyint=15:min-keyint=15:bframes=4:b-adapt=0:scenecut=0 -tag:v hvc1";
    let source = numbered("mp4", "30", 60, "", options);
    let cases = ["mkv", "mp4"].map(|extension| {
        let clip = copied(extension, "-ss 0.6", &source, "");
        let packets = ffprobe(&clip, "-select_streams v:0 -show_entries packet=pts");
        let packets = packets["packets"].as_array().expect("a list").len();
        let case = Case::new(format!("HEVC from an open GOP on in {extension}"), clip);
        assert!(packets > case.shown.pictures.len(), "{packets} packets, not all of which can be decoded");
        case
    });
    assert_shown(&cases);
}

/// Three packets are noise: what is decoded from them may look like anything, and all else is as it was.
#[test]
fn damage_stays_where_it_is() {
    let clean = numbered("mp4", "30", 60, "", &format!("-g 15 {IN_ORDER}"));
    let truth = Shown::of(&clean);
    let noise = "-bsf:v noise=amount=if(between(n\\,17\\,19)\\,20\\,0)";
    let clip = copied("mp4", "", &clean, noise);
    let project = bare(&clean, &clip);
    let [_, seen] = rendered(&project, 2);
    assert_eq!(seen.len(), 60);
    let outside = |frame: usize| !(17..30).contains(&frame);
    for (frame, number) in seen.iter().enumerate().filter(|(frame, _)| outside(*frame)) {
        assert_eq!(*number, Some(truth.at(frame)), "frame {frame}");
    }
    let json = fs::read(project.out().join("cnt_test/container.json")).expect("is there");
    let json: serde_json::Value = serde_json::from_slice(&json).expect("is JSON");
    let damaged = json["report"]["damagedPictures"].as_u64().expect("a number");
    assert!((1..=13).contains(&damaged), "{damaged} damaged pictures");

    // It is told of chunks that were made before too, and what is kept of a chunk does not depend on who made it.
    let kept = [1, 3].map(|threads| {
        let folder = tempfile::tempdir().expect("a folder");
        let options = EngineOptions {
            threads: NonZeroUsize::new(threads),
            store: Some(ChunkStore::open(folder.path()).expect("a store")),
            existing: Existing::Replace,
            ..EngineOptions::default()
        };
        let engine = Engine::new(options).expect("an engine");
        for reused in [false, true] {
            let (container, _) = render_as(&engine, &project, "kept");
            assert_eq!(container.report.chunks_reused > 0, reused);
            assert_eq!(container.report.damaged_pictures, damaged, "{threads} threads, reused: {reused}");
        }
        let entries = left_in(folder.path()).into_iter().filter(|path| path.is_file());
        entries
            .map(|path| (path.file_name().map(ToOwned::to_owned), fs::read(path).expect("is there")))
            .collect::<Vec<_>>()
    });
    assert!(kept[0] == kept[1]);
}
