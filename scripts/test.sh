#!/usr/bin/env bash
# Runs the tests, one target after the other, so that suites that measure waits do not starve each other.
# Arguments are names of test targets (for example HTTPTests); none means all.
# Where root, Docker or runc is missing, what needs them is skipped, said and counted.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install-packages.sh test

engine_dir=
log=$(mktemp)
cleanup() {
    [[ -z $engine_dir ]] || scripts/engine.sh stop "$engine_dir" || true
    rm -f "$log"
}
trap cleanup EXIT INT TERM

if [[ -z ${SANDWARDEN_TEST_DOCKER:-} ]]; then
    if [[ $(id -u) -ne 0 ]]; then
        echo "SKIPPED docker: not root, so no engine can be started" | tee -a "$log"
    elif ! command -v dockerd >/dev/null; then
        echo "SKIPPED docker: dockerd is not installed" | tee -a "$log"
    else
        engine_dir=$(mktemp -d /tmp/swe-XXXXXX)
        if address=$(scripts/engine.sh start "$engine_dir"); then
            export SANDWARDEN_TEST_DOCKER=$address
            echo "test engine: $address"
        else
            engine_dir=
            echo "SKIPPED docker: the engine did not start" | tee -a "$log"
        fi
    fi
fi
export SANDWARDEN_CORPORA=${SANDWARDEN_CORPORA:-$(realpath -m ../shared/corpora)}
export SANDWARDEN_REFERENCE=${SANDWARDEN_REFERENCE:-$(realpath -m ../shared/reference)}

swift build --build-tests
targets=("$@")
if [[ ${#targets[@]} -eq 0 ]]; then
    for folder in Tests/*/; do targets+=("$(basename "$folder")"); done
fi

# Prints a target's failures and last line; adds all that it printed to the log when it passed or `keep` is given.
run_target() {
    local target=$1 keep=${2:-} output status=0
    output=$(mktemp)
    timeout 1200 swift test --skip-build --filter "^$target\." >"$output" 2>&1 || status=$?
    grep -E '✘|recorded an issue|error:|^SKIPPED|skipped' "$output" | grep -vE 'started\.$' | head -80 || true
    printf '%-24s %s\n' "$target" "$(grep -E 'Test run with' "$output" | tail -1 || true)"
    if [[ $status -eq 0 || -n $keep ]]; then cat "$output" >>"$log"; fi
    rm -f "$output"
    return "$status"
}

# These suites use the whole host: its kernel, its engine, its clock. A target that fails is run once more, and said so:
# what fails twice is broken, what fails once is listed for whoever reads the log.
failures=0
retried=()
for target in "${targets[@]}"; do
    run_target "$target" && continue
    echo "RETRIED $target, because of the failures above"
    retried+=("$target")
    run_target "$target" keep || { echo "FAILED $target"; failures=$((failures + 1)); }
done
[[ ${#retried[@]} -eq 0 ]] || echo "failed once: ${retried[*]}"

passed=$(grep -cE '^. Test .* passed after ' "$log" || true)
failed=$(grep -cE '^. Test .* failed after ' "$log" || true)
skipped=$(grep -cE '^. (Test|Suite) .* skipped|^SKIPPED' "$log" || true)
echo "$passed passed, $failed failed, $skipped skipped"
[[ $failures -eq 0 ]]
