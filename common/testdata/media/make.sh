#!/bin/sh
# Makes the segments in this folder, into the folder that it is started in.
set -eu

ff() { ffmpeg -nostdin -v error -y "$@"; }
exact='-fflags +bitexact -flags:v +bitexact -flags:a +bitexact -map_metadata -1'
picture='-f lavfi -i testsrc2=size=320x180:rate=30'
sound='-f lavfi -i sine=frequency=440:sample_rate=48000'
x264='-c:v libx264 -preset veryfast -crf 40 -pix_fmt yuv420p'
x265='-c:v libx265 -preset veryfast -crf 40 -x265-params log-level=none:info=0'
aac='-c:a aac -b:a 32k -ac 1'
mp3='-c:a libmp3lame -b:a 32k -ac 1'
length='-t 0.4'
closed='-bf 0 -g 15'

# the words of the variables are arguments
# shellcheck disable=SC2086
main() {
    # MPEG-TS
    ff $picture $sound $length $x264 $closed $aac $exact h264-aac.ts
    ff $picture $sound $length $x264 $closed $mp3 $exact h264-mp3.ts
    ff $picture $sound $length $x264 $closed -c:a ac3 -b:a 64k -ac 1 $exact h264-ac3.ts
    ff $picture $sound $length $x264 $closed -c:a eac3 -b:a 64k -ac 1 $exact h264-eac3.ts
    ff $picture $sound $length $x265:bframes=0:keyint=15:open-gop=0 -pix_fmt yuv420p $aac $exact hevc-aac.ts
    ff -f lavfi -i testsrc2=size=322x182:rate=30000/1001 $length $x264 -bf 3 -g 15 $exact h264-cropped-2997.ts
    ff -f lavfi -i testsrc2=size=320x180:rate=50 $length -vf interlace $x264 $closed -flags +ildct+ilme \
        -x264opts tff=1 $exact h264-interlaced.ts
    ff $sound $length $aac $exact aac.ts
    ff $sound $length $mp3 $exact mp3.ts

    # packed audio
    ff $sound $length $aac $exact packed.aac
    ff $sound $length $mp3 $exact -id3v2_version 0 -write_xing 0 packed.mp3
    ff $sound $length -c:a ac3 -b:a 64k -ac 1 $exact packed.ac3
    ff $sound $length -c:a eac3 -b:a 64k -ac 1 $exact packed.eac3

    # MPEG-TS that begins with a picture of an open group, and with one that needs others
    ff $picture -t 0.8 $x264 -bf 2 -g 12 -sc_threshold 0 -x264opts open-gop=1 $exact whole.ts
    ff -i whole.ts -c copy $exact -f segment -segment_times 0.35 whole-%d.ts
    mv whole-1.ts h264-open-gop.ts
    ff $picture -t 0.8 $x265:bframes=3:keyint=12:min-keyint=12:open-gop=1:scenecut=0 -pix_fmt yuv420p10le $exact whole.ts
    ff -i whole.ts -c copy $exact -f segment -segment_times 0.35 whole-%d.ts
    mv whole-1.ts hevc-open-gop.ts
    ff $picture -t 0.6 $x264 -bf 0 -g 60 $exact whole.ts
    ff -i whole.ts -c copy $exact -f segment -segment_times 0.3 -break_non_keyframes 1 whole-%d.ts
    mv whole-1.ts h264-mid-gop.ts

    # fragmented MP4
    fmp4 0 h264-aac.mp4 $picture $sound $length $x264 $closed $aac
    fmp4 0 hevc-aac.mp4 $picture $sound $length $x265:bframes=0:keyint=15:open-gop=0 -tag:v hvc1 -pix_fmt yuv420p $aac
    fmp4 0 av1-opus.mp4 $picture $sound $length -c:v libaom-av1 -cpu-used 8 -crf 60 -c:a libopus -b:a 16k -ac 1
    fmp4 0 vp9-flac.mp4 $picture $sound -t 0.2 -c:v libvpx-vp9 -crf 60 -b:v 0 -c:a flac -ac 1 -strict experimental
    fmp4 0 aac.mp4 $sound $length $aac
    fmp4 1 h264-mid-gop.mp4 $picture -t 0.6 $x264 -bf 0 -g 60 -hls_flags split_by_time -hls_time 0.3
    rm whole*

    # where pictures are, when they are shown and decoded, and whether decoding can begin with them
    for name in h264-aac h264-open-gop h264-mid-gop h264-cropped-2997 h264-interlaced hevc-aac hevc-open-gop; do
        ffprobe -v quiet -select_streams v -show_entries packet=pos,pts,dts,flags -of compact=p=0:nk=1 "$name.ts" |
            sed -nE "s/^([0-9]+)\|([0-9]+)\|([0-9]+)\|(.).*/$name.ts \3 \1 \2 \4/p" | tr _ -
    done >pictures.txt
    # when frames of sound are heard, and how many bytes each has
    for name in h264-aac h264-mp3 h264-ac3 h264-eac3 aac; do
        ffprobe -v quiet -select_streams a -show_entries packet=pts,size -of compact=p=0:nk=1 "$name.ts" |
            sed -nE "s/^([0-9]+)\|([0-9]+).*/$name.ts \1 \2/p"
    done >sounds.txt
}

# fmp4 NUMBER FILE ARGUMENT…: the initialization section and the segment of that number
fmp4() {
    number=$1
    file=$2
    shift 2
    # shellcheck disable=SC2086
    ff "$@" $exact -f hls -hls_segment_type fmp4 -hls_fmp4_init_filename whole.init -hls_segment_filename whole%d.m4s whole.m3u8
    cat whole.init "whole$number.m4s" >"$file"
}

main
