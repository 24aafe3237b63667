#!/usr/bin/env bash
# Times the backups after the first, beside find, restic and borg, whichever are installed, on the same tree in the same run: unchanged,
# and with one file in a hundred changed. Rounds are interleaved, and medians printed, with the ratio to dura. Then a large
# file, a hundredth of its 64 KiB pages overwritten at random, and a byte inserted at its start: what each stores.
#
#   integration/again.sh [-n ROUNDS] [-l MEBIBYTES] [TREE...]     by default 5 rounds of /usr/local/go and /usr/share, and a file of 4096
set -eu
rounds=5 large=4096
while [ $# -gt 0 ]; do
    case $1 in
    -n) rounds=$2; shift 2 ;;
    -l) large=$2; shift 2 ;;
    *) break ;;
    esac
done
[ $# -gt 0 ] || set -- /usr/local/go /usr/share
here=$(cd "$(dirname "$0")/.." && pwd)
[ -x /usr/bin/time ] || { echo "GNU time is needed (Debian: apt install time)" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$here" && go build -o "$work/bin/" ./cmd/dura)
export PATH="$work/bin:$PATH" RESTIC_PASSWORD=x BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes BORG_RELOCATED_REPO_ACCESS_IS_OK=yes
export XDG_CACHE_HOME="$work/cache" BORG_BASE_DIR="$work/borg-base"
tree="$work/tree"
mkdir "$tree"
cp -a "$@" "$tree/"

init_dura() { dura init -q --parity none "$work/dura"; }
back_dura() { dura backup -q "$work/dura" "$1"; }
init_restic() { restic init -q --repository-version 2 -r "$work/restic" >/dev/null; }
back_restic() { restic backup -q -r "$work/restic" "$1"; }
init_borg() { borg init -e none "$work/borg" >/dev/null 2>&1; }
back_borg() { borg create --compression zstd,3 "$work/borg::$(date +%s%N)" "$1"; }
back_find() { find "$1" -printf '%s\n'; }

programs=(dura find)
for peer in restic borg; do
    if command -v $peer >/dev/null; then programs+=($peer); else echo "not installed: $peer" >&2; fi
done

# timed runs a job and notes its seconds and its peak memory in MB.
timed() {
    local note=$1
    shift
    export -f "$1"
    export work
    /usr/bin/time -a -o "$note" -f '%e %M' bash -c '"$@"' - "$@" >/dev/null
}
# change writes to one file in a hundred, other ones each time.
change() {
    find "$tree" -type f -size -1024k -size +0 | sort | awk -v r="$1" 'NR % 100 == r % 100' | while read -r f; do echo "$1" >>"$f"; done
}
median() { sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

for p in "${programs[@]}"; do
    [ "$p" = find ] || { "init_$p"; "back_$p" "$tree"; }
done
sleep 3 # so that no file is younger than what each program trusts
for round in $(seq "$rounds"); do
    for p in "${programs[@]}"; do timed "$work/unchanged.$p" "back_$p" "$tree"; done
    change "$round"
    sleep 3
    for p in "${programs[@]}"; do timed "$work/changed.$p" "back_$p" "$tree"; done
done
echo "$(find "$tree" | wc -l) entries, $rounds rounds"
printf '%-8s %14s %8s %8s %16s %8s %8s\n' '' 'unchanged, s' 'dura =' 'peak MB' '1 % changed, s' 'dura =' 'peak MB'
for p in "${programs[@]}"; do
    row=$(printf '%-8s' "$p")
    for job in unchanged changed; do
        s=$(awk '{ print $1 }' "$work/$job.$p" | median) d=$(awk '{ print $1 }' "$work/$job.dura" | median)
        m=$(awk '{ print int($2 / 1024) }' "$work/$job.$p" | sort -n | tail -n 1)
        row="$row $(printf '%14s %8s %8s' "$s" "$(awk "BEGIN { printf \"%.2f\", $d / $s }") x" "$m")"
    done
    echo "$row"
done
[ "$large" -gt 0 ] || exit 0

rm -rf "$tree" "$work"/{dura,restic,borg}
mkdir "$tree"
head -c $((large << 20)) /dev/urandom >"$tree/file"
stored() { du -sb "$work/$1" | awk '{ print $1 }'; }
declare -A before
for p in dura borg; do
    command -v $p >/dev/null || continue
    "init_$p"
    "back_$p" "$tree"
    before[$p]=$(stored $p)
done
pages=$((large * 16))
for page in $(awk -v n="$pages" 'BEGIN { srand(1); while (k < int(n / 100)) if (!seen[p = int(rand() * n)]++) { k++; print p } }'); do
    dd if=/dev/urandom of="$tree/file" bs=64K count=1 seek="$page" conv=notrunc status=none
done
report() {
    for p in dura borg; do
        [ -n "${before[$p]:-}" ] || continue
        "back_$p" "$tree"
        now=$(stored $p)
        echo "$1: $p stores $(((now - before[$p]) >> 10)) KiB"
        before[$p]=$now
    done
}
report "$((pages / 100)) of $pages pages overwritten"
{ printf x; cat "$tree/file"; } >"$tree/other"
mv "$tree/other" "$tree/file"
report "a byte inserted at the start"
