#!/usr/bin/env python3
"""No-op tasks of one server and one worker process, against task queues that do the same: Celery and BullMQ with Redis,
Dask distributed, Temporal. From the first submission until the last result is there; each has a worker process of its own.

Pawl's tasks are durable, one by one or as the items of a mapped node; Redis writes what it is told to disk every second
(its default with a log), Temporal's development server keeps its history in
SQLite, Dask keeps nothing. Usage: bench/peers.py [tasks] [rounds]     (./dev bench peers)
"""

import os
import signal
import statistics
import subprocess
import sys
import time

import rivals
from rig import Rig, Table, skipped

TASKS = int(sys.argv[1]) if len(sys.argv) > 1 else 5000  # of each rival; Pawl gets TIMES as many
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
TIMES = 20
BATCH = 10_000
RIVAL_PATIENCE = 120


def one_by_one(server, tasks):
    """Executions of one task each."""
    wish = {"workflow": "one", "inputs": [{}] * min(BATCH, tasks)}
    start = time.monotonic()
    for begun in range(0, tasks, BATCH):
        last = server.must("POST", "/v1/execution-batches", wish)["executions"][-1]
    server.wait(last["execution"])
    server.until("end of all", lambda seen: seen["pawl_executions_open"] == 0)
    return tasks / (time.monotonic() - start)


def as_items(server, tasks):
    start = time.monotonic()
    server.run("mapped")
    return tasks / (time.monotonic() - start)


def pawl(rig):
    tasks = TASKS * TIMES
    server = rig.server()
    rig.worker(server, jobs=2)
    node = {"function": "nothing", "with": None}
    server.register({"name": "one", "nodes": {"n": node}})
    server.register({"name": "mapped", "nodes": {"n": node | {"for_each": tasks}}, "output": None})
    one_by_one(server, 10)
    return {"executions of one task each": statistics.median(one_by_one(server, tasks) for _ in range(ROUNDS)),
            "items of a mapped node": statistics.median(as_items(server, tasks) for _ in range(ROUNDS))}


def printed(folder, *words):
    """The rate that a rival's program prints. What it has started ends with it."""
    process = subprocess.Popen([str(word) for word in words], cwd=folder, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        told, wrong = process.communicate(timeout=RIVAL_PATIENCE)
    except subprocess.TimeoutExpired:
        told, wrong = "", f"it took more than {RIVAL_PATIENCE} s"
    finally:
        end_group(process.pid)
    if process.returncode != 0 or not told:
        raise rivals.Missing(wrong[-500:])
    return float(told.split()[-1])


def end_group(leader):
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        pass


def celery(rig):
    folder = rivals.with_pip("celery")
    return printed(folder, folder / "bin/python", "run.py", rivals.redis(rig), TASKS)


def bullmq(rig):
    folder = rivals.with_npm("bullmq")
    return printed(folder, folder / "node_modules/.bin/node", "run.mjs", rivals.redis(rig), TASKS * 4)


def dask(_):
    folder = rivals.with_pip("dask")
    return printed(folder, folder / "bin/python", "run.py", rivals.free_port(), TASKS // 5)


def temporal(rig):
    folder = rivals.with_pip("temporal")
    return printed(folder, folder / "bin/python", "run.py", rivals.temporal(rig), TASKS // 2)


RIVALS = {"Celery with Redis": celery, "BullMQ with Redis": bullmq, "Dask distributed": dask,
          "Temporal's development server": temporal}


def main():
    with Rig() as rig:
        ours = pawl(rig)
    table = Table(f"no-op tasks, submission to last result, medians of {ROUNDS} rounds")
    for what, rate in ours.items():
        table.row(f"Pawl: {what}", rate, "/s")
    for name, measure in RIVALS.items():
        try:
            rates = []
            for _ in range(ROUNDS):
                with Rig() as rig:
                    rates.append(measure(rig))
        except rivals.Missing as why:
            skipped(name, why)
            continue
        theirs = statistics.median(rates)
        table.row(name, theirs, "/s")
        for what, rate in ours.items():
            table.row(f"... against Pawl's {what}", rate / theirs, "x", ">= 50")
    table.show()


if __name__ == "__main__":
    main()
