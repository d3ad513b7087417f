#!/usr/bin/env python3
"""One REST request that runs 1, 3 or 9 durable steps and waits for the result, Pawl against Restate.

The request is the input and its answer the output, in both. A step of Restate is `ctx.run(() => null)` in a
service of its own process: user code whose result is durable before the next step begins. Pawl's equal is a
`function` node in a worker process: `function` rows. `transform` rows are steps that a worker does by itself (an
expression), and `process` rows start a program (true).
Restate has one partition and its defaults otherwise; both keep their logs on the same disk. A request's answer
is read by wrk, which has one thread. Each row is measured in rounds, in which all contenders take their turn for as
long as `seconds`: a shared machine is not the same a minute later. Figures are medians of the rounds, and so are
ratios, each within its round.
Usage: bench/requests.py [seconds] [connections, as 1,64,256] [steps, as 1,3,9] [rounds]     (./dev bench requests)
"""

import json
import re
import shutil
import subprocess
import sys
from statistics import median

import rivals
from rig import Rig, Table, skipped

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 2
CONNECTIONS = [int(text) for text in sys.argv[2].split(",")] if len(sys.argv) > 2 else [1, 64, 256]
STEPS = [int(text) for text in sys.argv[3].split(",")] if len(sys.argv) > 3 else [1, 3, 9]
ROUNDS = int(sys.argv[4]) if len(sys.argv) > 4 else 3
KINDS = ("function", "transform", "process")


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
        print(f"{url}, {connections} connections: {requests} answers, {errors} of them or of the rest failed",
              file=sys.stderr)
        return None
    return requests / micros * 1e6, p50 / 1000


def chain(kind, steps):
    """A workflow of dependent nodes; its input is all that its first one reads."""
    does = {"function": {"function": "nothing", "with": None}, "transform": {"transform": ".input.n"},
            "process": {"command": ["true"], "output": "none"}}[kind]
    nodes = {f"s{i}": does | ({"needs": [f"s{i - 1}"]} if i else {}) for i in range(steps)}
    return {"name": f"{kind}{steps}", "nodes": nodes}


class Pawl:
    """A server and a worker with every workflow that is measured."""

    def __init__(self, rig):
        self.place = rig.place
        self.server = rig.server()
        rig.worker(self.server, jobs=2)
        for definition in (chain(kind, steps) for kind in KINDS for steps in STEPS):
            self.server.register(definition)
            self.server.run(definition["name"], {"n": 1})

    def measure(self, kind, steps, connections):
        url = f"http://127.0.0.1:{self.server.http}/v1/workflows/{kind}{steps}/run"
        figure = wrk(self.place, url, connections, {"n": 1})
        # What wrk left behind is not to run beside the next contender.
        self.server.until("end of what was open", lambda metrics: not metrics.get("pawl_executions_open"))
        return figure


class Restate:
    def __init__(self, rig):
        self.place, self.url = rig.place, rivals.restate(rig)

    def measure(self, steps, connections):
        return wrk(self.place, f"{self.url}/steps/run", connections, steps)


def restate_or_none(rig):
    try:
        return Restate(rig)
    except rivals.Missing as why:
        skipped("Restate", why)
        return None


def rounds_of(pawl, restate, steps, connections):
    """Contender -> (requests per second, median latency) of each round in which all of them had answers."""
    found = {kind: [] for kind in KINDS} | ({"Restate": []} if restate else {})
    for _ in range(ROUNDS):
        this = {kind: pawl.measure(kind, steps, connections) for kind in KINDS}
        if restate:
            this["Restate"] = restate.measure(steps, connections)
        for contender, figure in this.items():
            if figure and (not restate or this["Restate"]):
                found[contender].append((*figure, this.get("Restate")))
    return found


def add_rows(table, kind, steps, connections, found):
    """The rows of one kind of step."""
    what = f"{steps} step{'s' * (steps > 1)}, {connections} connection{'s' * (connections > 1)}"
    if not found[kind]:
        return table.note(f"{what}: no round in which all were answered within 2 s")
    table.row(f"{what}: requests", median(rate for rate, _, _ in found[kind]), "/s")
    table.row("... median latency", median(p50 for _, p50, _ in found[kind]), "ms")
    if not found.get("Restate"):
        return None
    rate, p50 = (median(figure[i] for figure in found["Restate"]) for i in (0, 1))
    table.row(f"... Restate: {rate:,.0f} /s, median {p50:.2f} ms; its throughput times",
              median(rate / rival[0] for rate, _, rival in found[kind]), "",
              ">= 25" if connections > 1 and kind == "function" else "")
    if connections == 1:
        table.row("... median latency as a part of Restate's", median(p50 / rival[1] for _, p50, rival in found[kind]),
                  "", "<= 0.1667" if kind == "function" else "")
    return None


def main():
    if not shutil.which("wrk"):
        return skipped("requests", "wrk is not installed")
    tables = {kind: Table(f"steps that are a {kind}") for kind in KINDS}
    with Rig() as rig:
        pawl, restate = Pawl(rig), restate_or_none(rig)
        for steps in STEPS:
            for connections in CONNECTIONS:
                found = rounds_of(pawl, restate, steps, connections)
                for kind, table in tables.items():
                    add_rows(table, kind, steps, connections, found)
    for table in tables.values():
        table.show()
    return None


if __name__ == "__main__":
    main()
