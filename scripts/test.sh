#!/usr/bin/env bash
# Runs the tests. Arguments go to `swift test` (for example --filter HTTPTests).
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
        echo "SKIPPED docker: not root, so no engine can be started"
    elif ! command -v dockerd >/dev/null; then
        echo "SKIPPED docker: dockerd is not installed"
    else
        engine_dir=$(mktemp -d /tmp/swe-XXXXXX)
        if address=$(scripts/engine.sh start "$engine_dir"); then
            export SANDWARDEN_TEST_DOCKER=$address
            echo "test engine: $address"
        else
            engine_dir=
            echo "SKIPPED docker: the engine did not start"
        fi
    fi
fi
export SANDWARDEN_CORPORA=${SANDWARDEN_CORPORA:-$(realpath -m ../shared/corpora)}
export SANDWARDEN_REFERENCE=${SANDWARDEN_REFERENCE:-$(realpath -m ../shared/reference)}

swift build --build-tests
status=0
swift test --skip-build "$@" 2>&1 | tee "$log" | grep -vE '^. (Test|Suite) .* started\.$' || status=${PIPESTATUS[0]}

passed=$(grep -cE '^. Test .* passed after ' "$log" || true)
failed=$(grep -cE '^. Test .* failed after ' "$log" || true)
skipped=$(grep -cE '^. (Test|Suite) .* skipped|^SKIPPED' "$log" || true)
grep -hE '^. (Test|Suite) .* skipped|^SKIPPED' "$log" | sort | uniq -c || true
echo "$passed passed, $failed failed, $skipped skipped"
exit "$status"
