#!/usr/bin/env bash
# Renders the fixture and runs the one equivalent ffmpeg command in turn, and prints the ratios of wall and CPU time.
# Usage: benches/versus_ffmpeg.sh [RUNS]   (default 5; one more of each, first, is not counted)
# Both use x264 veryfast, crf 20, a key frame every 60 frames, and AAC at 192 kbit/s, on all cores.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-5}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo build --release --quiet
remix=target/release/remix
media=fixtures/ugc-remix/media
hook=$(python3 -c 'import json; print(json.load(open("fixtures/ugc-remix/project.json"))["hook"])')
"$remix" text "$hook" --out "$work/canvas.png" >/dev/null
# The overlay filter gets the text alone, not a whole transparent canvas: that is the fast way to use it.
read -r width height x y < <(python3 - "$work" <<'PY'
import subprocess, sys
found = subprocess.run(
    ["ffmpeg", "-v", "info", "-i", sys.argv[1] + "/canvas.png", "-vf", "alphaextract,bbox", "-f", "null", "-"],
    capture_output=True, text=True).stderr
import re
box = {k: int(v) for k, v in re.findall(r"(w|h|x1|y1):(\d+)", found)}
even = lambda n: n // 2 * 2
x, y = even(box["x1"]), even(box["y1"])
print(even(box["w"] + 3), even(box["h"] + 3), x, y)
PY
)
ffmpeg -v error -y -i "$work/canvas.png" -vf "crop=$width:$height:$x:$y" "$work/hook.png"

graph="[0:v]fps=30,scale=1080:1920:flags=bicubic,setsar=1[a];
[1:v]fps=30,crop=1170:2080:0:226,scale=1080:1920:flags=bicubic,setsar=1[b];
[a][b]concat=n=2:v=1:a=0[c];[c][3:v]overlay=$x:$y:enable='lt(t,4)'[v];
[0:a]aresample=48000,pan=stereo|c0=c0|c1=c0[ra];[1:a]aresample=48000[da];[ra][da]concat=n=2:v=0:a=1[ca];
[2:a]aresample=48000,volume=-12dB,atrim=0:16,afade=t=out:st=15:d=1[m];
[ca][m]amix=inputs=2:normalize=0:duration=first[s]"
theirs() {
    ffmpeg -v error -y -i $media/reaction.mp4 -i $media/app-demo.mp4 -i $media/music.mp3 -i "$work/hook.png" \
        -filter_complex "$graph" -map '[v]' -map '[s]' -c:v libx264 -preset veryfast -crf 20 -g 60 \
        -color_range tv -colorspace bt709 -color_primaries bt709 -color_trc bt709 \
        -c:a aac -b:a 192k -movflags +faststart "$work/theirs.mp4" </dev/null
}
ours() { "$remix" render fixtures/ugc-remix --out "$work/ours" --replace >/dev/null; }

# Prints wall and CPU seconds and peak KiB of a command.
measure() {
    export -f "$1"
    export work media graph x y remix
    /usr/bin/time -f '%e %U %S %M' -o "$work/time" bash -c "$1" && awk '{print $1, $2 + $3, $4}' "$work/time"
}
measure ours >/dev/null
measure theirs >/dev/null
for _ in $(seq "$runs"); do
    echo "$(measure ours) $(measure theirs)"
done >"$work/runs"
python3 - "$work/runs" <<'PY'
import statistics, sys
rows = [list(map(float, line.split())) for line in open(sys.argv[1])]
column = lambda k: statistics.median(row[k] for row in rows)
ratio = lambda a, b: statistics.median(row[a] / row[b] for row in rows)
print(f"{'':10}{'wall s':>9}{'CPU s':>9}{'peak MiB':>10}   medians of {len(rows)} runs in turn")
print(f"{'remix':10}{column(0):9.2f}{column(1):9.2f}{column(2) / 1024:10.0f}")
print(f"{'ffmpeg':10}{column(3):9.2f}{column(4):9.2f}{column(5) / 1024:10.0f}")
print(f"{'ratio':10}{ratio(0, 3):9.3f}{ratio(1, 4):9.3f}{ratio(2, 5):10.3f}")
PY
