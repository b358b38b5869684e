#!/usr/bin/env python3
"""Where Chromium's decoder hears a chirp in finished videos, and where the ffmpeg command does.

Renders clips and tracks with a chirp at 2.000 s, in every container that phones and libraries give, and asks both for
its place in the result. By hand, since it needs Chromium (Debian: apt install chromium) and a built command:

    cargo build --release && tests/browser/sound.py [--remix target/release/remix] [--long]

`--long` renders ten minutes too: a flash (a slide that changes from black to white) and a chirp (of a voice-over) that
belong together must still be within 10 ms of each other near the end. Exits with 1 if anything is off.
"""

import argparse
import array
import base64
import http.server
import json
import math
import pathlib
import queue
import subprocess
import sys
import tempfile
import threading

RATE = 48_000
H264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p"

PAGE = """<!doctype html><meta charset="utf-8"><script>
const wanted = __WANTED__, at = __AT__, bytes = Uint8Array.from(atob("__DATA__"), c => c.charCodeAt(0));
(async () => {
  const context = new OfflineAudioContext(2, 48000, 48000);
  const sound = (await context.decodeAudioData(bytes.buffer)).getChannelData(0);
  const start = Math.round(at * 48000);
  let best = 0, top = -1;
  for (let lag = -4800; lag <= 4800; lag++) {
    let product = 0, energy = 0;
    for (let n = 0; n < wanted.length; n++) {
      const value = sound[start + lag + n] || 0;
      product += value * wanted[n];
      energy += value * value;
    }
    const like = product / Math.sqrt(energy + 1e-6);
    if (like > top) { top = like; best = lag; }
  }
  const own = Math.sqrt(wanted.reduce((sum, value) => sum + value * value, 0));
  return { off: best / 48, like: top / own, frames: sound.length };
})().catch(error => ({ error: String(error) })).then(found => fetch("/", { method: "POST", body: JSON.stringify(found) }));
</script>"""


def wanted():
    """A chirp of 20 ms from 400 to 8400 Hz under half a sine."""
    times = [n / RATE for n in range(960)]
    return [math.sin(math.tau * (400 * t + 200_000 * t * t)) * math.sin(math.pi * t / 0.02) for t in times]


def chirp(at, seconds, rate=44_100):
    t = f"(t-{at})"
    wave = f"0.6*sin(2*PI*(400*{t}+200000*{t}^2))*sin(PI*{t}/0.02)"
    return f"aevalsrc=if(between(t\\,{at}\\,{at}+0.02)\\,{wave}\\,0):s={rate}:d={seconds}"


def ffmpeg(*words):
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *words], check=True)


def heard_by_ffmpeg(video, at):
    raw = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", video, "-vn", "-f", "f32le", "-ac", "2", "-ar", str(RATE), "-"],
        check=True, capture_output=True).stdout
    sound = array.array("f", raw)[::2]
    shape, start = wanted(), round(at * RATE)
    best = (-1.0, 0)
    # In two passes: the second one near the best of the first, which looks at every fourth place.
    for lags in (range(-4800, 4801, 4), None):
        lags = lags or range(best[1] - 6, best[1] + 7)
        for lag in lags:
            part = sound[start + lag:start + lag + 960]
            energy = sum(value * value for value in part)
            product = sum(value * want for value, want in zip(part, shape))
            best = max(best, (product / math.sqrt(energy + 1e-6), lag))
    return best[1] / 48


def heard_by_chromium(video, at, folder):
    data = base64.b64encode(pathlib.Path(video).read_bytes()).decode()
    text = PAGE.replace("__WANTED__", json.dumps([round(value, 6) for value in wanted()]))
    page = text.replace("__AT__", str(at)).replace("__DATA__", data).encode()
    found = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page if self.path == "/" else b"")

        def do_POST(self):
            found.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    browser = subprocess.Popen(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'chromium'}",
         "--remote-debugging-port=0", f"http://127.0.0.1:{server.server_port}/"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        result = found.get(timeout=120)
    finally:
        browser.terminate()
        browser.wait()
        server.shutdown()
    if "error" in result:
        raise SystemExit(f"Chromium cannot decode {video}: {result['error']}")
    return result["off"]


def render(remix, folder, request):
    folder.mkdir(exist_ok=True)
    (folder / "project.json").write_text(json.dumps(request))
    subprocess.run([remix, "render", folder, "--out", folder / "out", "--replace", "--json"], check=True, stdout=subprocess.DEVNULL)
    return folder / "out" / request["id"] / "video.mp4"


def request_of(demo, **more):
    return {
        "id": "cnt_sound", "format": "ugc-remix", "influencerId": "inf", "output": {"preset": "draft"},
        "reactionTemplates": [{"id": "rt", "src": "silent.mp4"}],
        "media": [{"id": "demo", "mediaRole": "app-demo", "src": demo}], **more}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--remix", default="target/release/remix")
    parser.add_argument("--long", action="store_true")
    options = parser.parse_args()
    wrong = []

    def judge(what, video, at, within, folder):
        places = {"ffmpeg": heard_by_ffmpeg(video, at), "Chromium": heard_by_chromium(video, at, folder)}
        fine = all(abs(off) <= within for off in places.values())
        told = ", ".join(f"{who} {off:+.3f} ms" for who, off in places.items())
        print(f"{'ok  ' if fine else 'OFF '} {what}: {told} (within {within:.3f} ms)", flush=True)
        if not fine:
            wrong.append(what)

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name) / "project"
        folder.mkdir()
        black = ["-f", "lavfi", "-i", "color=black:size=108x192:rate=30:duration=3"]
        ffmpeg(*black, *H264.split(), folder / "silent.mp4")
        source = ["-f", "lavfi", "-i", chirp(2, 3)]
        sample = 1000 / RATE + 1e-6
        for what, file, codecs, within in [
            ("clip, MP4 with AAC and an edit list", "demo.mp4", f"{H264} -bf 2 -c:a aac -b:a 192k", 1.0),
            ("clip, MOV with PCM", "demo.mov", f"{H264} -c:a pcm_s16le", sample),
            ("clip, WebM with Opus", "demo.webm", "-c:v libvpx -c:a libopus", 1.0),
        ]:
            ffmpeg(*black, *source, *codecs.split(), folder / file)
            # FFmpeg writes the pictures beside Opus 7 ms late, and time zero of a clip is its first picture.
            at = 4.993 if "Opus" in what else 5
            judge(what, render(options.remix, folder, request_of(file)), at, within, folder)
        for what, file, codecs, within in [
            ("music, WAV", "track.wav", "", sample),
            ("music, FLAC", "track.flac", "", sample),
            ("music, MP3", "track.mp3", "-c:a libmp3lame -b:a 192k", sample),
            ("music, Ogg Vorbis", "track.ogg", "-c:a libvorbis", sample),
            ("music, M4A with ALAC", "alac.m4a", "-c:a alac", sample),
            ("music, M4A with AAC", "aac.m4a", "-c:a aac -b:a 192k", 1.0),
        ]:
            ffmpeg(*source, *codecs.split(), folder / file)
            music = {"gain": 0, "loop": False, "fadeOut": 0}
            request = request_of("silent.mp4", music=[{"id": "track", "src": file}], audio={"music": music})
            judge(what, render(options.remix, folder, request), 2, within, folder)
        if options.long:
            # Twenty slides of 30 s; the last one is white, from 570 s on, and the voice chirps there.
            for tone in ("black", "white"):
                ffmpeg("-f", "lavfi", "-i", f"color={tone}:size=1080x1920", "-frames:v", "1", folder / f"{tone}.png")
            ffmpeg("-f", "lavfi", "-i", chirp(570, 580), folder / "voice.flac")
            request = {
                "id": "cnt_long", "format": "slideshow-builder", "influencerId": "inf", "output": {"preset": "draft"},
                "app": {"name": "a", "description": "b"},
                "media": [{"id": tone, "src": f"{tone}.png"} for tone in ("black", "white")]
                + [{"id": "voice", "src": "voice.flac"}],
                "slides": [{"media": "white" if n == 19 else "black", "fit": "cover"} for n in range(20)],
                "slideVideo": {"slideDuration": 30, "motion": "none", "transition": {"name": "cut"}},
                "audio": {"voiceOver": {"mediaId": "voice"}}}
            video = render(options.remix, folder, request)
            raw = subprocess.run(["ffmpeg", "-v", "error", "-i", video, "-an", "-vf", "scale=1:1:flags=area,format=gray",
                                  "-f", "rawvideo", "-"], check=True, capture_output=True).stdout
            flash = next(number for number, value in enumerate(raw) if value > 128) / 30
            off = heard_by_ffmpeg(video, flash)
            print(f"{'ok  ' if abs(off) <= 10 else 'OFF '} ten minutes: the flash is at {flash:.3f} s, "
                  f"the chirp {off:+.3f} ms from it")
            if abs(off) > 10:
                wrong.append("ten minutes")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
