#!/usr/bin/env bash
# Starts the built daemon with the repository's configuration. Arguments go to `sandwarden serve`, for example
# --data DIR. Sandboxes end with the daemon: nothing keeps running after Ctrl-C.
set -euo pipefail
cd "$(dirname "$0")/.."
binary=${SANDWARDEN_BINARY:-.build/release/sandwarden}
if [[ ! -x $binary ]]; then
    echo "$binary is not built yet; make build makes it" >&2
    exit 1
fi
export SANDWARDEN_ON_SHUTDOWN=${SANDWARDEN_ON_SHUTDOWN:-terminate}
exec "$binary" serve --config config/sandwarden.yaml "$@"
