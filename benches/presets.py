#!/usr/bin/env python3
"""What the presets cost and give, encoding alone: the README's table.

Usage: benches/presets.py [RUNS]

Encodes finished frames of 1080x1920 by ffmpeg with x264 on one thread, with key frames every 60 frames, as chunks are
encoded. Of each setting the least CPU time of RUNS (default 3) runs, less reading, and the size, both against x264's
`veryfast` at crf 20; and how much its SSIM differs from that. The frames are those of the fixtures: a phone's screen, a
drawn face, slides that zoom and push; and a screen of noise over a zoom, for the worst case.
"""

import pathlib
import re
import resource
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
REMIX = ROOT / "target/release/remix"
MEDIA = ROOT / "fixtures/ugc-remix/media"
ALWAYS = (
    "threads=1:lookahead-threads=1:sync-lookahead=0:cpu-independent=1:force-cfr=1:open-gop=0:cabac=1:8x8dct=1:keyint=60"
)
STANDARD = "mbtree=1:rc-lookahead=6:bframes=2:b-pyramid=none:weightp=0:weightb=0:aq-mode=2:b-adapt=0"
# The first is what the others are compared with. Name, x264 preset, crf, parameters.
SETTINGS = [
    ("`veryfast`, crf 20", "veryfast", 20, "bframes=3"),
    ("`draft`: `ultrafast`, crf 23", "ultrafast", 23, "bframes=0"),
    ("`standard`: `superfast`, macroblock tree, `aq-mode` 2, crf 20", "superfast", 20, STANDARD),
    ("the same without `aq-mode` 2", "superfast", 20, f"{STANDARD}:aq-mode=1"),
    ("`superfast` as it is, crf 20", "superfast", 20, "bframes=3"),
    ("`veryfast` with subme 1, crf 20", "veryfast", 20, "bframes=3:subme=1"),
    ("`high`: `veryfast`, crf 18", "veryfast", 18, "bframes=3"),
    ("`faster`, crf 18", "faster", 18, "bframes=3"),
    ("`medium`, crf 18", "medium", 18, "bframes=3"),
]


def run(*words):
    """User seconds of a command that must succeed, and what it said."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run(list(map(str, words)), stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{words}: {done.stderr}")
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before, done.stderr


def ffmpeg(*words):
    return run("ffmpeg", "-v", "error", "-y", "-nostdin", *words)[0]


def frames(work):
    """Finished frames of 4 to 6 s, as they are."""
    raw = ["-an", "-pix_fmt", "yuv420p", "-c:v", "rawvideo"]
    screen = "fps=30,crop=1170:2080:0:226,scale=1080:1920:flags=bicubic,setsar=1"
    ffmpeg("-i", MEDIA / "app-demo.mp4", "-t", "6", "-vf", screen, *raw, work / "screen.nut")
    ffmpeg("-i", MEDIA / "reaction.mp4", "-t", "4", "-vf", "fps=30,setsar=1", *raw, work / "face.nut")
    run(REMIX, "render", ROOT / "fixtures/slideshow-builder", "--out", work / "out", "--preset", "high", "--no-cache")
    slides = next((work / "out").glob("*/video.mp4"))
    ffmpeg("-i", slides, "-t", "6", *raw, work / "slides.nut")
    noise = "mandelbrot=size=1080x1920:rate=30,noise=alls=6:allf=t"
    ffmpeg("-f", "lavfi", "-i", noise, "-t", "4", *raw, work / "noise.nut")
    return [work / f"{name}.nut" for name in ("screen", "face", "slides", "noise")]


def measure(work, clip, reading, setting, runs):
    _, preset, crf, parameters = setting
    coded = work / "coded.mp4"
    coder = ["-c:v", "libx264", "-preset", preset, "-crf", crf, "-profile:v", "high", "-x264-params", f"{ALWAYS}:{parameters}"]
    cpu = min(ffmpeg("-i", clip, *coder, coded) for _ in range(runs)) - reading
    same = "[0:v]settb=1/30,setpts=N[a];[1:v]settb=1/30,setpts=N[b];[a][b]ssim"
    said = run("ffmpeg", "-v", "info", "-nostdin", "-i", coded, "-i", clip, "-lavfi", same, "-f", "null", "-")[1]
    return cpu, coded.stat().st_size, float(re.search(r"All:([\d.]+)", said)[1])


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    subprocess.run(["cargo", "build", "--release", "--locked", "--quiet"], cwd=ROOT, check=True)
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        clips = frames(work)
        rows = {setting[0]: [] for setting in SETTINGS}
        for clip in clips:
            reading = min(ffmpeg("-i", clip, "-f", "null", "-") for _ in range(runs))
            first = None
            for setting in SETTINGS:
                cpu, size, ssim = measure(work, clip, reading, setting, runs)
                first = first or (cpu, size, ssim)
                rows[setting[0]].append(f"{cpu / first[0]:.2f}; {size / first[1]:.2f}; {ssim - first[2]:+.4f}")
        print("| x264 settings | " + " | ".join(clip.stem for clip in clips) + " |")
        print("|---" * (len(clips) + 1) + "|")
        for name, cells in rows.items():
            print(f"| {name} | " + " | ".join(cells) + " |")


main()
