#!/usr/bin/env python3
"""Real servers, workers and clients under faults; `./dev chaos --help`. See README.md beside this file."""

import argparse
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

import machine
from audit import Auditor
from faults import FAULTS, Nemesis
from rig import FAKETIME, Broken, Rig, descriptors, wait_for

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAMS = Path(os.environ.get("PAWL_BIN", REPOSITORY / "build/dev/bin")).resolve()
EXECUTIONS_PER_SECOND_MIN = 0.5  # of the time under load, or nothing has happened


def arguments(words):
    parser = argparse.ArgumentParser(prog="./dev chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30, help="time under faults, at least (30)")
    parser.add_argument("--seed", type=int, help="which faults, in which order (at random)")
    parser.add_argument("--faults", default="all", help="kinds, with commas between them; all; none")
    parser.add_argument("--partitions", type=int, help="of the server: 1 to 3 (the seed decides)")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument("--rate", type=float, default=4, help="submissions per second and client (4)")
    parser.add_argument("--settle", type=float, default=120, help="seconds after the last fault for all to end (120)")
    parser.add_argument("--server", default="pawl", help="the server's program, in PAWL_BIN (pawl)")
    parser.add_argument("--keep", action="store_true", help="keep the directory also when all holds")
    given = parser.parse_args(words)
    if given.seed is None:
        given.seed = random.SystemRandom().randrange(1_000_000)
    if given.partitions is None:
        given.partitions = random.Random(f"{given.seed}/partitions").choice([1, 2, 3])
    return given


def kinds_of(text):
    if text == "all":
        return [kind for kind, fault in FAULTS.items()
                if not (fault.machine and machine.missing()) and not (fault.target == "clock" and FAKETIME is None)]
    kinds = text.split(",") if text != "none" else []
    for kind in kinds:
        if kind not in FAULTS:
            raise SystemExit(f"chaos: there is no fault {kind!r}; there are: {', '.join(FAULTS)}")
        if FAULTS[kind].machine and machine.missing():
            raise SystemExit(f"chaos: {kind} needs root and tools: {machine.missing()}")
        if FAULTS[kind].target == "clock" and FAKETIME is None:
            raise SystemExit(f"chaos: {kind} needs libfaketime (package faketime)")
    return kinds


class Run:
    def __init__(self, given):
        self.given = given
        self.kinds = kinds_of(given.faults)
        self.place = Path(tempfile.mkdtemp(prefix="pawl-chaos-"))
        self.began = time.monotonic()
        self.lock = threading.Lock()
        self.log = open(self.place / "chaos.log", "w", encoding="utf-8")
        self.rig = Rig(self.place, given.seed, PROGRAMS, given.server, given.workers,
                       partitions=given.partitions)
        self.rig.rate = given.rate
        if any(FAULTS[kind].machine for kind in self.kinds):
            self.rig.use(machine)
        self.auditor = Auditor(self.rig, self.say)
        self.nemesis = Nemesis(self.rig, self.kinds, given.seed, self.say)

    def say(self, line):
        with self.lock:
            text = f"{time.monotonic() - self.began:7.2f}  {line}"
            print(text, file=self.log, flush=True)
            print(text, flush=True)

    def do(self):
        """The faults found; none: all holds."""
        try:
            self.under_faults()
            self.calm()
            self.leave()
        except Broken as broken:
            self.auditor.fault(str(broken))
        finally:
            self.auditor.over.set()
            self.rig.end()
        if not self.auditor.faults:
            self.auditor.after_the_end()
        self.enough()
        return self.auditor.faults

    def under_faults(self):
        rig = self.rig
        rig.start_server()
        for seat in rig.seats:
            rig.start_worker(seat)
        for seat in rig.seats:
            seat.worker.said("working for")
        self.descriptors = descriptors(rig.server)
        for number in range(self.given.clients):
            rig.start_client(f"client{number + 1}", self.given.rate)
        self.auditor.start()
        self.nemesis.run(self.given.seconds)

    def calm(self):
        self.say("the faults are over")
        self.rig.heal()
        for name, client in self.rig.clients.items():
            client.process.stdin.close()  # it clears its doubts and ends
        for name, client in self.rig.clients.items():
            if client.gone(self.given.settle) != 0:
                raise Broken(f"{client.name} ended with {client.process.returncode}: {client.lines[-5:]}")
        self.auditor.settle(self.given.settle)
        self.say(f"everything has ended: {len(self.auditor.checked)} executions")
        if not self.auditor.faults:
            self.auditor.finish()
            self.auditor.descriptors_back(self.descriptors)

    def leave(self):
        """Nothing runs any more: all end by themselves, at once and cleanly."""
        for seat in self.rig.seats:
            wait_for(f"session of {seat.name}", lambda: connected(seat.worker))
            code = seat.worker.leave()
            if code != 0:
                raise Broken(f"{seat.name} ended with {code}, with nothing to do")
            if os.listdir(seat.worker.scratch):
                raise Broken(f"{seat.name} left {os.listdir(seat.worker.scratch)} in its temporary directory")
        code = self.rig.server.leave()
        if code != 0:
            raise Broken(f"the server ended with {code}")

    def enough(self):
        """A run in which nothing happened proves nothing."""
        least = max(1, int(EXECUTIONS_PER_SECOND_MIN * self.given.seconds))
        if len(self.auditor.checked) < least:
            self.auditor.fault(f"too little happened: {len(self.auditor.checked)} executions, at least {least} wanted")
        if not self.kinds:
            self.auditor.fault("too little happened: no fault was asked for")
        for kind, times in self.nemesis.done.items():
            if times == 0:
                self.auditor.fault(f"too little happened: no {kind}")

    def report(self):
        auditor, given = self.auditor, self.given
        self.say(", ".join(f"{kind} {times}" for kind, times in self.nemesis.done.items()))
        self.say(f"{len(auditor.checked)} executions, {auditor.attempts} attempts, "
                 f"{sum(self.nemesis.done.values())} faults, {len(auditor.faults)} things wrong")
        again = f"./dev chaos --seconds {given.seconds:g} --seed {given.seed}"
        for name in ("faults", "partitions", "workers", "clients", "rate", "server"):
            value = getattr(given, name)
            if value != arguments(["--seed", f"{given.seed}"]).__dict__[name]:
                again += f" --{name} {value}"
        self.say(f"the same faults again: {again}")

    def close(self):
        if self.auditor.faults or self.given.keep:
            if self.rig.disk is not None:  # it ends with our namespace
                shutil.copytree(self.rig.state, self.place / "state", dirs_exist_ok=True,
                                ignore=shutil.ignore_patterns("*.sock"))
            self.say(f"logs, journals, histories and the state directory are kept in {self.place}")
        else:
            self.rig.remove()
        self.log.close()


def connected(worker):
    return worker.times("working for") > worker.times("no session at")


def main(words):
    run = Run(arguments(words))
    run.say(f"seed {run.given.seed}, {run.given.partitions} partitions, in {run.place}")
    if machine.missing():
        run.say(f"SKIPPED LOUDLY: bad networks, full disks and power cuts: {machine.missing()}")
    if FAKETIME is None:
        run.say("SKIPPED LOUDLY: jumps of the clock: no libfaketime (package faketime)")
    try:
        faults = run.do()
        run.report()
    finally:
        run.close()
    return 1 if faults else 0


if __name__ == "__main__":
    machine.enter(sys.argv[1:])
    sys.exit(main(sys.argv[1:]))
