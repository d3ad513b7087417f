"""The processes of a chaos run: one server, workers that reach it through proxies, clients that submit.

    rig = Rig(place, seed, programs)
    rig.start_server(); rig.start_worker(rig.seats[0]); rig.start_client("one")
    rig.server.kill(); rig.start_server()
    rig.end()

Whatever a process writes to standard error is in a file of its own below `place`. Only processes that the rig has
started are ever signalled.
"""

import glob
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from client import Client, Tail
from proxy import Proxy

HERE = Path(__file__).resolve().parent
PATIENCE = 60  # seconds for what takes milliseconds on an idle machine
FAKETIME = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)  # of package faketime
POLL = 0.02  # seconds between two looks at something that cannot be waited for


class Broken(Exception):
    """Something is not as it should be: a finding, or the harness is in trouble."""


def wait_for(what, look, patience=PATIENCE):
    """The first true value of look()."""
    end = time.monotonic() + patience
    while not (value := look()):
        if time.monotonic() > end:
            raise Broken(f"after {patience} s there was still no {what}")
        time.sleep(POLL)
    return value


class Process:
    """A process of its own group whose standard error is read, kept and waited for."""

    def __init__(self, name, words, log, **options):
        self.name = name
        self.log = open(log, "ab", buffering=0)
        self.stopped = False
        self.lines = []
        self.news = threading.Condition()
        self.process = subprocess.Popen(list(map(str, words)), stdin=subprocess.PIPE, stdout=self.log,
                                        stderr=subprocess.PIPE, start_new_session=True, **options)
        self.pid = self.process.pid
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            self.log.write(line)
            with self.news:
                self.lines.append(line.decode(errors="replace").rstrip())
                self.news.notify_all()
        with self.news:
            self.lines.append(None)
            self.news.notify_all()

    def said(self, words, patience=PATIENCE):
        """The first line that holds `words`."""
        found = lambda: next((line for line in self.lines if line is None or words in line), False)
        with self.news:
            self.news.wait_for(lambda: found() is not False, patience)
            line = found()
        if not line:
            raise Broken(f"{self.name} (process {self.pid}) did not say {words!r}: {self.lines[-3:]}")
        return line

    def times(self, words):
        with self.news:
            return sum(words in line for line in self.lines if line)

    def alive(self):
        return self.process.poll() is None

    def signal(self, number):
        if self.alive():
            self.process.send_signal(number)

    def stop(self):
        self.signal(signal.SIGSTOP)
        self.stopped = True

    def resume(self):
        self.signal(signal.SIGCONT)
        self.stopped = False

    def kill(self):
        self.signal(signal.SIGKILL)
        self.gone()

    def gone(self, patience=PATIENCE):
        """Its exit code, waited for."""
        try:
            code = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            raise Broken(f"{self.name} (process {self.pid}) does not end") from None
        self.process.stdin.close()
        self.reader.join(PATIENCE)  # what it started may hold the pipe for a moment
        if not self.reader.is_alive():
            self.process.stderr.close()
            self.log.close()
        return code

    def leave(self, patience=PATIENCE):
        """Asks it to end by itself, as an operator does."""
        self.signal(signal.SIGTERM)
        return self.gone(patience)


class Seat:
    """A place for a worker: the link through which it reaches the server, and who has it now."""

    def __init__(self, name, link):
        self.name, self.link = name, link
        self.worker = None
        self.lives = 0
        self.network = None  # a namespace of its own, if it has one (machine.py)


class Rig:
    def __init__(self, place, seed, programs, server_program="pawl", workers=3, jobs=3, partitions=1):
        self.place, self.seed, self.jobs = Path(place), seed, jobs
        self.disk = None
        self.programs, self.server_program = Path(programs), server_program
        self.state = self.place / "state"
        self.effects = self.place / "effects"
        self.effects.touch()
        self.effect_tail, self.effects_seen = Tail(self.effects), {}
        self.journals = self.place / "journals"
        self.journals.mkdir()
        self.listen = "127.0.0.1:0"
        self.tls = []  # options of server and workers
        self.partitions = partitions
        self.clock = self.place / "clock"  # of the server: seconds that it is wrong
        self.set_clock(0)
        self.address = None  # of the server: (host, port)
        self.server = None
        self.clients = {}
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.place), "LANG": "C.UTF-8"}
        self.proxy = Proxy(seed)
        self.seats = [self.seat(f"worker-{i + 1}") for i in range(workers)]

    def use(self, machine):
        """A disk of its own for the state directory, and a worker on a host of its own."""
        self.disk = machine.SmallDisk(self.place / "disk")
        self.state = self.disk.place / "state"
        self.listen = f"{machine.HUB}:{machine.PORT}"
        keys = self.place / "keys"  # plain text stays on one machine
        subprocess.run([self.programs / "pawl", "init", "--dir", keys, "--host", machine.HUB], check=True,
                       env=self.environment, stdout=subprocess.DEVNULL, timeout=PATIENCE)
        self.tls = ["--tls", keys]
        far = self.seat("far")
        far.network = machine.Network(far.name, 1)
        self.seats.append(far)

    def seat(self, name):
        return Seat(name, self.proxy.link(name, lambda: self.address))

    def started(self, name, words, wrap=(), **options):
        options.setdefault("env", self.environment)
        return Process(name, [*wrap, *words], self.place / f"{name}.log", cwd=self.place, **options)

    def start_server(self):
        self.server = self.started("server", [
            self.programs / self.server_program, "server", "--state", self.state, "--listen", self.listen,
            "--partitions", self.partitions, *self.tls], env={**self.environment, **self.wrong_clock()})
        host, port = self.server.said("workers at").rsplit(" ", 1)[1].rsplit(":", 1)
        self.address = (host, int(port))

    def set_clock(self, seconds):
        self.clock.with_suffix(".new").write_text(f"{seconds:+d}s\n")
        self.clock.with_suffix(".new").rename(self.clock)

    def wrong_clock(self):
        if FAKETIME is None:
            return {}
        return {"LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": str(self.clock), "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def start_worker(self, seat):
        seat.lives += 1
        scratch = self.place / "scratch" / f"{seat.name}.{seat.lives}"
        scratch.mkdir(parents=True)
        address, wrap = seat.link.address, ()
        if seat.network is not None:
            address, wrap = f"{self.address[0]}:{self.address[1]}", seat.network.inside()
        seat.worker = self.started(
            seat.name, [self.programs / "pawl", "worker", "--server", address, "--name", seat.name, "--jobs",
                        self.jobs, *self.tls], wrap, env={**self.environment, "TMPDIR": str(scratch)})
        seat.worker.scratch = scratch

    def start_client(self, name, rate):
        self.clients[name] = self.started(f"client-{name}", [
            sys.executable, HERE / "client.py", self.state, self.journals / name, self.seed, name, rate, self.effects])

    def connect(self, patience=PATIENCE):
        return Client(str(self.state), patience)

    def effect_lines(self):
        """execution -> list of (node, item, attempt)."""
        for line in self.effect_tail.lines():
            execution, node, item, attempt = line.split(" ")
            self.effects_seen.setdefault(execution, []).append((node, int(item), int(attempt)))
        return self.effects_seen

    def pawl(self, *words, patience=PATIENCE):
        return subprocess.run([self.programs / "pawl", *map(str, words), "--state", self.state], cwd=self.place,
                              env=self.environment, capture_output=True, text=True, timeout=patience,
                              stdin=subprocess.DEVNULL)

    def processes(self):
        workers = [seat.worker for seat in self.seats]
        return [one for one in [self.server, *workers, *self.clients.values()] if one is not None]

    def heal(self):
        """Ends every fault and starts whoever is missing."""
        for seat in self.seats:
            if seat.network is not None:
                seat.network.heal()
            seat.link.heal()
        if self.disk is not None:
            self.disk.free()
        self.set_clock(0)
        for process in self.processes():
            process.resume()
        if not self.server.alive():
            self.start_server()
        for seat in self.seats:
            if not seat.worker.alive():
                self.start_worker(seat)

    def end(self):
        for process in self.processes():
            process.resume()
            process.kill()
        self.proxy.close()

    def left_over(self):
        """Processes that still run in the directory of this run, other than our own."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                if Path(os.readlink(entry / "cwd")).is_relative_to(self.place):
                    found.append(f"{entry.name} {(entry / 'cmdline').read_bytes().replace(bytes(1), b' ')[:120]}")
            except OSError:
                continue
        return found

    def remove(self):
        if self.disk is not None:
            self.disk.end()
        shutil.rmtree(self.place, ignore_errors=True)


def descriptors(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))
