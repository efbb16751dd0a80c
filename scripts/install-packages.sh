#!/usr/bin/env bash
# Installs the Debian packages that are missing; does nothing where all are there.
# Usage: install-packages.sh run|test
set -euo pipefail

declare -a wanted=(zlib1g-dev runc nftables iproute2 busybox-static e2fsprogs util-linux curl jq)
if [[ ${1:-run} == test ]]; then
    # docker.io: the engine for the tests; prometheus: promtool; python3-venv: the OpenAPI validator's home.
    wanted+=(docker.io prometheus python3-venv python3 bash dash iptables procps)
fi

declare -a missing=()
for package in "${wanted[@]}"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [[ $state == installed ]] || missing+=("$package")
done
[[ ${#missing[@]} -eq 0 ]] && exit 0

declare -a as_root=()
if [[ $(id -u) -ne 0 ]]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        as_root=(sudo)
    else
        echo "not root, and these Debian packages are missing: ${missing[*]}" >&2
        echo "install them with: apt-get install ${missing[*]}" >&2
        exit 0
    fi
fi
echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
# A package's service must not start by itself: the tests run an engine of their own.
policy=/usr/sbin/policy-rc.d
made_policy=
if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
    made_policy=yes
fi
cleanup() { [[ -z $made_policy ]] || "${as_root[@]}" rm -f "$policy"; }
trap cleanup EXIT
if ! "${as_root[@]}" apt-get install -y --no-install-recommends "${missing[@]}" >/tmp/sandwarden-apt.log 2>&1; then
    "${as_root[@]}" apt-get update >/tmp/sandwarden-apt.log 2>&1
    if ! "${as_root[@]}" apt-get install -y --no-install-recommends "${missing[@]}" >>/tmp/sandwarden-apt.log 2>&1; then
        tail -20 /tmp/sandwarden-apt.log >&2
        exit 1
    fi
fi
