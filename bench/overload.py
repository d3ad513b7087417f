#!/usr/bin/env python3
"""Ten times the offered load: what still gets done, what memory does, and how soon all is normal again.

`asked`: clients that wait for their results, first as many as saturate the server, then ten times as many who ask ten
times as often. `thrown`: a worker that can do so many tasks a second and no more, and submissions that nobody waits for,
at its rate and then at ten times that, with a bound on memory: what is beyond it is refused. `shed`: three times that of
priority 1, and a little of priorities 1 and 9 that is waited for: who is refused, and for how long the others wait.
Usage: bench/overload.py [seconds] [connections]     (./dev bench overload)
"""

import concurrent.futures
import sys
import threading
import time

from rig import Rig, Table

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 60
CONNECTIONS = int(sys.argv[2]) if len(sys.argv) > 2 else 64
MEASURE = max(1.0, SECONDS / 6)
TIMES = 10
SLOTS, PAUSE_MS = 16, 16
MEMORY = "32MiB"  # some 80,000 waiting executions
SHED_MEMORY = "64KiB"  # some 160


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


def define(server, name, priority):
    server.register({"name": name, "nodes": {"n": {"function": "pause", "with": PAUSE_MS, "priority": priority}}})
    server.run(name)
    return {"workflow": name, "input": {}}


def halves(server, seconds):
    """Resident memory at half of the time and at the end of it, looked at from another thread."""
    seen = []

    def look():
        for _ in range(2):
            time.sleep(seconds / 2)
            seen.append(server.resident_mib())
    thread = threading.Thread(target=look)
    thread.start()
    return thread, seen


def thrown():
    with Rig() as rig:
        server = rig.server("--memory", MEMORY)
        rig.worker(server, jobs=SLOTS)
        body = define(server, "pause", 5)
        peak = rig.load(server, MEASURE, CONNECTIONS, 0, body)["rate"]
        before, had, start = server.resident_mib(), done(server), time.monotonic()
        watch, memory = halves(server, SECONDS)
        over = rig.load(server, SECONDS, CONNECTIONS, peak * TIMES, body, "/v1/executions")
        rate = (done(server) - had) / (time.monotonic() - start)
        watch.join()
        figures = server.metrics()
    table = Table(f"thrown: {TIMES} times what the worker can do for {SECONDS:g} s, nobody waits, --memory {MEMORY}")
    table.row("peak", peak, "/s")
    table.row("accepted", over["rate"], "/s")
    table.row("refused", over["refused"] / SECONDS, "/s")
    table.row("... of what was thrown", over["refused"] / max(1, over["refused"] + over["answered"]))
    table.row("goodput", rate, "/s")
    table.row("... of the peak", rate / peak, "", ">= 0.9")
    table.row("submissions: 95 % answered within", over["p95_ms"], "ms")
    table.row("waiting at the end", figures["pawl_executions_open"])
    table.row("... which hold", figures["pawl_open_bytes"] / 2**20, "MiB")
    table.row("server's memory before", before, "MiB")
    table.row("... at half of the time", memory[0], "MiB")
    table.row("... at the end", memory[1], "MiB")
    table.row("... of that at half of the time", memory[1] / memory[0], "", "<= 1.1")
    table.show()


def shed():
    with Rig() as rig:
        server = rig.server("--memory", SHED_MEMORY)
        rig.worker(server, jobs=min(SLOTS, CONNECTIONS))
        low, high = define(server, "low", 1), define(server, "high", 9)
        peak = rig.load(server, MEASURE, CONNECTIONS, 0, low)["rate"]
        some = peak / 20
        alone = rig.load(server, MEASURE, CONNECTIONS, some, high)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            flood = pool.submit(rig.load, server, SECONDS, CONNECTIONS, peak * 3, low, "/v1/executions")
            time.sleep(SECONDS / 4)  # it is full by then
            left = max(1.0, SECONDS / 2)
            waits = [pool.submit(rig.load, server, left, CONNECTIONS, some, body) for body in (high, low)]
            urgent, idle = [one.result() for one in waits]
            flood = flood.result()
    table = Table(f"shed: 3 times what the worker can do for {SECONDS:g} s, of priority 1, --memory {SHED_MEMORY}; beside it")
    table.row("peak", peak, "/s")
    table.row("priority 1, thrown: refused", flood["refused"] / max(1, flood["refused"] + flood["answered"]))
    for name, told in (("9", urgent), ("1", idle)):
        all_of_it = max(1, told["refused"] + told["answered"] + told["open"])
        table.row(f"priority {name}, waited for: refused", told["refused"] / all_of_it)
        table.row("... 95 % done within", told["p95_ms"], "ms")
    table.row("priority 9 without the others: 95 % done within", alone["p95_ms"], "ms")
    table.row("... with them, as much", urgent["p95_ms"] / alone["p95_ms"], "", "<= 3")
    table.show()


if __name__ == "__main__":
    asked()
    thrown()
    shed()
