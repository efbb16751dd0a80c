#!/usr/bin/env bash
# Measures, each figure as the median of several runs and beside a peer or the bare system call of the same run.
# Needs the release build (make bench makes it); root for what starts sandboxes; python3 for load. What cannot be
# measured here is skipped, with the reason. SANDWARDEN_CORPORA: a folder with benign_nl2bash_dev.jsonl.
set -euo pipefail
cd "$(dirname "$0")/.."
binary=${SANDWARDEN_BINARY:-.build/release/sandwarden}
corpora=${SANDWARDEN_CORPORA:-$(realpath -m ../shared/corpora)}
starts=${BENCH_STARTS:-15}

folder=$(mktemp -d /tmp/sandwarden-bench-XXXXXX)
chmod 711 "$folder"
daemon=
cleanup() {
    local code=$?
    trap - EXIT INT TERM
    if [[ -n $daemon ]]; then
        kill "$daemon" 2>/dev/null || true
        wait "$daemon" 2>/dev/null || true
    fi
    rm -rf "$folder"
    exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

title() { printf '\n== %s\n' "$1"; }
skip() { printf 'SKIPPED %s: %s\n' "$1" "$2"; }

title "The machine"
printf '%s, %s cores, Linux %s\n' "$(awk -F': ' '/model name/ {print $2; exit}' /proc/cpuinfo)" "$(nproc)" "$(uname -r)"
printf 'commit %s, %s\n' "$(git rev-parse --short HEAD 2>/dev/null || echo unknown)" "$(swift --version 2>&1 | head -1)"
printf 'load before: %s\n' "$(cut -d' ' -f1-3 /proc/loadavg)"

title "In one process"
swift build --package-path Benchmarks -c release --product Benchmarks >"$folder/build.log" 2>&1 ||
    { tail -20 "$folder/build.log" >&2; exit 1; }
list=$corpora/benign_nl2bash_dev.jsonl
: >"$folder/commands"
[[ ! -r $list ]] || jq -j '.command + "\u0000"' "$list" >"$folder/commands"
Benchmarks/.build/release/Benchmarks nl2bash <"$folder/commands"

title "The daemon"
mkdir -p "$folder/policies"
cat >"$folder/policies/bench.yaml" <<'POLICY'
name: bench
extends: strict
auto_terminate_on_violation: false
on_violation: {high: log}
POLICY
SANDWARDEN_ON_SHUTDOWN=terminate SANDWARDEN_LOG_LEVEL=error SANDWARDEN_POLICIES_DIR=$folder/policies \
    "$binary" serve --listen 127.0.0.1:0 --data "$folder/data" >"$folder/banner" 2>"$folder/daemon.log" &
daemon=$!
address=
for _ in $(seq 1 100); do
    address=$(awk '$1 == "listening" {print $2; exit}' "$folder/banner" | tr -d ,)
    [[ -z $address ]] || break
    sleep 0.1
done
if [[ -z $address ]]; then
    tail -5 "$folder/daemon.log" >&2
    exit 1
fi
sandbox=
if [[ $(id -u) -eq 0 ]]; then
    # It lives through the whole run, so that there is something to watch.
    sandbox=$(curl -sS -H 'Content-Type: application/json' --data '{"policy":"bench","runtime":"oci"}' \
        "http://$address/sandboxes" | jq -r '.id // empty')
fi
[[ -n $sandbox ]] || skip "denied commands, samples" "no sandbox can be made here"
if command -v python3 >/dev/null; then
    python3 Benchmarks/load.py "$address" ${sandbox:+"$sandbox"}
else
    skip "requests" "python3 is not installed"
fi

title "Starting a sandbox"
if [[ $(id -u) -ne 0 ]]; then
    skip "sandbox starts" "not root"
elif ! command -v python3 >/dev/null; then
    skip "sandbox starts" "python3 is not installed"
else
    python3 Benchmarks/starts.py "$address" "$starts" "$folder"
fi

title "Watching and writing, by the daemon's own counters"
! command -v python3 >/dev/null || python3 Benchmarks/sync.py "$folder"
curl -sS "http://$address/metrics" >"$folder/metrics"
awk '
    $1 == "sandwarden_monitor_sample_duration_seconds_sum" { sum = $2 }
    $1 == "sandwarden_monitor_sample_duration_seconds_count" { count = $2 }
    $1 == "sandwarden_journal_sync_duration_seconds_sum" { flush = $2 }
    $1 == "sandwarden_journal_sync_duration_seconds_count" { flushes = $2 }
    /^sandwarden_journal_appended_total/ { records += $2 }
    END {
        if (count) printf "monitor.sample: %d samples, %.0f µs each on average\n", count, 1e6 * sum / count
        else print "SKIPPED monitor.sample: no sandbox was watched"
        if (flushes)
            printf "journal.flush: %d flushes, %.0f µs each on average, %.1f records in each\n",
                flushes, 1e6 * flush / flushes, records / flushes
    }' "$folder/metrics"
