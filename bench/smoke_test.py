"""The benchmarks of this folder at a tiny size against the real program, without rivals, so that they cannot rot. What
they measure at that size means nothing; that they measure, and say so, does.

PAWL_BIN is the folder of the programs."""

import os
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
NUMBER = r"([\d.,]+)"


class SmokeTest(unittest.TestCase):
    def bench(self, name, *arguments):
        build = Path(os.environ["PAWL_BIN"]).parent
        environment = os.environ | {"PAWL_BUILD": str(build), "PAWL_BENCH_RIVALS": "no"}
        done = subprocess.run([sys.executable, HERE / f"{name}.py", *arguments], capture_output=True, text=True,
                              env=environment, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def figure(self, told, what):
        match = re.search(re.escape(what) + r"\s+" + NUMBER, told)
        self.assertIsNotNone(match, f"{what!r} is not in:\n{told}")
        return float(match[1].replace(",", ""))

    @unittest.skipUnless(shutil.which("wrk"), "wrk is not installed")
    def test_requests(self):
        told = self.bench("requests", "1", "2", "1,3")
        self.assertIn("SKIPPED: Restate: PAWL_BENCH_RIVALS=no", told)
        for kind in ("function", "transform", "process"):
            self.assertIn(f"steps that are a {kind}", told)
        self.assertGreater(self.figure(told, "3 steps, 2 connections: requests"), 0)

    def test_peers(self):
        told = self.bench("peers", "50", "1")
        self.assertEqual(told.count("SKIPPED"), 4, told)
        self.assertGreater(self.figure(told, "Pawl: executions of one task each"), 0)

    def test_latency(self):
        told = self.bench("latency", "0.5", "2")
        self.assertGreater(self.figure(told, "submit to start in the worker, mean"), 0)
        self.assertGreater(self.figure(told, "routing (ready to granted, durably), 95 % below"), 0)
        self.assertGreater(self.figure(told, "... as the server's histogram has it, at most"), 0)

    def test_overhead(self):
        told = self.bench("overhead", "20", "1")
        self.assertGreaterEqual(self.figure(told, "function: pawl run"), 20 / 4 * 0.01)
        self.assertGreaterEqual(self.figure(told, "process: server and worker"), 20 / 4 * 0.01)

    def test_failover(self):
        self.assertGreater(self.figure(self.bench("failover", "1"), "until all of them run elsewhere, longest"), 0)

    def test_restart(self):
        self.assertGreater(self.figure(self.bench("restart", "8", "1"), "until a submitted task has run, longest"), 0)

    def test_overload(self):
        told = self.bench("overload", "1", "2")
        self.assertGreater(self.figure(told, "goodput, 20 clients"), 0)
        self.assertEqual(told.count(">= 0.9:"), 2, told)

    def test_swarm(self):
        told = self.bench("swarm", "0.01", "2", "3")
        self.assertIn("the execution succeeded", told)
        self.assertIn("aim >= 6: met", told)
        self.assertEqual(self.figure(told, "executions open at one instant, each with a task of its own"), 6)

    def test_start(self):
        told = self.bench("start", "2")
        self.assertGreater(self.figure(told, "worker: ... longest"), 0)
        self.assertGreater(self.figure(told, "server: ... longest"), 0)

    def test_scale(self):
        told = self.bench("scale", "0.1")
        self.assertEqual(self.figure(told, "8 workers: sessions"), 16)
        self.assertGreater(self.figure(told, "8 workers against one"), 0)

    def test_distance(self):
        told = self.bench("distance", "5", "20")
        self.assertGreater(self.figure(told, "so many times as fast"), 0)


if __name__ == "__main__":
    unittest.main()
