"""The bare system calls beside the journal: 300 bytes written and brought to the device, again and again.

Usage: sync.py FOLDER.
"""

import os
import statistics
import sys
import time

RUNS = 5
WRITES = 200


def run(path):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    line = b"x" * 299 + b"\n"
    start = time.monotonic()
    for _ in range(WRITES):
        os.write(descriptor, line)
        os.fdatasync(descriptor)
    elapsed = time.monotonic() - start
    os.close(descriptor)
    return 1e6 * elapsed / WRITES


def main():
    path = os.path.join(sys.argv[1], "sync")
    times = sorted(run(path) for _ in range(RUNS))
    os.unlink(path)
    print(f"write+fdatasync: {statistics.median(times):.0f} µs each   runs {times[0]:.0f} to {times[-1]:.0f}")


main()
