#!/usr/bin/env python3
"""A server is killed (-9) with a gigabyte of partition state, and started again: how long until it grants a task.

The state is what cannot be left out: executions that have not ended, each with a random input of its own, waiting in a
queue that nobody serves. A worker keeps trying to reach the server; the clock runs from the start of the new process until
a task that is submitted to it has run. Usage: bench/restart.py [MiB of state] [trials]     (./dev bench restart)
"""

import secrets
import statistics
import sys
import time

from rig import Rig, Table

STATE_MIB = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
TRIALS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
INPUT_BYTES = 16 * 1024  # of each execution
BATCH = 500


def fill(server):
    server.register({"name": "waits", "nodes": {"n": {"function": "nothing", "queue": "held"}}})
    batches = -(-STATE_MIB * 2**20 // INPUT_BYTES // BATCH)
    for _ in range(batches):
        inputs = [{"text": secrets.token_hex(INPUT_BYTES // 2)} for _ in range(BATCH)]
        server.must("POST", "/v1/execution-batches", {"workflow": "waits", "inputs": inputs})
    return batches * BATCH


def main():
    with Rig() as rig:
        server = rig.server()
        rig.worker(server, options=("--queue", "default"))
        server.register({"name": "now", "nodes": {"n": {"function": "nothing"}}})
        executions = fill(server)
        resident = server.resident_mib()
        seconds, ready = [], []
        for _ in range(TRIALS):
            ports = {"http": server.http, "listen": server.listen}
            server.kill()
            start = time.monotonic()
            server = rig.server(**ports)
            ready.append(time.monotonic() - start)
            server.run("now")
            seconds.append(time.monotonic() - start)
        log = sum(file.stat().st_size for file in rig.place.rglob("*") if file.is_file()) / 2**20
    table = Table(f"server killed with {STATE_MIB} MiB of inputs of {executions} open executions, {TRIALS} trials")
    table.row("until a submitted task has run, longest", max(seconds), "s", "<= 3")
    table.row("... median", statistics.median(seconds), "s")
    table.row("until it listens, median", statistics.median(ready), "s")
    table.row("resident before", resident, "MiB")
    table.row("on disk at the end", log, "MiB")
    table.show()


if __name__ == "__main__":
    main()
