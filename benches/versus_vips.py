#!/usr/bin/env python3
"""Ten slides from JPEGs of 12 megapixels with two lines of text each: the engine against libvips, in turn.

    benches/versus_vips.py [RUNS]

Both shrink on load, scale to cover 1080x1920, set the text and write JPEG of quality 90. Needs ffmpeg, libvips with its
binding for Python (`pip install pyvips`), and GNU time. Prints medians and the ratio of wall times, and how the engine
gains from a second thread.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REMIX = ROOT / "target/release/remix"
THEIRS = """
import sys
import pyvips
folder = sys.argv[1]
for number in range(10):
    picture = pyvips.Image.thumbnail(f"{folder}/{number}.jpg", 1080, height=1920, crop="centre")
    text = pyvips.Image.text(f"Slide number {number + 1}\\nwith a second line", font="Inter Bold 84", align="centre", dpi=72)
    white = text.new_from_image([255, 255, 255]).copy(interpretation="srgb").bandjoin(text)
    place = ((1080 - text.width) // 2, (1920 - text.height) // 2)
    picture.composite2(white, "over", x=place[0], y=place[1]).flatten().jpegsave(f"{folder}/v{number}.jpg", Q=90, strip=True)
"""


def measured(*command):
    """Wall seconds and peak MiB."""
    words = ["/usr/bin/time", "--format", "%e %M", *map(str, command)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    wall, peak = done.stderr.split()[-2:]
    return float(wall), int(peak) / 1024


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    subprocess.run(["cargo", "build", "--locked", "--release", "--quiet"], cwd=ROOT, check=True)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(10):
            scene, size = [("morning", "3000:4000"), ("evening", "4000:3000")][number % 2]
            source = ROOT / f"fixtures/slideshow-builder/media/{scene}.jpg"
            filters = f"scale={size},noise=alls=8:all_seed={number}"
            words = ["ffmpeg", "-v", "error", "-i", source, "-vf", filters, "-q:v", "2", f"{folder}/{number}.jpg"]
            subprocess.run(words, check=True)
        media = [{"id": f"m{n}", "mediaRole": "image", "src": f"{n}.jpg"} for n in range(10)]
        slides = [{"media": f"m{n}", "text": f"Slide number {n + 1}\nwith a second line"} for n in range(10)]
        app = {"name": "A", "description": "B"}
        request = {"id": "b", "format": "slideshow-builder", "influencerId": "i", "app": app}
        Path(folder, "project.json").write_text(json.dumps({**request, "media": media, "slides": slides}))
        Path(folder, "theirs.py").write_text(THEIRS)
        rows = []
        for _ in range(runs + 1):
            ours = measured(REMIX, "render", folder, "--out", f"{folder}/out", "--replace")
            one = measured(REMIX, "render", folder, "--out", f"{folder}/out", "--replace", "--threads", "1")
            theirs = measured(sys.executable, f"{folder}/theirs.py", folder)
            rows.append((*ours, one[0], *theirs))
        # The first run warms the caches.
        wall, peak, one, their_wall, their_peak = (statistics.median(column) for column in zip(*rows[1:]))
        print(f"remix:   {wall:.2f} s, {peak:.0f} MiB; with one thread {one:.2f} s, {one / wall:.2f} times as long")
        print(f"libvips: {their_wall:.2f} s, {their_peak:.0f} MiB")
        print(f"remix / libvips: {wall / their_wall:.2f}")


main()
