#!/usr/bin/env bash
# Makes the corpora that fuzzing starts from: a few small pictures, or a short tone, in every container and codec that
# the engine reads, and the requests of the fixtures. Needs the ffmpeg command and heif-enc; what the installed ones
# cannot make is left out, and said.
set -euo pipefail
cd "$(dirname "$0")"

corpus=corpus
mkdir -p "$corpus"/{video,audio,still,request}
media=../../fixtures/ugc-remix/media
# From the fixtures, cut and scaled down: 48x88 pixels, six pictures, a quarter of a second of sound.
picture=(-ss 1 -i "$media/reaction.mp4" -map 0:v:0 -vf 'scale=48:88,format=yuv420p' -frames:v 6)
clear=(-ss 1 -i "$media/reaction.mp4" -map 0:v:0 -vf 'scale=48:88,format=yuva420p,colorchannelmixer=aa=0.5' -frames:v 4)
one=(-ss 1 -i "$media/reaction.mp4" -map 0:v:0 -vf 'scale=48:88' -frames:v 1)
tone=(-ss 1 -t 0.25 -i "$media/music.mp3" -map 0:a:0 -map_metadata -1)
both=(-ss 1 -t 0.25 -i "$media/reaction.mp4" -ss 1 -t 0.25 -i "$media/music.mp3"
    -map 0:v:0 -map 1:a:0 -vf 'scale=48:88,format=yuv420p')

# make FOLDER/NAME OPTIONS...: one seed.
make() {
    local file=$corpus/$1
    shift
    if ! nice ffmpeg -v error -nostdin -y "$@" -threads 1 "$file" 2>/dev/null; then
        rm -f "$file"
        echo "seeds.sh: no $file: this ffmpeg cannot make it" >&2
    fi
}

h264=(-c:v libx264 -preset ultrafast -g 3)
make video/h264.mp4 "${picture[@]}" "${h264[@]}" -movflags +faststart
make video/h264-late-index.mp4 "${picture[@]}" "${h264[@]}"
make video/h264-bframes.mp4 "${picture[@]}" -c:v libx264 -bf 2 -g 6 -x264-params ref=2
make video/h264-fragments.mp4 "${picture[@]}" "${h264[@]}" -movflags +frag_keyframe+empty_moov
make video/h264-interlaced.mp4 "${picture[@]}" -c:v libx264 -flags +ildct+ilme -x264-params tff=1
make video/h264-aac.mp4 "${both[@]}" "${h264[@]}" -c:a aac -b:a 48k
make video/h264-flac.mkv "${both[@]}" "${h264[@]}" -c:a flac
make video/h264-turned.mp4 "${picture[@]}" "${h264[@]}" -metadata:s:v:0 rotate=90
make video/hevc.mp4 "${picture[@]}" -c:v libx265 -preset ultrafast -x265-params log-level=none:pools=none -tag:v hvc1
# The x265 of Debian 12 overruns its heap on 10 bit pictures that are smaller.
make video/hevc-hdr.mp4 "${picture[@]}" -vf scale=64:112 -pix_fmt yuv420p10le -c:v libx265 -preset ultrafast -tag:v hvc1 \
    -x265-params log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc
make video/prores.mov "${one[@]}" -c:v prores_ks -profile:v 0
make video/prores-alpha.mov "${one[@]}" -pix_fmt yuva444p10le -c:v prores_ks -profile:v 4
make video/vp8.webm "${picture[@]}" -c:v libvpx -g 3
make video/vp8-alpha.webm "${clear[@]}" -c:v libvpx -auto-alt-ref 0
make video/vp9.webm "${picture[@]}" -c:v libvpx-vp9 -deadline realtime -cpu-used 8
make video/vp9-alpha.webm "${clear[@]}" -c:v libvpx-vp9 -deadline realtime -cpu-used 8
make video/vp9-opus.webm "${both[@]}" -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus
make video/av1.mkv "${picture[@]}" -c:v libaom-av1 -cpu-used 8 -usage realtime
make video/av1.mp4 "${picture[@]}" -c:v libaom-av1 -cpu-used 8 -usage realtime

make audio/tone.mp3 "${tone[@]}" -c:a libmp3lame -b:a 48k
make audio/tone-bare.mp3 "${tone[@]}" -c:a libmp3lame -b:a 48k -write_xing 0 -id3v2_version 0
make audio/tone.m4a "${tone[@]}" -c:a aac -b:a 48k
make audio/tone-alac.m4a "${tone[@]}" -c:a alac
make audio/tone.aac "${tone[@]}" -c:a aac -b:a 48k
make audio/tone.wav "${tone[@]}" -ac 1 -ar 16000
make audio/tone-float.wav "${tone[@]}" -ac 1 -ar 16000 -c:a pcm_f32le
make audio/tone.flac "${tone[@]}" -ac 1 -ar 16000
make audio/vorbis.ogg "${tone[@]}" -c:a libvorbis
make audio/opus.ogg "${tone[@]}" -c:a libopus -b:a 48k
make audio/opus.webm "${tone[@]}" -c:a libopus -b:a 48k
cp "$corpus"/video/{h264-aac.mp4,h264-flac.mkv,vp9-opus.webm} "$corpus/audio/"

make still/picture.jpg "${one[@]}" -pix_fmt yuvj420p -q:v 8
make still/picture-444.jpg "${one[@]}" -pix_fmt yuvj444p -q:v 8
make still/picture.png "${one[@]}" -pix_fmt rgb24
make still/alpha.png "${clear[@]}" -pix_fmt rgba -frames:v 1
make still/deep.png "${one[@]}" -pix_fmt rgb48be
make still/gray.png "${one[@]}" -pix_fmt gray
make still/palette.png "${one[@]}" -pix_fmt pal8
make still/picture.webp "${one[@]}" -c:v libwebp
make still/lossless.webp "${clear[@]}" -frames:v 1 -c:v libwebp -lossless 1
make still/moving.webp "${clear[@]}" -c:v libwebp_anim -loop 0
make still/moving.gif "${picture[@]}" -frames:v 3 -pix_fmt rgb8
make still/picture.gif "${one[@]}" -pix_fmt rgb8
for kind in heic avif; do
    flags=()
    if [[ $kind == avif ]]; then flags=(--avif); fi
    for from in picture alpha; do
        if ! nice heif-enc "${flags[@]}" -q 20 -o "$corpus/still/$from.$kind" "$corpus/still/$from.png" >/dev/null 2>&1
        then
            echo "seeds.sh: no $from.$kind: heif-enc cannot make it" >&2
        fi
    done
done

cp ../../fixtures/ugc-remix/project.json "$corpus/request/"
echo '{}' >"$corpus/request/empty.json"
# Every field once, and every kind of wrong value.
cat >"$corpus/request/every.json" <<'JSON'
{"id":"a~","format":"ugc_remix","hook":"h","hookDuration":-1e300,"mediaId":"m","influencerId":"","socialAccountId":"s",
"variantCount":9,"media":[{"id":"m","mediaRole":"app-demo","src":"../x"},3],"reactionTemplates":[{"id":"r","src":""}],
"reactionTemplateId":"r","music":[{"id":"t","src":"/a"}],"musicTrackId":"t","layout":"grid","captions":[1],
"output":{"preset":"x","thumbnailAt":1e400,"baseUrl":"\ud83d"},"a/b~c":null}
JSON
find "$corpus" -type f -size +64k -print | sed 's/^/seeds.sh: over 64 KiB: /' >&2
