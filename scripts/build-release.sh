#!/usr/bin/env bash
# Builds .build/release/sandwarden with the Swift runtime linked statically.
set -euo pipefail
cd "$(dirname "$0")/.."
swift build -c release --product sandwarden --static-swift-stdlib ${SWIFT_FLAGS:-}
