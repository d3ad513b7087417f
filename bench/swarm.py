#!/usr/bin/env python3
"""A hundred worker processes with ten thousand tasks running at once, for some minutes; then once more, each task in an
execution of its own, for a moment.

Each task is a process, `sleep`. While they run, every second it is looked whether all workers are there and all tasks
run; at the end every one must have succeeded in its first attempt. Memory is the server's resident set, and the
workers' proportional set: what they share is counted once; the tasks' own memory is not theirs.
Usage: bench/swarm.py [minutes] [workers] [tasks per worker]     (./dev bench swarm)
"""

import os
import sys
import time
from pathlib import Path

from rig import Rig, Table

MINUTES = float(sys.argv[1]) if len(sys.argv) > 1 else 0.5
WORKERS = int(sys.argv[2]) if len(sys.argv) > 2 else 100
EACH = int(sys.argv[3]) if len(sys.argv) > 3 else 100
START_PATIENCE = 120
END_PATIENCE = 300
RUNNING = "pawl_worker_running"  # as the workers say
BATCH = 1000  # executions submitted together


def shared_mib(pid):
    """Proportional set size."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0


def processes(words):
    """How many processes run with these words."""
    wanted, found = b"".join(word.encode() + b"\0" for word in words), 0
    for entry in Path("/proc").iterdir():
        try:
            found += entry.name.isdigit() and (entry / "cmdline").read_bytes() == wanted
        except OSError:  # it has ended
            continue
    return found


def failures(metrics):
    return sum(value for name, value in metrics.items() if name.startswith("pawl_task_failures_total"))


def open_at_once(server, tasks):
    """The most executions that are open, and run, at one instant; their processes then; and what it takes to cancel
    them all, one after the other, until none of them runs."""
    endless = ["sleep", f"{3600 + os.getpid() / 1e7:.7f}"]
    server.register({"name": "apart", "nodes": {"n": {
        "command": endless, "output": "none", "resources": {"cpu": 1}}}, "output": None})
    ids = []
    for begin in range(0, tasks, BATCH):
        told = server.must("POST", "/v1/execution-batches", {
            "workflow": "apart", "inputs": [{}] * min(BATCH, tasks - begin)})
        ids += [one["execution"] for one in told["executions"]]
    seen = server.until("moment with all executions running",
                        lambda now: now["pawl_executions_open"] >= tasks and now[RUNNING] >= tasks, START_PATIENCE)
    there = processes(endless)
    start = time.monotonic()
    for id in ids:
        server.must("POST", f"/v1/executions/{id}/cancel", {})
    asked = time.monotonic() - start
    server.until("end of all that was cancelled", lambda now: not now["pawl_executions_open"] and not now[RUNNING],
                 END_PATIENCE)
    return seen["pawl_executions_open"], there, asked, time.monotonic() - start, processes(endless)


def main():
    tasks = WORKERS * EACH
    running = RUNNING
    with Rig() as rig:
        server = rig.server()
        workers = [rig.worker(server, EACH, f"w{i}", "pawl", wait=False, options=("--capacity", f"cpu={EACH}"))
                   for i in range(WORKERS)]
        server.until("session of every worker", lambda seen: seen["pawl_workers"] == WORKERS)
        sleep = ["sleep", f"{MINUTES * 60 + 5 + tasks / 400 + os.getpid() / 1e7:.7f}"]  # no other run's
        server.register({"name": "swarm", "nodes": {"n": {
            "for_each": tasks, "command": sleep, "output": "none",
            "resources": {"cpu": 1}}}, "output": None})
        start = time.monotonic()
        execution = server.submit("swarm")
        server.until("moment with all tasks running", lambda seen: seen.get(running) == tasks, START_PATIENCE)
        begun = time.monotonic() - start
        there = processes(sleep)
        end = time.monotonic() + MINUTES * 60
        least_workers, least_running, most_suspect = WORKERS, tasks, 0
        cpu = server.cpu_seconds()
        looked = time.monotonic()
        while time.monotonic() < end:
            seen = server.metrics()
            least_workers = min(least_workers, seen["pawl_workers"])
            least_running = min(least_running, seen.get(running, 0))
            most_suspect = max(most_suspect, seen["pawl_workers_suspect"])
            time.sleep(1)
        cpu = (server.cpu_seconds() - cpu) / (time.monotonic() - looked)
        there = min(there, processes(sleep))
        memory = [shared_mib(worker.pid) for worker in workers]
        resident = server.resident_mib()
        status = server.wait(execution)["status"]
        seen = server.metrics()
        apart, processes_apart, asked, ended, left = open_at_once(server, tasks)
    table = Table(f"{WORKERS} workers, {tasks} tasks at once, {MINUTES:g} minutes; the execution {status}")
    table.row("from submission until all run", begun, "s")
    table.row("processes at the beginning and the end, the lesser", there, "", f">= {tasks}")
    table.row("tasks running, at least", least_running, "", f">= {tasks}")
    table.row("workers with a session, at least", least_workers, "", f">= {WORKERS}")
    table.row("workers suspected at once, at most", most_suspect, "", "<= 0")
    table.row("attempts lost or failed", failures(seen), "", "<= 0")
    table.row("executions open at one instant, each with a task of its own", apart, "", f">= {tasks}")
    table.row("... and processes then", processes_apart, "", f">= {tasks}")
    table.row("... all cancelled, until the last was asked for", asked, "s")
    table.row("... until none of them ran", ended, "s")
    table.row("... and processes left then", left, "", "<= 0")
    table.row("sessions opened", seen["pawl_sessions_opened_total"], "", f"<= {WORKERS}")
    table.row("server: memory", resident, "MiB")
    table.row("server: processor while they run", 100 * cpu, "% of a core")
    table.row("worker: memory, mean", sum(memory) / WORKERS, "MiB")
    table.row("worker: memory, most", max(memory), "MiB")
    table.show()


if __name__ == "__main__":
    main()
