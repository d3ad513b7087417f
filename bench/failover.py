#!/usr/bin/env python3
"""A worker is killed (-9): how long until all that it ran runs elsewhere, in each of several trials.

Every task begins by writing its number into a file and then runs for long. One worker runs them all; a second one with
as many slots is idle; the first is killed, and the clock runs until each number stands there a second time.
Usage: bench/failover.py [trials]     (./dev bench failover)
"""

import statistics
import sys
import time
from collections import Counter

from rig import PATIENCE, Rig, Table

TRIALS = int(sys.argv[1]) if len(sys.argv) > 1 else 20
TASKS = 8


def wait_for_starts(file, times):
    end = time.monotonic() + PATIENCE
    while True:
        seen = Counter(file.read_text().split()) if file.exists() else Counter()
        if len(seen) == TASKS and min(seen.values()) >= times:
            return
        if time.monotonic() > end:
            raise RuntimeError(f"after {PATIENCE} s not all tasks had started {times} times: {seen}")
        time.sleep(0.002)


def trial(rig, server, number):
    """Seconds from the kill until everything that the victim ran runs elsewhere."""
    file = rig.place / f"trial-{number}"
    name = f"long{number}"
    server.register({"name": name, "nodes": {"n": {
        "for_each": TASKS, "run": f"echo $PAWL_ITEM >> {file}; exec sleep 300"}}, "output": None})
    victim = rig.worker(server, jobs=TASKS, name=f"victim-{number}", command="pawl")
    execution = server.submit(name)
    wait_for_starts(file, 1)
    other = rig.worker(server, jobs=TASKS, name=f"other-{number}", command="pawl")
    start = time.monotonic()
    victim.kill()
    wait_for_starts(file, 2)
    took = time.monotonic() - start
    server.must("POST", f"/v1/executions/{execution}/cancel", {})
    other.end()
    return took


def main():
    with Rig() as rig:
        server = rig.server()
        seconds = sorted(trial(rig, server, number) for number in range(TRIALS))
    table = Table(f"a worker with {TASKS} running tasks is killed, {TRIALS} trials")
    table.row("until all of them run elsewhere, longest", seconds[-1], "s", "<= 3")
    table.row("... median", statistics.median(seconds), "s")
    table.row("... shortest", seconds[0], "s")
    table.show()


if __name__ == "__main__":
    main()
