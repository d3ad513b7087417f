"""Too few descriptors, too few processes: fewer tasks run at once, and nothing accepted is lost."""

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from pawl_case import IN_MEMORY, PAWL, PATIENCE, PawlCase

ROOT = os.geteuid() == 0
SOMEBODY = 64_321  # a user of its own: the limit counts all processes of a user, and root has none
MANY = 20_000
GATED = """\
name: gated
input: {fifo: null}
nodes:
  gate:
    run: |
      echo $$ > ${ .input.fifo }
      until [ -e go ]; do sleep 0.05; done
      echo open
output: ${ .nodes.gate.output }
"""


def limit_descriptors(count):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))


def somebody_with(processes):
    def enter():
        resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
        os.setgroups([])
        os.setgid(SOMEBODY)
        os.setuid(SOMEBODY)
    return enter


class DescriptorsTest(PawlCase):
    def test_many_jobs_with_few_descriptors(self):
        """Four descriptors per process: of the 200 wanted at once a few dozen run."""
        self.write("many.yaml", "name: many\nnodes: {a: {for_each: 300, command: [echo, '${ .item }']}}\n"
                                "output: ${ .nodes.a.output }\n")
        out = self.pawl("run", "many.yaml", "-j", "200", preexec_fn=limit_descriptors(320)).stdout
        self.assertEqual(json.loads(out), [str(i) for i in range(300)])
        self.assertIn("verified: no problems", self.pawl("verify").stdout)

    def test_hardly_any_descriptors(self):
        """Either it works, or it says what is missing; never a crash, and nothing accepted is lost."""
        self.write("many.yaml", "name: many\nnodes: {a: {for_each: 30, command: [echo, '${ .item }']}}\n"
                                "output: ${ .nodes.a.output }\n")
        worked = 0
        for count in (8, 12, 16, 20, 24, 32, 48, 64):
            done = subprocess.run([PAWL, "run", "many.yaml"], cwd=self.place, env=self.environment,
                                  capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL,
                                  preexec_fn=limit_descriptors(count))
            if done.returncode == 0:
                worked += 1
                self.assertEqual(json.loads(done.stdout), [str(i) for i in range(30)])
            else:
                self.assertIn(done.returncode, (1, 3), f"{count}: {done.stderr}")
                self.assertIn("Too many open files", done.stderr, count)
        self.assertGreater(worked, 0)
        self.pawl("resume")
        for one in self.json("list")["executions"]:
            self.assertEqual(one["status"], "succeeded")
        self.assertIn("verified: no problems", self.pawl("verify").stdout)

    def test_visitors_beyond_the_holders_descriptors(self):
        """Connections that cannot be accepted wait; once others have left they are served."""
        self.write("gated.yaml", GATED)
        gate = self.fifo()
        holder = self.start("run", "gated.yaml", "-i", f"fifo={gate}", preexec_fn=limit_descriptors(100))
        self.heard(gate)
        visitors = []
        for _ in range(120):
            visitor = socket.socket(socket.AF_UNIX)
            visitor.setblocking(False)
            self.addCleanup(visitor.close)
            try:
                visitor.connect(str(self.place / ".pawl/pawl.sock"))
            except BlockingIOError:
                break  # the queue is full: the holder no longer accepts
            visitors.append(visitor)
        self.assertGreater(len(visitors), 50)
        for visitor in visitors:
            visitor.close()
        self.assertIn("running", self.pawl("list").stdout)
        (self.place / "go").touch()
        self.assertEqual(self.finish(holder, 0)[0], "open\n")


class ProcessesTest(PawlCase):
    folder = IN_MEMORY

    def copied_for_everybody(self):
        """The programs where any user may start them: the build may lie in somebody's home."""
        folder = Path(tempfile.mkdtemp(prefix="pawl-e2e-bin-"))
        self.addCleanup(shutil.rmtree, folder)
        folder.chmod(0o755)
        for program in ("pawl", "pawl-guardian", "pawl-jq"):
            shutil.copy(Path(PAWL).with_name(program), folder)
        return str(folder / "pawl")

    @unittest.skipUnless(ROOT, "SKIPPED LOUDLY: needs root to become a user with few processes")
    def test_20000_wanted_at_once_and_few_processes_allowed(self):
        os.chown(self.place, SOMEBODY, SOMEBODY)
        pawl = self.copied_for_everybody()
        idle = [subprocess.Popen(["sleep", "1000"], preexec_fn=somebody_with(1000)) for _ in range(60)]
        try:
            done = subprocess.run([pawl, "each", "-j", str(MANY), "echo"],
                                  input="".join(f"{i}\n" for i in range(500)), cwd=self.place,
                                  env=self.environment, capture_output=True, text=True, timeout=4 * PATIENCE,
                                  preexec_fn=somebody_with(100))
        finally:
            for process in idle:
                process.kill()
                process.wait()
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        self.assertEqual(done.stdout.split(), [str(i) for i in range(500)])
        declined = [entry for entry in self.json("history", "e1", "--limit", "100000")["entries"]
                    if entry["event"] == "attempt_failed"]
        self.assertTrue(declined, "no process was refused: this test tests nothing")
        for entry in declined:
            self.assertEqual(entry["with"]["kind"], "declined")
            self.assertIn("cannot create a process", entry["with"]["error"])

    def test_20000_items_for_real(self):
        done = subprocess.run([PAWL, "each", "-j", str(MANY), "sleep 0.01; echo {}"],
                              input="".join(f"{i}\n" for i in range(MANY)), cwd=self.place,
                              env=self.environment, capture_output=True, text=True, timeout=7 * PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        self.assertEqual(done.stdout.split(), [str(i) for i in range(MANY)])


if __name__ == "__main__":
    if not ROOT:
        print("SKIPPED LOUDLY: the limit of processes needs root", file=sys.stderr)
    unittest.main()
