"""Requests a second over kept loopback connections, from processes that do nothing else.

Usage: load.py HOST:PORT [SANDBOX]. Every request waits for its reply; a reply of another status than the expected one
ends the measurement. With a sandbox, commands that its policy denies are asked for too: each reply comes after a
violation and an audit record are on disk.
"""

import multiprocessing
import os
import socket
import statistics
import sys
import time

CONNECTIONS = 8
PROCESSES = 2
SECONDS = 1.0
RUNS = 5


def request(host, method, path, body=b""):
    head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def reply(connection, rest):
    """Reads one reply; returns its status line and what came after it."""
    while b"\r\n\r\n" not in rest:
        more = connection.recv(65536)
        if not more:
            raise SystemExit("the connection was closed")
        rest += more
    head, _, rest = rest.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(rest) < length:
        more = connection.recv(65536)
        if not more:
            raise SystemExit("the connection was closed")
        rest += more
    return head.split(b"\r\n", 1)[0], rest[length:]


def worker(address, payload, expected, results):
    host, port = address.rsplit(":", 1)
    connections = []
    for _ in range(CONNECTIONS // PROCESSES):
        connection = socket.create_connection((host, int(port)))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connections.append(connection)
    rests = [b""] * len(connections)
    count = 0
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for connection in connections:
            connection.sendall(payload)
        for index, connection in enumerate(connections):
            status, rests[index] = reply(connection, rests[index])
            if status.split(b" ")[1] != expected:
                results.put((0, status.decode(errors="replace")))
                return
            count += 1
    results.put((count, ""))


def measure(address, payload, expected):
    results = multiprocessing.Queue()
    workers = [multiprocessing.Process(target=worker, args=(address, payload, expected, results)) for _ in range(PROCESSES)]
    for each in workers:
        each.start()
    counts = [results.get(timeout=30) for _ in workers]
    for each in workers:
        each.join()
    for _, fault in counts:
        if fault:
            raise SystemExit(f"a reply was not {expected.decode()}: {fault}")
    return sum(count for count, _ in counts) / SECONDS


def main():
    address = sys.argv[1]
    check = b'{"policy":"strict","command":"find . -name \\"*.txt\\" | xargs grep -l needle"}'
    cases = [
        ("HTTP.healthz", request(address, "GET", "/healthz"), b"200"),
        ("HTTP.validate", request(address, "POST", "/validate", check), b"200"),
    ]
    if len(sys.argv) > 2:
        path = f"/sandboxes/{sys.argv[2]}/exec"
        cases.append(("HTTP.denied-exec", request(address, "POST", path, b'{"command":"rm -rf /work"}'), b"403"))
    print(f"{PROCESSES} client processes, {CONNECTIONS} connections, one request at a time on each, "
          f"{os.cpu_count()} cores shared with the daemon")
    first = None
    for name, payload, expected in cases:
        rates = sorted(measure(address, payload, expected) for _ in range(RUNS))
        median = statistics.median(rates)
        first = first or median
        print(f"{name:<24} {median:>9.0f} requests/s   runs {rates[0]:.0f} to {rates[-1]:.0f}   "
              f"{median / first:.2f} x HTTP.healthz")


main()
