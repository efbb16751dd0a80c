#!/usr/bin/env bash
# The main job on real input: a script that works, commands that are denied, and hostile programs, each in a sandbox
# of its own, that are detected, answered and journalled. Every step is checked; the first that does not hold ends the
# demo with status 1 and says what was expected.
#
# It starts a daemon of its own, with a temporary data folder and a free port, and stops it at the end. Needs root,
# bash, curl and jq. SANDWARDEN_BINARY: the program, .build/release/sandwarden if unset.
set -euo pipefail
cd "$(dirname "$0")/.."
binary=${SANDWARDEN_BINARY:-.build/release/sandwarden}

if [[ ! -x $binary ]]; then
    echo "$binary is not built yet; make build makes it" >&2
    exit 1
fi
if [[ $(id -u) -ne 0 ]]; then
    echo "the demo makes real sandboxes, which needs root; what is missing here:" >&2
    "$binary" doctor >&2 || true
    exit 1
fi

folder=$(mktemp -d /tmp/sandwarden-demo-XXXXXX)
chmod 711 "$folder"
data=$folder/data
daemon=
status=000
body=

cleanup() {
    local code=$?
    trap - EXIT INT TERM
    if [[ -n $daemon ]]; then
        kill "$daemon" 2>/dev/null || true
        wait "$daemon" 2>/dev/null || true
    fi
    if [[ $code -ne 0 && -s $folder/daemon.log ]]; then
        echo "the end of the daemon's log:" >&2
        tail -15 "$folder/daemon.log" >&2
    fi
    rm -rf "$folder"
    exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

title() { printf '\n== %s\n' "$1"; }
ok() { printf 'ok   %s\n' "$1"; }
fail() { # what, expected, found
    printf 'FAIL %s\n     expected: %s\n     found:    %s\n' "$1" "$2" "${3:0:2000}" >&2
    exit 1
}

# Asks the daemon: METHOD PATH [JSON]. Leaves the reply in $status and $body.
api() {
    local -a more=()
    [[ $# -lt 3 ]] || more=(-H 'Content-Type: application/json' --data-binary "$3")
    status=$(curl -sS --max-time 60 -o "$folder/body" -w '%{http_code}' -X "$1" "${more[@]}" "$url$2" || true)
    body=$(tr -d '\0' <"$folder/body")
}
# Asks, and takes one status for an answer: WHAT STATUS METHOD PATH [JSON]
want() {
    api "${@:3}"
    [[ $status == "$2" ]] || fail "$1" "status $2" "status $status: $body"
}
# One value of the last reply.
get() { jq -r "$1" <<<"$body"; }
# Runs a command: ID COMMAND [SECONDS]
run() { api POST "/sandboxes/$1/exec" "$(jq -n --arg c "$2" --argjson t "${3:-20}" '{command: $c, timeout_seconds: $t}')"; }
# Makes a sandbox, with a background command if one is given: NAME POLICY [COMMAND]. Leaves its id in $id.
create() {
    want "the sandbox \"$1\" under $2" 201 POST /sandboxes "$(jq -n --arg p "$2" --arg n "$1" --arg c "${3:-}" \
        '{policy: $p, runtime: "oci", ttl_seconds: 300, labels: {demo: $n}} + (if $c == "" then {} else {command: $c} end)')"
    id=$(get .id)
}
# A command that must be denied: ID COMMAND RULE
denied() {
    run "$1" "$2"
    [[ $status == 403 ]] || fail "denied: $2" "status 403" "status $status: $body"
    jq -e --arg r "$3" '.verdict.decision == "deny" and any(.verdict.reasons[]; .rule == $r)' <<<"$body" >/dev/null ||
        fail "denied: $2" "a reason of rule $3" "$body"
    ok "denied: $2"
    get '.verdict.reasons[] | "       \(.rule): \(.detail) (bytes \(.start // "-")-\(.end // "-"))"'
}
# Waits until a sandbox has a violation: WHAT ID CAUSE SEVERITY [SECONDS]. It must stand in the journal on disk too.
detected() {
    local found= seconds=${5:-20}
    for _ in $(seq 1 $((seconds * 4))); do
        want "the violations of $2" 200 GET "/sandboxes/$2/violations"
        found=$(jq -c --arg c "$3" --arg s "$4" \
            'first(.violations[] | select(.details.cause == $c and .severity == $s)) // empty' <<<"$body")
        [[ -z $found ]] || break
        sleep 0.25
    done
    [[ -n $found ]] || fail "$1" "a violation of cause $3 and severity $4 within $seconds s" "$body"
    ok "$1: $(jq -r '"\(.severity) \(.violation_type), \(.details.cause); answer: \(.action_taken); journal seq \(.seq)"' <<<"$found")"
    "$binary" journal query --data "$data" --stream violations --sandbox "$2" --json >"$folder/query" ||
        fail "$1: in the journal" "the journal can be read" "$(cat "$folder/query")"
    jq -es --arg v "$(jq -r .violation_id <<<"$found")" 'any(.[]; .violation_id == $v)' "$folder/query" >/dev/null ||
        fail "$1: in the journal" "violation $(jq -r .violation_id <<<"$found")" "$(cat "$folder/query")"
}
# Waits for a state: WHAT ID STATE
reaches() {
    for _ in $(seq 1 60); do
        want "$1" 200 GET "/sandboxes/$2"
        [[ $(get .state) != "$3" ]] || return 0
        sleep 0.25
    done
    fail "$1" "state $3 within 15 s" "$body"
}

# --- A daemon of the demo's own, with three policies beside the built-in ones.
mkdir -p "$folder/policies"
cat >"$folder/policies/demo-network.yaml" <<'POLICY'
name: demo-network
description: The public network's names and web ports, few connections
extends: strict
network_policy: restricted
resource_limits: {max_network_connections: 2}
on_violation: {high: log}
violation_threshold: 100
POLICY
cat >"$folder/policies/demo-terminate.yaml" <<'POLICY'
name: demo-terminate
description: What is grave ends the sandbox
extends: strict
on_violation: {high: terminate}
POLICY
cat >"$folder/policies/demo-undecided.yaml" <<'POLICY'
name: demo-undecided
description: Commands that only running them decides are let through, so that the watch is all there is
extends: strict
undecidable_commands: allow
monitoring_interval_ms: 250
POLICY

SANDWARDEN_ON_SHUTDOWN=terminate SANDWARDEN_POLICIES_DIR=$folder/policies \
    "$binary" serve --listen 127.0.0.1:0 --data "$data" >"$folder/banner" 2>"$folder/daemon.log" &
daemon=$!
url=
for _ in $(seq 1 100); do
    address=$(awk '$1 == "listening" {print $2; exit}' "$folder/banner" | tr -d ,)
    if [[ -n $address ]]; then
        url=http://$address
        break
    fi
    kill -0 "$daemon" 2>/dev/null || break
    sleep 0.1
done
[[ -n $url ]] || fail "the daemon starts" "a listening daemon within 10 s" "$(cat "$folder/banner" "$folder/daemon.log")"

title "The daemon"
want "the daemon answers" 200 GET /healthz
cat "$folder/banner"
ok "answers at $url"

title "A sandbox that does its work (policy strict)"
create work strict
work=$id
ok "created $work: $(get '[.applied[] | select(.status == "enforced")] | length') controls enforced and read back"
get '.applied[] | "       \(.control): \(.status): \(.found)"'

run "$work" 'i=1; sum=0; while [ "$i" -le 100 ]; do sum=$((sum + i)); i=$((i + 1)); done; echo "sum $sum, uid $(id -u)"'
[[ $status == 200 && $(get .exit_code) == 0 && $(get .stdout) == "sum 5050, uid "* && $(get .stdout) != *"uid 0" ]] ||
    fail "a script runs" '"sum 5050" from a uid that is not 0, exit code 0' "$status: $body"
ok "a script ran: $(get .stdout) ($(get .duration_ms) ms)"

status=$(curl -sS -o "$folder/body" -w '%{http_code}' -X PUT --data-binary $'alpha\nbeta\ngamma\n' \
    "$url/sandboxes/$work/files?path=/work/in/words.txt")
[[ $status == 201 ]] || fail "a file is written" "status 201" "$status: $(cat "$folder/body")"
run "$work" 'sort -r /work/in/words.txt > /work/out.txt && wc -l < /work/out.txt'
[[ $status == 200 && $(get .exit_code) == 0 ]] || fail "a command reads it and writes another" "exit code 0" "$status: $body"
api GET "/sandboxes/$work/files?path=/work/out.txt"
[[ $status == 200 && $body == $'gamma\nbeta\nalpha' ]] || fail "the other file is read" "gamma beta alpha" "$status: $body"
ok "a file went in, a command sorted it, another came out: $(tr '\n' ' ' <<<"$body")"

title "Commands that are allowed and denied"
run "$work" 'printf "%s\n" format charm | grep -c rm'
[[ $status == 200 && $(get .stdout) == 2* ]] || fail "allowed: words that hold rm" "status 200, 2 matches" "$status: $body"
ok 'allowed: printf "%s\n" format charm | grep -c rm (the words hold "rm", nothing runs it)'
create probes strict
probes=$id
denied "$probes" "r''m -rf /work" blocked_commands
denied "$probes" 'find . -name "*.txt" -exec rm {} +' blocked_commands
detected "the denied commands" "$probes" denied_exec medium
denied "$probes" 'env X=1 nice sh -c "echo hi; sudo id"' blocked_commands
# strict ends a sandbox with the third violation that counts.
reaches "the third denial reaches the policy's threshold" "$probes" terminated
ok "the third denial reached the policy's threshold: terminated, cause of death: $(get .cause_of_death)"

title "A reader of /etc/shadow"
create reader strict
reader=$id
api GET "/sandboxes/$reader/files?path=/etc/shadow"
[[ $status == 403 ]] || fail "the files API refuses /etc/shadow" "status 403" "$status: $body"
ok "the files API: 403, $(get .detail)"
detected "the refused read" "$reader" denied_file_access medium
run "$reader" 'cat /etc/shadow'
[[ $status == 403 || $(get .exit_code) != 0 ]] || fail "cat /etc/shadow" "denied, or failing" "$status: $body"
ok "cat /etc/shadow: status $status, $(get '.detail // .stderr')"

title "Hostile programs, each in a sandbox of its own"
create memory demo-terminate 's=x; while :; do s=$s$s; done'
memory=$id
create processor strict 'while :; do :; done'
processor=$id
create forks strict 'bomb() { bomb | bomb & }; bomb; sleep 30'
forks=$id
create disk strict 'yes fill > /work/fill.txt; sleep 30'
disk=$id
create network demo-network \
    'busybox nc -w 1 169.254.169.254 80; busybox nc -w 1 10.9.8.7 80; busybox nc -w 1 192.168.1.1 22; sleep 30'
network=$id
create hidden demo-undecided
hidden=$id
ok "six are let loose"

detected "memory hog" "$memory" memory_oom high
reaches "the memory hog's sandbox is ended" "$memory" terminated
[[ $(get .cause_of_death) != null ]] || fail "the memory hog's cause of death" "a cause" "$body"
ok "its sandbox was terminated by policy; cause of death: $(get .cause_of_death)"
detected "fork bomb" "$forks" pids_refused medium
detected "disk filler" "$disk" disk_full low
detected "connection opener" "$network" refused_destination high
get '.violations[] | select(.details.cause == "refused_destination")
    | "       \(.details.address):\(.details.port) (\(.details.reason))"'

# The commands stand in a file: a look at the text that starts them does not tell what will run.
status=$(curl -sS -o "$folder/body" -w '%{http_code}' -X PUT \
    --data-binary $'cp /bin/sleep /work/kill\n/work/kill 4\n' "$url/sandboxes/$hidden/files?path=/work/notes.txt")
[[ $status == 201 ]] || fail "a file is written" "status 201" "$status: $(cat "$folder/body")"
run "$hidden" 'sh /work/notes.txt'
[[ $status == 200 && $(get .verdict.undecidable) == true ]] ||
    fail "a command that cannot be decided runs under undecidable_commands: allow" "status 200" "$status: $body"
detected "a program named kill, running" "$hidden" blocked_process high
# Told after ten seconds in a row; on a busy host the row may begin late.
detected "processor hog" "$processor" cpu_throttled low 40

title "The neighbour"
run "$work" 'echo untouched'
[[ $status == 200 && $(get .stdout) == untouched* ]] || fail "the first sandbox works as before" untouched "$status: $body"
ok "the first sandbox works as before"
want "its controls" 200 GET "/sandboxes/$work/attestation"
[[ $(get .holds) == true ]] || fail "its controls, read back again" "holds" "$body"
ok "its controls, read back from the host again, hold"

title "The evidence"
want "the report" 200 GET "/reports/$memory"
[[ $(get .total_violations) -ge 1 && $(get .cause_of_death) != null ]] || fail "the report" "violations and a cause" "$body"
ok "report of the memory hog, as JSON:"
get '{sandbox_id, state, cause_of_death, total_violations, violation_types, severities, actions}'
want "the report as Markdown" 200 GET "/reports/$memory?format=markdown"
[[ $body == "# Sandbox $memory"* ]] || fail "the report as Markdown" "# Sandbox $memory" "$body"
ok "as Markdown, its beginning:"
head -16 "$folder/body" | cut -c1-110
want "the scrape" 200 GET /metrics
scrape=$(grep -E '^sandwarden_violations_total.* [1-9][0-9.]*$' "$folder/body" || true)
[[ -n $scrape ]] || fail "the scrape" "sandwarden_violations_total above 0" "$(head -40 "$folder/body")"
ok "the scrape:"
printf '%s\n' "$scrape"
"$binary" journal verify --data "$data" >"$folder/verify" 2>&1 || fail "the journal verifies" intact "$(cat "$folder/verify")"
ok "the journal verifies:"
cat "$folder/verify"

title "The end"
for each in "$work" "$probes" "$reader" "$memory" "$processor" "$forks" "$disk" "$network" "$hidden"; do
    want "deleting $each" 204 DELETE "/sandboxes/$each"
done
want "the list" 200 GET /sandboxes
[[ $(get '.sandboxes | length') == 0 ]] || fail "nothing is left" "no sandbox" "$body"
ok "all sandboxes deleted, their evidence kept"
printf '\nThe demo held in %s seconds.\n' "$SECONDS"
