#!/usr/bin/env bash
# Times the mount beside the kernel's squashfs (zstd) and the local disk, in one run: find -printf %s and cat of all files, each for the
# first time in a mount and again; then reads of one large file beside the local disk and "zstd -d", and how soon a mount of a
# thousand bands answers. Rounds are interleaved, every mount is fresh, what lies below is in the page cache; medians are printed, and
# ratios. The processor's seconds, of the readers and of dura-mount together, stand beside those of the clock: a busy machine stretches
# these.
#
#   integration/mountspeed.sh [-n ROUNDS] [-d DIR] [-s MIB] [TREE...]
#
# By default 3 rounds of /usr/local/go and /usr/share, and a large file of 1024 MiB; two minutes, and another one the first time.
# What is made for it stays in DIR for the next run; without -d it is made in a temporary one.
set -eu
rounds=3 work='' mib=1024
while getopts n:d:s: option; do
    case $option in
    n) rounds=$OPTARG ;;
    d) work=$OPTARG ;;
    s) mib=$OPTARG ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || set -- /usr/local/go /usr/share
trees=("${@#/}")
here=$(cd "$(dirname "$0")/.." && pwd)
for tool in /usr/bin/time mksquashfs python3 zstd pgrep; do
    command -v $tool >/dev/null || { echo "needed: $tool (Debian: apt install time squashfs-tools python3 zstd procps)" >&2; exit 1; }
done
[ "$(id -u)" = 0 ] || { echo "only root can mount a squashfs" >&2; exit 1; }

scratch=$(mktemp -d)
point=$scratch/mnt
[ -n "$work" ] || work=$scratch
mkdir -p "$work" "$point"
work=$(realpath "$work")
ended() {
    cd /
    if mountpoint -q "$point"; then umount -l "$point"; fi
    rm -rf "$scratch"
}
trap ended EXIT
if [ -n "${DURA_BIN:-}" ]; then PATH="$DURA_BIN:$PATH"; else
    (cd "$here" && go build -o "$scratch/bin/" ./cmd/...)
    PATH="$scratch/bin:$PATH"
fi

# made makes NAME in the work directory by the rest of the words, unless a former run did.
made() {
    local name=$1
    shift
    [ -e "$work/$name" ] || { "$@" "$work/$name.new" && mv "$work/$name.new" "$work/$name"; }
}
image() { (cd / && mksquashfs "${trees[@]}" "$1" -comp zstd -no-strip -quiet -no-progress >/dev/null); }
tree() { dura init -q "$1" && dura backup -q "$1" "${trees[@]/#//}"; }
large() { # half of it shrinks
    python3 -c 'import os, sys
words = [b"alpha ", b"beta ", b"gamma ", b"delta\n", b"epsilon ", b"zeta ", b"eta ", b"theta "]
for _ in range(int(sys.argv[1])):
    sys.stdout.buffer.write(os.urandom(1 << 19) + b"".join(words[b & 7] for b in os.urandom(120000))[:1 << 19].ljust(1 << 19))' "$mib" >"$1"
}
large_archive() { dura init -q "$1" && dura backup -q "$1" "$work/large-$mib"; }
bands() {
    dura init -q "$1" && mkdir -p "$work/tiny" && echo content >"$work/tiny/file"
    for _ in $(seq 1000); do dura backup -q "$1" "$work/tiny"; done
}
made image image
made archive tree
made "large-$mib" large
made "large-$mib.archive" large_archive
made bands bands

server() { pgrep -f "^dura-mount $1 $point( |\$)" | head -n 1; }
mount_local() { top=/ pid=; }
mount_squashfs() { mount -t squashfs -o loop,ro "$work/image" "$point"; top=$point pid=; }
mount_dura() { dura-mount "$work/archive" "$point"; top=$point/latest pid=$(server "$work/archive"); }
unmount() { [ "$1" = local ] || umount "$point"; }
cpu() { [ -z "$1" ] || awk '{ print ($14 + $15) / 100 }' "/proc/$1/stat"; }

# timed notes, under a name, the seconds that a script takes in a directory, and the processor's, those of process pid included.
timed() {
    local name=$1 dir=$2 before after
    before=$(cpu "$pid")
    (cd "$dir" && /usr/bin/time -o "$scratch/time" -f '%e %U %S' bash -c "$3" - "${trees[@]}" >/dev/null)
    after=$(cpu "$pid")
    tail -n 1 "$scratch/time" | awk -v b="${before:-0}" -v a="${after:-0}" '{ print $1 }
        END { print $2 + $3 + a - b >"/dev/stderr" }' >>"$scratch/$name" 2>>"$scratch/$name.cpu"
}
find_all='find "$@" -printf "%s\n"'
cat_all='find "$@" -type f -print0 | xargs -0 cat'

# warm brings what lies below a mount into the page cache: some kernels drop what was not used for a minute.
warm() {
    case $1 in
    local) (cd / && bash -c "$find_all; $cat_all" - "${trees[@]}") ;;
    squashfs) cat "$work/image" ;;
    dura) find "$work/archive/" -type f -print0 | xargs -0 cat ;;
    esac >/dev/null
}

median() { sort -n "$scratch/$1" | awk '{ v[NR] = $1 } END { printf "%.4g", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
ratio() { awk "BEGIN { printf \"%.2f\", $(median "$1") / ($(median "$2") + 1e-9) }"; }
row() { printf '%-24s %12s %12s %12s %12s\n' "$@"; }
# line is a row of the table: what OF makes of each column of A, and of B.
line() {
    local label=$1 of=$2 a=$3 b=${4:-} cells=() column
    for column in find-first cat-first find-again cat-again; do cells+=("$($of "$column.$a" ${b:+"$column.$b"})"); done
    row "$label" "${cells[@]}"
}

systems=(local squashfs dura)
for _ in $(seq "$rounds"); do
    for system in "${systems[@]}"; do
        warm "$system"
        mount_$system
        for time in first again; do
            timed "find-$time.$system" "$top" "$find_all"
            timed "cat-$time.$system" "$top" "$cat_all"
        done
        [ -z "$pid" ] || awk '/VmHWM/ { print int($2 / 1024) }' "/proc/$pid/status" >>"$scratch/peak"
        unmount "$system"
    done
done
echo "$(cd / && find "${trees[@]}" | wc -l) entries, $(cd / && bash -c "$cat_all" - "${trees[@]}" | wc -c) bytes of content; $rounds rounds; load $(cut -d' ' -f1 /proc/loadavg)"
row seconds 'find, first' 'cat, first' 'find, again' 'cat, again'
for system in "${systems[@]}"; do
    line "$system" median "$system"
    line '  of the processor' median "$system.cpu"
done
for system in local squashfs; do
    line "dura / $system" ratio dura "$system"
    line '  of the processor' ratio dura.cpu "$system.cpu"
done
echo "peak memory of dura-mount: $(median peak) MB"

# random notes the median microseconds of reads of 4 KiB here and there in a file, and of the same once more.
random() {
    python3 -c 'import os, random, sys, time
f = os.open(sys.argv[1], os.O_RDONLY)
random.seed(sys.argv[2])
places = [random.randrange(os.fstat(f).st_size >> 12) << 12 for _ in range(1000)]
for suffix in "cold", "warm":
    took = []
    for place in places:
        began = time.perf_counter()
        os.pread(f, 4096, place)
        took.append((time.perf_counter() - began) * 1e6)
    with open(sys.argv[3] + suffix, "a") as out:
        print(sorted(took)[len(took) // 2], file=out)' "$1" "$2" "$scratch/random.$3."
}
file=$work/large-$mib archive=$work/large-$mib.archive
find "$archive/" -type f -print0 | xargs -0 cat >/dev/null
for round in $(seq "$rounds"); do
    cat "$file" >/dev/null
    random "$file" "$round" local
    dura-mount "$archive" "$point"
    random "$point/latest$file" "$round" dura
    umount "$point"
    dura-mount "$archive" "$point"
    pid=$(server "$archive")
    timed large.dura "$point/latest" "cat '${file#/}'"
    umount "$point"
    pid=''
    timed large.zstd "$archive" 'find bands/*/data -type f -print0 | xargs -0 -P 2 -n 4 zstd -dcq'
    for _ in 1 2 3 4 5; do
        began=$(date +%s%N)
        dura-mount "$work/bands" "$point"
        echo $((($(date +%s%N) - began) / 1000)) >>"$scratch/ready"
        umount "$point"
    done
done
echo
echo "4 KiB anywhere in $mib MiB, microseconds: dura $(median random.dura.cold), again $(median random.dura.warm); local disk $(median random.local.warm)"
echo "$mib MiB in order, seconds (of the processor): dura $(median large.dura) ($(median large.dura.cpu)); zstd -d of its blocks, two at a time $(median large.zstd) ($(median large.zstd.cpu)); speed $(ratio large.zstd large.dura) of zstd's"
echo "a mount of $(find "$work/bands/bands/" -name '*.tail' | wc -l) bands is ready after $(awk "BEGIN { print $(median ready) / 1000 }") ms"
