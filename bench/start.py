#!/usr/bin/env python3
"""Processes that start again and again: from exec until a worker says that it works for its server, and until a server
with an empty directory serves clients and workers.

Usage: bench/start.py [starts]     (./dev bench start)
"""

import statistics
import sys
import time

from rig import Rig, Server, Table

STARTS = int(sys.argv[1]) if len(sys.argv) > 1 else 50


def worker_start(rig, server, number):
    begun = time.monotonic()
    worker = rig.worker(server, name=f"w{number}", command="pawl")
    taken = time.monotonic() - begun
    worker.end()
    return taken


def server_start(rig, number):
    begun = time.monotonic()
    server = rig.start(Server, rig.place / f"fresh-{number}")
    taken = time.monotonic() - begun
    server.end()
    return taken


def main():
    with Rig() as rig:
        server = rig.server()
        workers = [worker_start(rig, server, number) for number in range(STARTS)]
        servers = [server_start(rig, number) for number in range(max(1, STARTS // 5))]
    table = Table(f"{STARTS} starts of a worker, {len(servers)} of a server")
    table.row("worker: from exec until it works, median", 1000 * statistics.median(workers), "ms")
    table.row("worker: ... longest", 1000 * max(workers), "ms", "<= 500")
    table.row("server: from exec until it serves, median", 1000 * statistics.median(servers), "ms")
    table.row("server: ... longest", 1000 * max(servers), "ms", "<= 500")
    table.show()


if __name__ == "__main__":
    main()
