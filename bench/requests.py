#!/usr/bin/env python3
"""One REST request that runs 1, 3 or 9 durable steps and waits for the result, Pawl against Restate.

The request is the input and its answer the output, in both. A step of Restate is `ctx.run(() => null)` in a
service of its own process: user code whose result is durable before the next step begins. Pawl's equal is a
`function` node in a worker process: `function` rows. `transform` rows are steps that a worker does by itself (an
expression), and `process` rows start a program (true).
Restate has one partition and its defaults otherwise; both keep their logs on the same disk. A request's answer
is read by wrk, which has one thread.
Usage: bench/requests.py [seconds] [connections, as 1,64,256] [steps, as 1,3,9]     (./dev bench requests)
"""

import json
import re
import shutil
import subprocess
import sys

import rivals
from rig import Rig, Table, program, skipped

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 5
CONNECTIONS = [int(text) for text in sys.argv[2].split(",")] if len(sys.argv) > 2 else [1, 64, 256]
STEPS = [int(text) for text in sys.argv[3].split(",")] if len(sys.argv) > 3 else [1, 3, 9]


def wrk(place, url, connections, body):
    """Requests per second and the median latency in milliseconds; None where an answer was no success."""
    script = place / "post.lua"
    script.write_text(f"""wrk.method = "POST"
wrk.body = {json.dumps(json.dumps(body))}
wrk.headers["Content-Type"] = "application/json"
done = function(summary, latency)
  io.write(string.format("RESULT %d %d %d %d\\n", summary.requests, summary.duration, latency:percentile(50),
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
""")
    told = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(SECONDS))}s", "-s", script, url],
                          capture_output=True, text=True, check=True).stdout
    requests, micros, p50, errors = map(int, re.search(r"RESULT (\d+) (\d+) (\d+) (\d+)", told).groups())
    if errors or not requests:
        print(told, file=sys.stderr)
        return None
    return requests / micros * 1e6, p50 / 1000


def chain(kind, steps):
    """A workflow of dependent nodes; its input is all that its first one reads."""
    does = {"function": {"function": "nothing", "with": None}, "transform": {"transform": ".input.n"},
            "process": {"command": ["true"], "output": "none"}}[kind]
    nodes = {f"s{i}": does | ({"needs": [f"s{i - 1}"]} if i else {}) for i in range(steps)}
    return {"name": f"{kind}{steps}", "nodes": nodes}


def pawl_figures(kinds):
    figures = {}
    with Rig() as rig:
        server = rig.server()
        rig.worker(server, jobs=2)
        for kind in kinds:
            for steps in STEPS:
                definition = chain(kind, steps)
                server.register(definition)
                server.run(definition["name"], {"n": 1})
                for connections in CONNECTIONS:
                    figures[kind, steps, connections] = wrk(
                        rig.place, f"http://127.0.0.1:{server.http}/v1/workflows/{definition['name']}/run",
                        connections, {"n": 1})
    return figures


def restate_figures():
    figures = {}
    with Rig() as rig:
        url = rivals.restate(rig)
        for steps in STEPS:
            for connections in CONNECTIONS:
                figures[steps, connections] = wrk(rig.place, f"{url}/steps/run", connections, steps)
    return figures


def main():
    if not shutil.which("wrk"):
        return skipped("requests", "wrk is not installed")
    kinds = ("function", "transform", "process")
    ours = pawl_figures(kinds)
    try:
        theirs = restate_figures()
    except rivals.Missing as why:
        skipped("Restate", why)
        theirs = {}
    for kind in kinds:
        table = Table(f"steps that are a {kind}")
        for steps in STEPS:
            for connections in CONNECTIONS:
                figure, rival = ours[kind, steps, connections], theirs.get((steps, connections))
                if figure is None:
                    continue
                what = f"{steps} step{'s' * (steps > 1)}, {connections} connection{'s' * (connections > 1)}"
                table.row(f"{what}: requests", figure[0], "/s")
                table.row("... median latency", figure[1], "ms")
                if not rival:
                    continue
                table.row(f"... Restate: {rival[0]:,.0f} /s, median {rival[1]:.2f} ms; its throughput times",
                          figure[0] / rival[0], "", ">= 25" if connections > 1 and kind == "function" else "")
                if connections == 1:
                    table.row("... median latency as a part of Restate's", figure[1] / rival[1], "",
                              "<= 0.1667" if kind == "function" else "")
        table.show()


if __name__ == "__main__":
    main()
