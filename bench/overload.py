#!/usr/bin/env python3
"""Ten times the offered load: what still gets done, what memory does, and how soon all is normal again.

`asked`: clients that wait for their results, first as many as saturate the server, then ten times as many who ask ten
times as often. `thrown`: a worker that can do so many tasks a second and no more, and submissions that nobody waits for,
at its rate and then at ten times that. What has been accepted is kept, so the queue grows by what is thrown.
Usage: bench/overload.py [seconds] [connections]     (./dev bench overload)
"""

import sys
import time

from rig import Rig, Table

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 60
CONNECTIONS = int(sys.argv[2]) if len(sys.argv) > 2 else 64
MEASURE = max(1.0, SECONDS / 6)
TIMES = 10
SLOTS, PAUSE_MS = 16, 16


def asked():
    body = {"workflow": "nothing", "input": {}}
    with Rig() as rig:
        server = rig.server()
        rig.worker(server, jobs=2)
        server.register({"name": "nothing", "nodes": {"n": {"function": "nothing"}}})
        server.run("nothing")
        peak = rig.load(server, MEASURE, CONNECTIONS, 0, body)
        normal = rig.load(server, MEASURE, CONNECTIONS, peak["rate"] / 2, body)
        before = server.resident_mib()
        over = rig.load(server, SECONDS, CONNECTIONS * TIMES, peak["rate"] * TIMES, body)
        memory = server.resident_mib()
        after = rig.load(server, min(10, SECONDS), CONNECTIONS, peak["rate"] / 2, body)
        last = rig.load(server, MEASURE, CONNECTIONS, peak["rate"] / 2, body)
    table = Table(f"asked: {TIMES} times the load for {SECONDS:g} s, clients wait for results")
    table.row(f"peak, {CONNECTIONS} clients", peak["rate"], "/s")
    table.row(f"goodput, {CONNECTIONS * TIMES} clients", over["rate"], "/s")
    table.row("... of the peak", over["rate"] / peak["rate"], "", ">= 0.9")
    table.row("half of the peak, before: median latency", normal["p50_ms"], "ms")
    table.row("... the first 10 s after", after["p50_ms"], "ms")
    table.row("... then", last["p50_ms"], "ms")
    table.row("... then, of what it was before", last["p50_ms"] / normal["p50_ms"], "", "<= 1.5")
    table.row("server's memory before", before, "MiB")
    table.row("... after", memory, "MiB")
    table.show()


def done(server):
    return server.metrics()["pawl_tasks_succeeded_total"]


def thrown():
    body = {"workflow": "pause", "input": {}}
    with Rig() as rig:
        server = rig.server()
        rig.worker(server, jobs=SLOTS)
        server.register({"name": "pause", "nodes": {"n": {"function": "pause", "with": PAUSE_MS}}})
        server.run("pause")
        peak = rig.load(server, MEASURE, CONNECTIONS, 0, body)["rate"]
        before, had, start = server.resident_mib(), done(server), time.monotonic()
        over = rig.load(server, SECONDS, CONNECTIONS, peak * TIMES, body, "/v1/executions")
        rate = (done(server) - had) / (time.monotonic() - start)
        memory, open_ = server.resident_mib(), server.metrics()["pawl_executions_open"]
    table = Table(f"thrown: {TIMES} times what the worker can do for {SECONDS:g} s, nobody waits")
    table.row("peak", peak, "/s")
    table.row("accepted", over["rate"], "/s")
    table.row("refused", over["refused"] / SECONDS, "/s")
    table.row("goodput", rate, "/s")
    table.row("... of the peak", rate / peak, "", ">= 0.9")
    table.row("submissions: 95 % answered within", over["p95_ms"], "ms")
    table.row("waiting at the end", open_)
    table.row("server's memory before", before, "MiB")
    table.row("... after", memory, "MiB")
    table.show()


if __name__ == "__main__":
    asked()
    thrown()
