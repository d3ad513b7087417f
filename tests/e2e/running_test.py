"""What is told of a task that runs: where, for how long, and what its processes use, as /proc has it."""

import json
import os
import time
import unittest
import urllib.request
from pathlib import Path

from pawl_case import PATIENCE, PawlCase

# Holds memory, has used a processor for a while, and then only waits.
HOLD = """\
import os, sys, time
held = bytearray(b"x") * (48 << 20)
while time.process_time() < 0.3:
    pass
with open(sys.argv[1], "w") as fifo:
    fifo.write(str(os.getpid()))
while not os.path.exists("go"):
    time.sleep(0.05)
"""
FLOW = """\
name: hold
input: {fifo: null}
nodes:
  quiet: {run: 'python3 hold.py ${ .input.fifo } && true'}
"""


def used(pid):
    """Milliseconds of processor time and resident bytes."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    ticks = int(fields[11]) + int(fields[12])
    return ticks * 1000 // os.sysconf("SC_CLK_TCK"), int(fields[21]) * os.sysconf("SC_PAGESIZE")


class RunningTest(PawlCase):
    def test_a_running_task_is_shown_with_what_its_processes_use(self):
        server = self.start("server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0")
        url = self.said(server, "clients at").rsplit(" ", 1)[1].strip()
        self.worker(self.said(server, "workers at").rsplit(" ", 1)[1].strip(), "--name", "near")
        fifo = self.fifo()
        self.write("hold.py", HOLD)
        self.write("hold.yaml", FLOW)
        run = self.start("run", "hold.yaml", "-i", f"fifo={fifo}", "--quiet")
        pid = int(self.heard(fifo))
        task = self.told(url, lambda task: task.get("memory_bytes", 0) > 48 << 20)
        cpu_ms, resident = used(pid)
        self.assertEqual((task["worker"], task["attempt"], task["item"]), ("near", 1, 0))
        self.assertGreaterEqual(task["elapsed_ms"], 300, "as long as it has used a processor")
        # The shell that waits for it counts too: little, and never less than nothing.
        self.assertTrue(resident * 0.9 < task["memory_bytes"] < resident * 1.1 + (16 << 20), (task, resident))
        self.assertTrue(cpu_ms - 100 <= task["cpu_ms"] <= cpu_ms + 100, (task, cpu_ms))
        later = self.told(url, lambda newer: newer["elapsed_ms"] > task["elapsed_ms"])
        self.assertGreaterEqual(later["cpu_ms"], task["cpu_ms"])
        shown = self.pawl("show", "e1").stdout
        self.assertRegex(shown, r"(?m)^RUNNING +WORKER +ATTEMPT +SINCE +CPU +MEMORY")
        self.assertRegex(shown, r"(?m)^quiet +near +1 +\S.* [0-9.]+ MiB")
        (self.place / "go").touch()
        self.finish(run, 0)
        self.assertEqual(self.progress(url).get("tasks", []), [], "what has ended does not run")

    def progress(self, url):
        with urllib.request.urlopen(f"{url}/v1/executions/e1/progress", timeout=PATIENCE) as answer:
            return json.load(answer)

    def told(self, url, enough):
        end = time.monotonic() + PATIENCE
        while True:  # each asks the server
            tasks = self.progress(url).get("tasks", [])
            if tasks and enough(tasks[0]):
                return tasks[0]
            self.assertLess(time.monotonic(), end, f"not told: {tasks}")
            time.sleep(0.05)


if __name__ == "__main__":
    unittest.main()
