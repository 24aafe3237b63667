#!/usr/bin/env bash
# Times dura beside tar with zstd, restic and borg, whichever are installed, on the same trees in the same run: first backup,
# restore to memory, size, peak memory. Rounds are interleaved, and medians printed, with the ratio to dura.
#
#   integration/peers.sh [-n ROUNDS] [TREE...]        by default 5 rounds of /usr/local/go and /usr/share
set -eu
rounds=5
[ "${1:-}" != -n ] || { rounds=$2; shift 2; }
[ $# -gt 0 ] || set -- /usr/local/go /usr/share
trees=("$@")
here=$(cd "$(dirname "$0")/.." && pwd)
[ -x /usr/bin/time ] || { echo "GNU time is needed (Debian: apt install time)" >&2; exit 1; }

work=$(mktemp -d)      # archives, on disk
memory=$(mktemp -d -p /dev/shm) # what is restored
trap 'rm -rf "$work" "$memory"' EXIT
(cd "$here" && go build -o "$work/bin/" ./cmd/dura)
export PATH="$work/bin:$PATH" RESTIC_PASSWORD=x BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes BORG_RELOCATED_REPO_ACCESS_IS_OK=yes
export XDG_CACHE_HOME="$work/cache" BORG_BASE_DIR="$work/borg-base"

relative=("${trees[@]#/}")
backup_dura() { dura init -q --parity none "$work/dura"; timed dura backup -q "$work/dura" "${trees[@]}"; }
restore_dura() { timed dura restore -q "$work/dura" "$memory/out"; }
backup_tar() { (cd / && timed bash -c 'f=$1; shift; tar c "$@" | zstd -3 -T2 -q -f -o "$f"' - "$work/tar" "${relative[@]}"); }
restore_tar() { mkdir "$memory/out"; timed bash -c 'zstd -dc "$1" | tar x -C "$2"' - "$work/tar" "$memory/out"; }
backup_restic() {
    restic init -q --repository-version 2 -r "$work/restic" >/dev/null
    timed restic backup -q --no-cache -r "$work/restic" "${trees[@]}"
}
restore_restic() { timed restic restore -q --no-cache -r "$work/restic" --target "$memory/out" latest; }
backup_borg() {
    borg init -e none "$work/borg" >/dev/null 2>&1
    timed borg create --compression zstd,3 --files-cache disabled "$work/borg::a" "${trees[@]}"
}
restore_borg() { mkdir "$memory/out"; (cd "$memory/out" && timed borg extract "$work/borg::a"); }

# timed runs a command and notes its seconds and its peak memory in MB.
timed() {
    /usr/bin/time -o "$work/time" -f '%e %M' "$@" >/dev/null 2>"$work/stderr" || { cat "$work/stderr" >&2; return 1; }
}

# warm brings what a job reads into the page cache: some kernels drop what was not used for a minute.
warm() {
    case $1 in
    backup) find "${trees[@]}" -type f -print0 | xargs -0 cat >/dev/null ;;
    restore) find "$work/$2" -type f -print0 | xargs -0 cat >/dev/null ;;
    esac
}

programs=(dura tar)
for peer in restic borg; do
    if command -v $peer >/dev/null; then programs+=($peer); else echo "not installed: $peer" >&2; fi
done
cat_all() { find "${trees[@]}" -type f -print0 | xargs -0 cat | wc -c; }
echo "$(find "${trees[@]}" | wc -l) entries, $(cat_all) bytes of content; $rounds rounds"

for round in $(seq "$rounds"); do
    for program in "${programs[@]}"; do
        rm -rf "${work:?}/$program"
        for job in backup restore; do
            sync # what was written and deleted before is not the next one's to wait for
            warm "$job" "$program"
            "${job}_$program"
            tail -n 1 "$work/time" >>"$work/$job.$program"
            rm -rf "$memory/out"
        done
    done
done

median() { sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
seconds() { awk '{ print $1 }' "$work/$1.$2" | median; }
peak() { awk '{ print int($2 / 1024) }' "$work/$1.$2" | sort -n | tail -n 1; }
printf '%-8s %10s %8s %8s %10s %8s %8s %10s\n' '' 'backup, s' 'dura =' 'peak MB' 'restore, s' 'dura =' 'peak MB' 'size, MB'
for program in "${programs[@]}"; do
    size=$(du -sb "$work/$program" | awk '{ printf "%.1f", $1 / 1e6 }')
    b=$(seconds backup "$program") r=$(seconds restore "$program")
    printf '%-8s %10s %8s %8s %10s %8s %8s %10s\n' "$program" "$b" "$(awk "BEGIN { printf \"%.2f\", $(seconds backup dura) / $b }") x" \
        "$(peak backup "$program")" "$r" "$(awk "BEGIN { printf \"%.2f\", $(seconds restore dura) / $r }") x" "$(peak restore "$program")" "$size"
done
