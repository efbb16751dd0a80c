#!/usr/bin/env bash
# Builds .build/release/sandwarden with the Swift runtime linked statically.
set -euo pipefail
cd "$(dirname "$0")/.."
# Swift 6.3.1's optimizer stops at SandboxRuntime ("Found ownership error"): until that is worked round in the source,
# the binary is built without optimization.
swift build -c release -Xswiftc -Onone --product sandwarden --static-swift-stdlib ${SWIFT_FLAGS:-}
