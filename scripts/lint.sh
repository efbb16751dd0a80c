#!/usr/bin/env bash
# The format, and calls that are banned with their reasons.
set -euo pipefail
cd "$(dirname "$0")/.."

status=0
swift format lint --strict --recursive --parallel Sources Tests Package.swift || status=1

ban() { # PATTERN REASON
    if grep -rnE --include='*.swift' "$1" Sources; then
        echo "banned: $2" >&2
        status=1
    fi
}
ban 'try!' 'a failed call must not trap'
ban 'fatalError\(' 'input must not trap'
ban '@unchecked Sendable|nonisolated\(unsafe\)' 'the compiler must be able to check it'
ban ' as! ' 'a failed cast must not trap'
ban '(TODO|FIXME|HACK)\b' 'finish it, or file it'
exit "$status"
