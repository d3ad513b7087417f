#!/usr/bin/env python3
"""From submission to start, in a worker process, at half of the load that saturates the server in the same run.

Requests come evenly spaced over REST; each starts one execution whose function, in the worker, tells how old the
request was when it began. The clock starts when a request is due, so waiting for a free connection counts.
Routing is what the server adds: from ready until durably granted to a worker, as /metrics has it.
Usage: bench/latency.py [seconds] [connections]     (./dev bench latency)
"""

import sys

from rig import Rig, Table, quantile_of

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 10
CONNECTIONS = int(sys.argv[2]) if len(sys.argv) > 2 else 64

ROUTE = 'method="POST",route="/v1/executions",'
WORKFLOW = {"name": "age", "nodes": {"age": {"function": "age", "with": "${ .input.at }"}},
            "output": "${ .nodes.age.output }"}


def main():
    body = {"workflow": "age", "input": {"at": "@now@"}}
    with Rig() as rig:
        server = rig.server()
        rig.worker(server, jobs=2)
        server.register(WORKFLOW)
        server.run("age", {"at": 0})
        idle = server.metrics()
        full = rig.load(server, SECONDS, CONNECTIONS, 0, body)
        before = server.metrics()
        half = rig.load(server, SECONDS, CONNECTIONS, full["rate"] / 2, body)
        after = server.metrics()
    table = Table(f"submission to start at half load, {CONNECTIONS} connections")
    table.row("saturated", full["rate"], "/s")
    door = 1000 * quantile_of(idle, before, "pawl_http_request_seconds", 0.95, ROUTE)
    table.row("... 95 % answered within, as the client sees it", full["p95_ms"], "ms")
    table.row("... as the server's histogram has it, at most", door, "ms")
    table.row("... the client's figure of that bound", full["p95_ms"] / door, "times", "<= 1.2")
    table.row("half of it: answered", half["rate"], "/s")
    table.row("submit to start in the worker, mean", half["output_mean"] / 1e6, "ms", "<= 5")
    table.row("submit to result, mean", half["mean_ms"], "ms")
    table.row("... 95 % below", half["p95_ms"], "ms")
    routing = quantile_of(before, after, "pawl_task_wait_seconds", 0.95)
    table.row("routing (ready to granted, durably), 95 % below", routing * 1000, "ms", "<= 5")
    table.show()


if __name__ == "__main__":
    main()
