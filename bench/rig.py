"""What the benchmarks of this folder share: servers and workers as processes of their own, a client, a table.

    with Rig() as rig:
        server = rig.server()
        rig.worker(server, jobs=2)
        server.register({"name": "n", "nodes": {"n": {"function": "nothing"}}})
        print(server.run("n")["status"])
    table = Table("rounds a second"); table.row("what", 12.0, aim=">= 10"); table.show()

A benchmark never asserts: it prints the figure, the aim, and whether it is met. Only processes that the rig has
started are signalled. Programs are found in $PAWL_BUILD/bin; peers are kept in ${XDG_CACHE_HOME:-~/.cache}/pawl-bench.
"""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = Path(os.environ.get("PAWL_BUILD", HERE.parent / "build/release")).resolve()
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pawl-bench"
PATIENCE = 60  # seconds for what takes milliseconds


def program(name):
    path = BUILD / "bin" / name
    if not path.exists():
        sys.exit(f"{path} is missing; build it: ./dev build release")
    return path


class Process:
    """A process whose lines (both streams) are read; `said` waits for one of them."""

    def __init__(self, words, **options):
        self.words = [str(word) for word in words]
        self.lines, self.ended, self.news = [], False, threading.Condition()
        self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, errors="replace", **options)
        self.pid = self.process.pid
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            with self.news:
                self.lines.append(line.rstrip())
                del self.lines[:-1000]
                self.news.notify_all()
        with self.news:
            self.ended = True
            self.news.notify_all()

    def said(self, pattern, patience=PATIENCE):
        """The match of the first line that matches."""
        def found():
            return next(filter(None, (re.search(pattern, line) for line in self.lines)), None)
        with self.news:
            self.news.wait_for(lambda: found() or self.ended, patience)
            match = found()
        if not match:
            raise RuntimeError(f"{' '.join(self.words)} did not say {pattern!r}: {self.lines[-5:]}")
        return match

    def kill(self):
        self.end(signal.SIGKILL)

    def end(self, number=signal.SIGTERM, patience=PATIENCE):
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def resident_mib(self):
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Server(Process):
    def __init__(self, state, options=(), http=0, listen=0):
        super().__init__([program("pawl"), "server", "--state", state, "--listen", f"127.0.0.1:{listen}",
                          "--http", f"127.0.0.1:{http}", *options])
        self.state = state
        self.http = int(self.said(r"clients at http://127\.0\.0\.1:(\d+)")[1])
        self.listen = int(self.said(r"workers at 127\.0\.0\.1:(\d+)")[1])
        self.connection = None

    def ask(self, method, path, body=None):
        """The answer as (status, JSON), over one connection that is kept."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=600)
        data = None if body is None else json.dumps(body)
        self.connection.request(method, path, data, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text[:1] in b"{[" else text.decode()

    def must(self, method, path, body=None):
        status, answer = self.ask(method, path, body)
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {answer}")
        return answer

    def register(self, definition):
        return self.must("PUT", "/v1/workflows", {"definition": json.dumps(definition)})

    def submit(self, workflow, given=None):
        return self.must("POST", "/v1/executions", {"workflow": workflow, "input": given or {}})["execution"]

    def run(self, workflow, given=None):
        """Submits and waits for the end."""
        answer = self.must("POST", "/v1/executions?wait=5m", {"workflow": workflow, "input": given or {}})
        if answer["status"] != "succeeded":
            raise RuntimeError(f"{workflow} ended {answer['status']}: {answer}")
        return answer

    def wait(self, execution):
        return self.must("GET", f"/v1/executions/{execution}?wait=5m")

    def metrics(self):
        """name{labels} -> value."""
        found = {}
        for line in self.must("GET", "/metrics").splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                found[name] = float(value)
        return found

    def until(self, what, look, patience=PATIENCE):
        """The metrics of the first moment at which look(metrics) holds."""
        end = time.monotonic() + patience
        while True:
            metrics = self.metrics()
            if look(metrics):
                return metrics
            if time.monotonic() > end:
                raise RuntimeError(f"after {patience} s there was still no {what}")
            time.sleep(0.02)


class Rig:
    """A directory and processes that end with it."""

    def __init__(self):
        self.place = Path(tempfile.mkdtemp(prefix="pawl-bench-"))
        self.processes = []

    def __enter__(self):
        # What ends a benchmark from outside ends what it has started, too.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.kill()
        shutil.rmtree(self.place, ignore_errors=True)

    def start(self, kind, *given, **options):
        process = kind(*given, **options)
        self.processes.append(process)
        return process

    def server(self, *options, state="state", **ports):
        return self.start(Server, self.place / state, options, **ports)

    def worker(self, server, jobs=1, name="bench", command="bench_pawl", wait=True, options=()):
        """A worker process; with `bench_pawl` it has the benchmarks' functions."""
        worker = self.start(Process, [program(command), "worker", "--server", f"127.0.0.1:{server.listen}", "--name",
                                      name, "--jobs", jobs, *options], cwd=self.place)
        if wait:
            worker.said("working for")
        return worker

    def load(self, server, seconds, connections, rate, body, path="/v1/executions?wait=30s"):
        """What bench_load says about a load of this kind; "@now@" in the body becomes the time, a number."""
        words = [program("bench_load"), server.http, seconds, connections, rate,
                 json.dumps(body).replace('"@now@"', "@now@"), path]
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"bench_load: {done.stderr}")
        if done.stderr:
            print(done.stderr.strip(), file=sys.stderr)
        return json.loads(done.stdout)


def quantile_of(before, after, name, part, labels=""):
    """An upper bound of a quantile of what a histogram counted between two scrapes, in its unit."""
    bounds = []
    for key, value in after.items():
        match = re.fullmatch(re.escape(f"{name}_bucket{{{labels}") + r'le="([^"]+)"\}', key)
        if match:
            bounds.append((float(match[1].replace("+Inf", "inf")), value - before.get(key, 0)))
    bounds.sort()
    total = bounds[-1][1] if bounds else 0
    return next((bound for bound, count in bounds if count >= part * total), float("inf"))


def met(value, aim):
    """Whether a figure meets an aim such as ">= 25"; None without an aim."""
    if not aim:
        return None
    relation, bound = aim.split()
    return value >= float(bound) if relation == ">=" else value <= float(bound)


class Table:
    """Rows of a figure with its unit, an aim, and whether it is met."""

    def __init__(self, title):
        self.title, self.rows = title, []

    def row(self, what, value, unit="", aim=""):
        verdict = {None: "", True: "met", False: "MISSED"}[met(value, aim)]
        digits = 0 if abs(value) >= 1000 else 2 if abs(value) >= 1 else 3
        self.rows.append((what, f"{value:,.{digits}f} {unit}".rstrip(), aim, verdict))

    def note(self, text):
        self.rows.append((text, "", "", ""))

    def show(self):
        print(self.title)
        for what, figure, aim, verdict in self.rows:
            line = f"  {what:62} {figure:>18}" if figure else f"  {what}"
            print((line + (f"   aim {aim}: {verdict}" if aim else "")).rstrip(), flush=True)


def skipped(what, why):
    print(f"SKIPPED: {what}: {why}", flush=True)
