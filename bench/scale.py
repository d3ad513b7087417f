#!/usr/bin/env python3
"""One, two and eight workers for one server: as many are there as were started, and work that only waits is done as many
times as fast.

Each worker runs 16 functions at a time that sleep for 20 ms, so one can do 800 a second; that is little for two
processors. Usage: bench/scale.py [seconds of one worker's work]     (./dev bench scale)
"""

import sys
import time

from rig import Rig, Table

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 5
COUNTS = (1, 2, 8)
JOBS = 16
PAUSE_MS = 20
RATE = JOBS * 1000 / PAUSE_MS  # of one worker, at best
SESSIONS = 2  # of one worker: for processes, and for functions


def throughput(count, table):
    tasks = int(RATE * SECONDS * count)
    with Rig() as rig:
        server = rig.server()
        for number in range(count):
            rig.worker(server, JOBS, f"w{number}", wait=False)
        seen = server.until("session of every worker", lambda now: now["pawl_workers"] >= SESSIONS * count)
        server.register({"name": "pauses", "nodes": {"n": {
            "for_each": tasks, "function": "pause", "with": PAUSE_MS}}, "output": None})
        begun = time.monotonic()
        server.run("pauses")
        rate = tasks / (time.monotonic() - begun)
        table.row(f"{count} workers: sessions", seen["pawl_workers"], "", f"<= {SESSIONS * count}")
    table.row(f"{count} workers: tasks", rate, "/s", f">= {0.8 * RATE * count:g}")
    return rate


def main():
    table = Table(f"tasks that sleep for {PAUSE_MS} ms, {JOBS} at a time in each worker")
    rates = {count: throughput(count, table) for count in COUNTS}
    for count in COUNTS[1:]:
        table.row(f"{count} workers against one", rates[count] / rates[1], "times", f">= {0.8 * count:g}")
    table.show()


if __name__ == "__main__":
    main()
