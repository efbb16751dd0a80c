"""Time until a guarded, running sandbox, beside a bare `runc run` of a program that ends at once.

Usage: starts.py HOST:PORT COUNT FOLDER. The two are measured in turns; deleting is outside the clock.
"""

import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import time


def bundle(folder):
    """A bundle that runs `true` from busybox on an otherwise empty root."""
    root = os.path.join(folder, "bundle", "rootfs")
    os.makedirs(os.path.join(root, "bin"))
    for name in ("proc", "dev", "sys"):
        os.makedirs(os.path.join(root, name))
    shutil.copy(shutil.which("busybox"), os.path.join(root, "bin", "busybox"))
    path = os.path.dirname(root)
    subprocess.run(["runc", "spec"], cwd=path, check=True)
    file = os.path.join(path, "config.json")
    with open(file) as source:
        config = json.load(source)
    config["process"]["terminal"] = False
    config["process"]["args"] = ["/bin/busybox", "true"]
    with open(file, "w") as target:
        json.dump(config, target)
    return path


def bare(path, folder, number):
    start = time.monotonic()
    subprocess.run(
        ["runc", "--root", os.path.join(folder, "runc"), "run", "--bundle", path, f"sandwarden-bench-{number}"],
        check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return time.monotonic() - start


def ours(address):
    connection = http.client.HTTPConnection(address, timeout=60)
    body = json.dumps({"policy": "strict", "runtime": "oci"})
    start = time.monotonic()
    connection.request("POST", "/sandboxes", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    text = response.read()
    elapsed = time.monotonic() - start
    if response.status != 201:
        raise SystemExit(f"a sandbox was refused: {response.status} {text[:400]!r}")
    connection.request("DELETE", "/sandboxes/" + json.loads(text)["id"])
    response = connection.getresponse()
    response.read()
    if response.status != 204:
        raise SystemExit(f"a sandbox was not deleted: {response.status}")
    return elapsed


def show(name, times, peer=None):
    times = sorted(times)
    text = (f"{name:<24} {1000 * statistics.median(times):>7.0f} ms   "
            f"runs {1000 * times[0]:.0f} to {1000 * times[-1]:.0f}")
    if peer:
        text += f"   {statistics.median(times) / statistics.median(peer):.2f} x runc.run"
    print(text)


def main():
    address, count, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    for program in ("runc", "busybox"):
        if shutil.which(program) is None:
            print(f"SKIPPED sandbox starts: {program} is not installed")
            return
    path = bundle(folder)
    plain, guarded = [], []
    ours(address)
    bare(path, folder, "warm")
    for number in range(count):
        plain.append(bare(path, folder, number))
        guarded.append(ours(address))
    print(f"{count} starts each, in turns; ours: until every control is read back and the sandbox is watched")
    show("runc.run", plain)
    show("sandbox.start.oci", guarded, plain)


main()
