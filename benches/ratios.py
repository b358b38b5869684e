#!/usr/bin/env python3
"""Every ratio that the README quotes against the ffmpeg command, with the fixture project, by commands run in turn.

Usage: benches/ratios.py [RUNS] [--long | --layouts]

RUNS (default 5) is how often each pair of commands runs; one more of each, first, is not counted. Figures are medians, and
ratios are medians of the ratios of the pairs. `--long` also renders ten minutes, for the peak of the memory; `--layouts`
measures a picture in a picture alone, with ffmpeg's `scale`, `alphamerge` and `overlay`, at the same settings of x264.

Both sides use x264 with a key frame every 60 frames and AAC at 192 kbit/s, on all cores. What is compared:

same settings   `--preset high` is x264 `veryfast` at crf 18; so is ffmpeg's command.
standard        `--preset standard` with ffmpeg's `veryfast` at crf 20; quality and size of both are measured against the same
                finished frames, which ffmpeg makes without loss and both encode.
new hook        the project with another hook, when a render with the first hook has filled the cache.
variants        five variants of the project with a pool of five reactions, against one of them; and with five tracks of
                music, which have all pictures in common.
prediction      what `remix plan` says before, against what is measured.
"""

import json
import os
import pathlib
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
REMIX = ROOT / "target/release/remix"
FIXTURE = ROOT / "fixtures/ugc-remix"
MEDIA = FIXTURE / "media"
BT709 = "-color_range tv -colorspace bt709 -color_primaries bt709 -color_trc bt709".split()


def run(*command):
    """Wall seconds, CPU seconds and peak MiB of a command that must succeed, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    with tempfile.NamedTemporaryFile() as peak:
        words = ["/usr/bin/time", "-f", "%M", "-o", peak.name, *map(str, command)]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        wall = time.monotonic() - began
        if done.returncode:
            sys.exit(f"{command}: {done.stderr}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        memory = int(pathlib.Path(peak.name).read_text().split()[-1]) / 1024
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return (wall, cpu, memory), done.stdout


def remix(*words):
    return run(REMIX, *words)[0]


def ffmpeg(*words):
    return run("ffmpeg", "-v", "error", "-y", "-nostdin", *words)[0]


def graph(hook_at):
    x, y = hook_at
    return (
        "[0:v]fps=30,scale=1080:1920:flags=bicubic,setsar=1[a];"
        "[1:v]fps=30,crop=1170:2080:0:226,scale=1080:1920:flags=bicubic,setsar=1[b];"
        f"[a][b]concat=n=2:v=1:a=0[c];[c][3:v]overlay={x}:{y}:enable='lt(t,4)'[v];"
        "[0:a]aresample=48000,pan=stereo|c0=c0|c1=c0[ra];[1:a]aresample=48000[da];[ra][da]concat=n=2:v=0:a=1[ca];"
        "[2:a]aresample=48000,volume=-12dB,atrim=0:16,afade=t=out:st=15:d=1[m];"
        "[ca][m]amix=inputs=2:normalize=0:duration=first[s]"
    )


def one_command(work, hook_at, coder, to):
    """The equivalent of the fixture's render as one ffmpeg command."""
    inputs = []
    for name in [MEDIA / "reaction.mp4", MEDIA / "app-demo.mp4", MEDIA / "music.mp3", work / "hook.png"]:
        inputs += ["-i", name]
    sound = ["-map", "[s]", "-c:a", "aac", "-b:a", "192k"]
    return ffmpeg(*inputs, "-filter_complex", graph(hook_at), "-map", "[v]", *coder, *BT709, *sound, "-movflags", "+faststart", to)


def x264(preset, crf):
    return ["-c:v", "libx264", "-preset", preset, "-crf", crf, "-g", "60"]


def make_hook(work, text):
    """The hook alone, not a whole transparent canvas: the fast way to use the overlay filter."""
    run(REMIX, "text", text, "--out", work / "canvas.png")
    box = subprocess.run(
        ["ffmpeg", "-v", "info", "-i", work / "canvas.png", "-vf", "alphaextract,bbox", "-f", "null", "-"],
        capture_output=True,
        text=True,
    ).stderr
    found = {name: int(value) for name, value in re.findall(r"(w|h|x1|y1):(\d+)", box)}
    even = lambda n: n // 2 * 2
    x, y = even(found["x1"]), even(found["y1"])
    ffmpeg("-i", work / "canvas.png", "-vf", f"crop={even(found['w'] + 3)}:{even(found['h'] + 3)}:{x}:{y}", work / "hook.png")
    return x, y


def project(folder, changes, media=MEDIA):
    """The fixture's project in a folder of its own, with these fields changed."""
    folder.mkdir()
    shutil.copytree(media, folder / "media")
    request = json.loads((FIXTURE / "project.json").read_text()) | changes
    (folder / "project.json").write_text(json.dumps({name: value for name, value in request.items() if value is not None}))
    return folder


def ssim(coded, reference):
    said = subprocess.run(
        ["ffmpeg", "-v", "info", "-i", coded, "-i", reference, "-lavfi",
         "[0:v]settb=1/30,setpts=N[a];[1:v]settb=1/30,setpts=N[b];[a][b]ssim", "-f", "null", "-"],
        capture_output=True,
        text=True,
    ).stderr
    return float(re.search(r"All:([\d.]+)", said)[1])


def pairs(runs, ours, theirs):
    """The figures of two commands in turn; the first of each is not counted."""
    ours(), theirs()
    return [(ours(), theirs()) for _ in range(runs)]


def show(name, found, other="ffmpeg"):
    medians = lambda side: [statistics.median(pair[side][column] for pair in found) for column in range(3)]
    ratios = [statistics.median(pair[0][column] / pair[1][column] for pair in found) for column in range(3)]
    print(f"\n{name:<16}{'wall s':>9}{'CPU s':>9}{'peak MiB':>10}")
    for who, values in [("remix", medians(0)), (other, medians(1))]:
        print(f"  {who:<14}{values[0]:9.2f}{values[1]:9.2f}{values[2]:10.0f}")
    print(f"  {'ratio':<14}{ratios[0]:9.3f}{ratios[1]:9.3f}{ratios[2]:10.3f}", flush=True)


def main():
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    runs = int(words[0]) if words else 5
    subprocess.run(["cargo", "build", "--release", "--locked", "--quiet"], cwd=ROOT, check=True)
    with tempfile.TemporaryDirectory() as folder:
        if "--layouts" in sys.argv:
            measure_layouts(pathlib.Path(folder), runs)
        else:
            measure(pathlib.Path(folder), runs, "--long" in sys.argv)


def measure_layouts(work, runs):
    folder = project(work / "inset", {"hook": None, "music": None, "layout": "picture-in-picture",
                                      "layoutOptions": {"shadow": False}})
    # Where it stands, and the mask of its corners, once.
    said = run(REMIX, "plan", folder, "--json", "--no-cache")[1].splitlines()[0]
    shot = json.loads(said)["shots"][0]
    area, radius = shot["clips"][1]["area"], shot["clips"][1]["edging"]["radius"]
    x, y, width, height = (area[name] for name in ("x", "y", "width", "height"))
    past = lambda axis, size: f"max({radius}-{axis}-0.5\\,max({axis}+0.5-({size}-{radius})\\,0))"
    mask = f"255*clip({radius}+0.5-hypot({past('X', 'W')}\\,{past('Y', 'H')})\\,0\\,1)"
    ffmpeg("-f", "lavfi", "-i", f"color=black:size={width}x{height},format=gray,geq=lum={mask}", "-frames:v", "1", work / "mask.png")
    graph = (
        "[0:v]fps=30,crop=1170:2080:0:226,scale=1080:1920:flags=bicubic,setsar=1[a];"
        f"[1:v]fps=30,crop=1080:1440:0:240,scale={width}:{height}:flags=bicubic,setsar=1,format=yuv420p[r];"
        f"[r][2:v]alphamerge[m];[a][m]overlay={x}:{y}:shortest=1[v];"
        "[0:a]aresample=48000[da];[1:a]aresample=48000,pan=stereo|c0=c0|c1=c0[ra];"
        "[da][ra]amix=inputs=2:normalize=0:duration=first[s]"
    )
    inputs = ["-i", MEDIA / "app-demo.mp4", "-stream_loop", "-1", "-i", MEDIA / "reaction.mp4", "-loop", "1", "-i", work / "mask.png"]
    sound = ["-map", "[s]", "-c:a", "aac", "-b:a", "192k"]
    theirs = lambda: ffmpeg(*inputs, "-filter_complex", graph, "-map", "[v]", *x264("veryfast", "18"), *BT709, *sound,
                            "-movflags", "+faststart", work / "theirs.mp4")
    ours = lambda: remix("render", folder, "--out", work / "out", "--replace", "--no-cache", "--preset", "high")
    show("picture in picture", pairs(runs, ours, theirs))
    for name, file in [("remix", work / "out/cnt_demo/video.mp4"), ("ffmpeg", work / "theirs.mp4")]:
        print(f"  {name}: {file.stat().st_size / 1e6:.2f} MB")


def measure(work, runs, long):
    request = json.loads((FIXTURE / "project.json").read_text())
    hook_at = make_hook(work, request["hook"])
    print(f"medians of {runs} runs in turn, {os.cpu_count()} cores")

    def ours(project, *options):
        cache = [] if "--cache" in options else ["--no-cache"]
        return remix("render", project, "--out", work / "out", "--replace", *cache, *options)

    same = pairs(runs, lambda: ours(FIXTURE, "--preset", "high"), lambda: one_command(work, hook_at, x264("veryfast", "18"), work / "same.mp4"))
    show("same settings", same)

    theirs = lambda: one_command(work, hook_at, x264("veryfast", "20"), work / "theirs.mp4")
    show("standard", pairs(runs, lambda: ours(FIXTURE, "--preset", "standard"), theirs))

    # The same finished frames for both: without loss, the hook burnt in, in two clips.
    one_command(work, hook_at, ["-c:v", "libx264", "-qp", "0", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "30"], work / "finished.mp4")
    clips = work / "clips"
    clips.mkdir()
    for name, part in [("reaction.mp4", ["-t", "4"]), ("app-demo.mp4", ["-ss", "4"])]:
        lossless = ["-c:v", "libx264", "-qp", "0", "-preset", "ultrafast", "-c:a", "aac"]
        ffmpeg("-i", work / "finished.mp4", *part, *lossless, *BT709, clips / name)
    shutil.copy(MEDIA / "music.mp3", clips)
    plain = project(work / "plain", {"hook": None}, clips)
    ours(plain, "--preset", "standard")
    ffmpeg("-i", work / "finished.mp4", *x264("veryfast", "20"), "-an", work / "coded.mp4")
    video = work / "out/cnt_demo/video.mp4"
    ffmpeg("-i", video, "-c", "copy", "-an", work / "ours.mp4")
    quality = [ssim(file, work / "finished.mp4") for file in (work / "ours.mp4", work / "coded.mp4")]
    sizes = [(work / name).stat().st_size for name in ("ours.mp4", "coded.mp4")]
    print(f"  SSIM {quality[0]:.5f} against {quality[1]:.5f}: {quality[0] - quality[1]:+.5f}; "
          f"size {sizes[0] / 1e6:.2f} MB against {sizes[1] / 1e6:.2f} MB: {sizes[0] / sizes[1]:.2f}")

    other = project(work / "other", {"hook": "nobody tells you this\nbut it works ✨"})
    filled = work / "filled"
    # The hook is edited in place: the sources are known.
    request_file = other / "project.json"
    edited = request_file.read_text()
    request_file.write_text((FIXTURE / "project.json").read_text())
    # What was copied just now is not trusted to stay as it is.
    time.sleep(3)
    ours(other, "--cache", filled)
    request_file.write_text(edited)

    def new_hook():
        # Chunks of the other hook go, so that every run has them to make.
        cache = work / "cache"
        shutil.rmtree(cache, ignore_errors=True)
        shutil.copytree(filled, cache)
        return ours(other, "--cache", cache)

    show("new hook", pairs(runs, new_hook, theirs))
    cold = ours(other) and (work / "out/cnt_demo/video.mp4").read_bytes()
    new_hook()
    if (work / "out/cnt_demo/video.mp4").read_bytes() != cold:
        sys.exit("the bytes of a new hook differ from a cold render's")

    # Five reactions of the same length that differ: mirrored, darker, and so on.
    pool = work / "pool"
    pool.mkdir()
    filters = ["null", "hflip", "eq=brightness=-0.05", "hue=h=20", "hflip,hue=h=-20"]
    for number, change in enumerate(filters):
        coder = [*x264("veryfast", "18"), "-c:a", "copy"]
        ffmpeg("-i", MEDIA / "reaction.mp4", "-vf", change, *coder, *BT709, pool / f"r{number}.mp4")
    for name in ("app-demo.mp4", "music.mp3"):
        shutil.copy(MEDIA / name, pool)
    rows = [{"id": f"r{number}", "src": f"media/r{number}.mp4"} for number in range(len(filters))]
    one = project(work / "one", {"reactionTemplates": rows}, pool)
    five = project(work / "five", {"reactionTemplates": rows, "variantCount": 5}, pool)
    show("variants", pairs(runs, lambda: ours(five), lambda: ours(one)), "one variant")

    # Five tracks that differ, with the same reaction.
    tunes = work / "tunes"
    tunes.mkdir()
    for name in ("app-demo.mp4", "reaction.mp4"):
        shutil.copy(MEDIA / name, tunes)
    for number in range(5):
        ffmpeg("-i", MEDIA / "music.mp3", "-af", f"atempo={1 + number / 20}", "-b:a", "192k", tunes / f"t{number}.mp3")
    rows = [{"id": f"t{number}", "src": f"media/t{number}.mp3"} for number in range(5)]
    single = project(work / "single", {"music": rows}, tunes)
    tracks = project(work / "tracks", {"music": rows, "variantCount": 5}, tunes)
    show("variants, music", pairs(runs, lambda: ours(tracks), lambda: ours(single)), "one variant")

    print(f"\n{'prediction':<28}{'predicted':>10}{'measured':>10}{'ratio':>8}")
    slides = ROOT / "fixtures/slideshow-builder"
    for name, folder, options in [("ugc-remix", FIXTURE, []), ("ugc-remix, draft", FIXTURE, ["--preset", "draft"]),
                                  ("ugc-remix, high", FIXTURE, ["--preset", "high"]), ("slideshow-builder", slides, [])]:
        said = run(REMIX, "plan", folder, "--json", "--no-cache", *options)[1].splitlines()[-1]
        estimate = json.loads(said)["estimate"]
        found = [ours(folder, *options) for _ in range(runs)]
        wall, cpu, memory = (statistics.median(column) for column in zip(*found))
        for what, predicted, measured in [("wall s", estimate["wallSeconds"], wall), ("CPU s", estimate["cpuSeconds"], cpu),
                                          ("peak MiB", estimate["memoryBytes"] / 2**20, memory)]:
            print(f"  {name + ', ' + what:<26}{predicted:10.2f}{measured:10.2f}{predicted / measured:8.2f}", flush=True)

    if long:
        # Almost ten minutes, which is the most: the app demo over and over.
        media = work / "long-media"
        media.mkdir()
        for name in ("reaction.mp4", "music.mp3"):
            shutil.copy(MEDIA / name, media)
        ffmpeg("-stream_loop", "49", "-i", MEDIA / "app-demo.mp4", "-c", "copy", "-t", "594", media / "app-demo.mp4")
        endless = project(work / "long", {}, media)
        wall, cpu, memory = ours(endless, "--threads", "2")
        short = ours(FIXTURE, "--threads", "2")[2]
        print(f"\nten minutes, two workers: {wall:.0f} s, CPU {cpu:.0f} s, peak {memory:.0f} MiB; 16 s: peak {short:.0f} MiB")


main()
