#!/usr/bin/env python3
"""Tasks of 10 ms through a server and a worker process, against `pawl run` in one process: what the network costs.

Functions sleep for 10 ms; processes are `sleep 0.01`. Both sides run as many at once and keep their log on the same
disk. `pawl run` is timed from its line "started" to its line "settled", so that starting it does not count.
Usage: bench/overhead.py [tasks] [rounds]     (./dev bench overhead)
"""

import json
import statistics
import subprocess
import sys
import time

from rig import Rig, Table, program

TASKS = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 5
JOBS = 4
PAUSE_MS = 10

KINDS = {
    "function": {"function": "pause", "with": PAUSE_MS},
    "process": {"command": ["sleep", str(PAUSE_MS / 1000)], "output": "none"},
}


def definition(kind):
    return {"name": kind, "nodes": {"n": KINDS[kind] | {"for_each": TASKS}}, "output": None}


def in_one_process(rig, kind):
    file = rig.place / f"{kind}.json"
    file.write_text(json.dumps(definition(kind)))
    words = [program("bench_pawl"), "run", file, "--jobs", JOBS, "--state", rig.place / "alone", "--output", "json"]
    with subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as alone:
        seen = {json.loads(line)["event"]: time.monotonic() for line in alone.stdout}
    return seen["settled"] - seen["started"]


def at_the_server(server, kind):
    start = time.monotonic()
    server.run(kind)
    return time.monotonic() - start


def main():
    with Rig() as rig:
        server = rig.server()
        rig.worker(server, jobs=JOBS)
        table = Table(f"{TASKS} tasks of {PAUSE_MS} ms, {JOBS} at once, medians of {ROUNDS} rounds")
        for kind in KINDS:
            server.register(definition(kind))
            server.run(kind)
            alone, served = [], []
            for _ in range(ROUNDS):
                alone.append(in_one_process(rig, kind))
                served.append(at_the_server(server, kind))
            alone, served = statistics.median(alone), statistics.median(served)
            floor = TASKS / JOBS * PAUSE_MS / 1000
            table.row(f"{kind}: pawl run", alone, "s")
            table.row(f"{kind}: server and worker", served, "s")
            table.row("... without any overhead", floor, "s")
            table.row("... more than pawl run", 100 * (served / alone - 1), "%", "<= 5")
        table.show()


if __name__ == "__main__":
    main()
