"""What every end-to-end test needs: a directory of its own, and `pawl` started in it."""

import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PAWL = str(Path(os.environ.get("PAWL_BIN", REPOSITORY / "build/dev/bin")).resolve() / "pawl")
WITH_FUNCTIONS = str(Path(PAWL).with_name("bench_pawl"))  # the same, and functions (bench/bench_pawl.cc)
MOUNT_NAMESPACE = 0x00020000  # CLONE_NEWNS
PATIENCE = 90  # seconds until a hanging test is given up; a starved machine takes many for little


# Where the bytes matter and not the disk: a file system in memory, if there is one.
IN_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class PawlCase(unittest.TestCase):
    folder = None  # in which each test has its directory; None: the system's temporary one

    def setUp(self):
        self.place = Path(tempfile.mkdtemp(prefix="pawl-e2e-", dir=self.folder))
        self.started = []
        self.addCleanup(self.clean)
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.place), "LANG": "C.UTF-8"}

    def clean(self):
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.wait()
            process.stdout.close()
            process.stderr.close()
        shutil.rmtree(self.place, ignore_errors=True)

    def write(self, name, text):
        path = self.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def start(self, *words, below=(), program=PAWL, **options):
        """`below`: the command that is to run it."""
        process = subprocess.Popen(
            [*below, program, *map(str, words)], text=True, env=self.environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
            start_new_session=True, **{"cwd": self.place, **options})
        self.started.append(process)
        return process

    def pawl(self, *words, code=0, text=None, timeout=PATIENCE, **options):
        options = {"text": True, "cwd": self.place, **options}
        done = subprocess.run(
            [PAWL, *map(str, words)], env=self.environment, capture_output=True,
            input=text, timeout=timeout, **({} if text is not None else {"stdin": subprocess.DEVNULL}),
            **options)
        self.assertEqual(done.returncode, code, f"pawl {words}\n{done.stdout}\n{done.stderr}")
        return done

    def finish(self, process, code):
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, code, f"{out}\n{err}")
        return out, err

    def json(self, *words, **options):
        return json.loads(self.pawl(*words, "--output", "json", **options).stdout)

    def fifo(self, name="fifo"):
        """A place where a task says that it runs: `self.heard(path)` waits for it."""
        path = self.place / name
        os.mkfifo(path)
        return path

    def heard(self, path):
        while True:
            pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            try:
                waiting = select.poll()
                waiting.register(pipe, select.POLLIN)
                self.assertTrue(waiting.poll(PATIENCE * 1000), "the task did not say that it runs")
                said = os.read(pipe, 4096)
            finally:
                os.close(pipe)
            if said:  # else an earlier speaker has just hung up
                return said.decode().strip()

    def wait_for(self, condition, patience=PATIENCE):
        end = time.monotonic() + patience
        while not condition():
            self.assertLess(time.monotonic(), end, "it did not come to pass")
            time.sleep(0.01)

    def said(self, process, words):
        """The line of standard error that holds `words`, waited for."""
        while True:
            line = process.stderr.readline()
            self.assertTrue(line, f"it ended without saying {words!r}")
            if words in line:
                return line

    def server(self, *words, listen="127.0.0.1:0"):
        """A server for `self.place/.pawl`, and where its workers find it."""
        process = self.start("server", "--listen", listen, *words)
        return process, self.said(process, "workers at").rsplit(" ", 1)[1].strip()

    def keys_with_worker(self, folder, *words):
        """A folder in which `worker` is another certificate of the same authority."""
        self.pawl("certificate", "--dir", "keys", "--name", folder, *words)
        place = self.place / folder
        place.mkdir()
        for end in ("pem", "key"):
            shutil.copy(self.place / "keys" / f"{folder}.{end}", place / f"worker.{end}")
        shutil.copy(self.place / "keys" / "ca.pem", place / "ca.pem")
        return folder

    def worker(self, address, *words, **options):
        process = self.start("worker", "--server", address, *words, **options)
        self.said(process, "working for")
        return process

    def stop(self, process, code=0):
        process.terminate()
        return self.finish(process, code)

    def interrupt(self, process):
        process.send_signal(signal.SIGINT)


def mount_alone():
    """Mounts of this process are seen by nobody else from here on."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("SKIPPED LOUDLY: needs root to mount")
    libc = ctypes.CDLL(None, use_errno=True)
    private = ["mount", "--make-rprivate", "/"]
    if libc.unshare(MOUNT_NAMESPACE) != 0 or subprocess.run(private).returncode != 0:
        raise unittest.SkipTest("SKIPPED LOUDLY: no mount namespace is to be had")


def alive(pid):
    """Whether a process still runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
