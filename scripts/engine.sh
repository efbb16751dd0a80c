#!/usr/bin/env bash
# A Docker engine of the project's own: own data root, exec root, socket and pid file; touches no other engine,
# no bridge and no firewall rule of the host.
# Usage: engine.sh start DIR   prints the socket's address
#        engine.sh stop DIR
set -euo pipefail

verb=$1 dir=$2
# Socket paths are limited to 107 bytes, so the folder should be a short one.
socket=$dir/docker.sock

start() {
    mkdir -p "$dir"
    # shellcheck disable=SC2094
    dockerd --data-root "$dir/data" --exec-root "$dir/exec" -p "$dir/docker.pid" -H "unix://$socket" \
        --iptables=false --ip6tables=false --bridge=none --ip-forward=false --ip-masq=false \
        --userland-proxy=false >"$dir/dockerd.log" 2>&1 &
    local pid=$!
    for _ in $(seq 1 300); do
        if curl -sf --max-time 2 --unix-socket "$socket" http://localhost/_ping >/dev/null 2>&1; then
            import_image
            echo "unix://$socket"
            return 0
        fi
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    echo "dockerd did not come up; the end of its log:" >&2
    tail -5 "$dir/dockerd.log" >&2
    stop
    return 1
}

# An image without any registry: busybox with its applets as links, imported as a tar archive.
import_image() {
    local root=$dir/image
    rm -rf "$root"
    mkdir -p "$root"/{bin,etc,tmp,root,home,dev,proc,sys,run,var,usr/bin}
    cp "$(command -v busybox)" "$root/bin/busybox"
    local applet
    while read -r applet; do
        [[ $applet == busybox ]] || ln -s busybox "$root/bin/$applet"
    done < <("$root/bin/busybox" --list)
    printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$root/etc/passwd"
    printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
    printf 'root:*:19000:0:99999:7:::\n' >"$root/etc/shadow"
    chmod 600 "$root/etc/shadow"
    tar -C "$root" -c . | curl -sf --unix-socket "$socket" -X POST -H 'Content-Type: application/x-tar' \
        --data-binary @- 'http://localhost/images/create?fromSrc=-&repo=sandwarden-test&tag=busybox' >/dev/null
    rm -rf "$root"
}

stop() {
    if [[ -f $dir/docker.pid ]]; then
        local pid
        pid=$(cat "$dir/docker.pid")
        kill "$pid" 2>/dev/null || true
        for _ in $(seq 1 200); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -9 "$pid" 2>/dev/null || true
    fi
    # What the engine mounted below its own roots and left.
    local mount
    while read -r mount; do umount -l "$mount" 2>/dev/null || true; done \
        < <(awk -v d="$dir/" 'index($5, d) == 1 {print $5}' /proc/self/mountinfo | sort -r)
    rm -rf "$dir"
}

case $verb in
start) start ;;
stop) stop ;;
*) echo "usage: engine.sh start|stop DIR" >&2; exit 2 ;;
esac
