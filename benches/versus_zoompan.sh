#!/usr/bin/env bash
# A slideshow video of 20 s, five pictures with a slow zoom and a fade between: the engine against one ffmpeg command
# with zoompan and xfade at the same x264 settings, in turn. Needs ffmpeg and GNU time.
#
#   benches/versus_zoompan.sh [RUNS]
#
# zoompan cuts at whole pixels of its input: pictures are enlarged eight times first, so that steps are an eighth of a
# pixel. The engine's are a twentieth (tests/slideshow_video.rs), so this is in ffmpeg's favour.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-3}
cargo build --locked --release --quiet
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

media='' slides=''
for n in 0 1 2 3 4; do
    cp "fixtures/slideshow-builder/media/$([[ $((n % 2)) == 0 ]] && echo morning || echo evening).jpg" "$work/$n.jpg"
    media+="${media:+,}{\"id\":\"m$n\",\"mediaRole\":\"image\",\"src\":\"$n.jpg\"}"
    slides+="${slides:+,}{\"media\":\"m$n\"}"
done
cat >"$work/project.json" <<EOF
{"id":"bench","format":"slideshow-builder","influencerId":"i","app":{"name":"A","description":"B"},
 "media":[$media],"slides":[$slides],
 "slideVideo":{"slideDuration":4.32,"transition":{"name":"dissolve","duration":0.4}}}
EOF

inputs=() graph='' last=v0
for n in 0 1 2 3 4; do
    inputs+=(-i "$work/$n.jpg")
    if ((n % 2)); then zoom="1.1-0.1*on/129"; else zoom="1+0.1*on/129"; fi
    graph+="[$n:v]scale=8640:15360:force_original_aspect_ratio=increase,crop=8640:15360,"
    graph+="zoompan=z='$zoom':x='iw/2-iw/zoom/2':y='ih/2-ih/zoom/2':d=130:s=1080x1920:fps=30,settb=1/30,format=yuv420p[v$n];"
done
for n in 1 2 3 4; do
    graph+="[$last][v$n]xfade=transition=fade:duration=0.4:offset=$(awk "BEGIN{print $n * 3.92}")[x$n];"
    last="x$n"
done

measure() { /usr/bin/time --format '%e %U %M' --output "$work/time" "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }; cat "$work/time"; }
median() { sort -n | awk '{v[NR]=$1} END{print v[int((NR+1)/2)]}'; }
for ((run = 0; run < runs; run++)); do
    measure target/release/remix render "$work" --out "$work/out" --replace --no-cache >>"$work/ours"
    measure ffmpeg -nostdin -y -v error "${inputs[@]}" -filter_complex "${graph%;}" -map "[$last]" \
        -c:v libx264 -preset veryfast -crf 20 -g 60 "$work/theirs.mp4" >>"$work/theirs"
done
ours=$(cut -d' ' -f1 "$work/ours" | median)
theirs=$(cut -d' ' -f1 "$work/theirs" | median)
echo "frames: $(ffprobe -v error -count_packets -select_streams v -show_entries stream=nb_read_packets -of csv=p=0 "$work/out/bench/video.mp4") and $(ffprobe -v error -count_packets -select_streams v -show_entries stream=nb_read_packets -of csv=p=0 "$work/theirs.mp4")"
echo "remix:  $ours s, $(cut -d' ' -f3 "$work/ours" | median) KiB"
echo "ffmpeg: $theirs s, $(cut -d' ' -f3 "$work/theirs" | median) KiB"
awk "BEGIN{printf \"ffmpeg / remix: %.2f\n\", $theirs / $ours}"
