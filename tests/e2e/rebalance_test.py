"""Work that waits in one worker while another has a free slot: it moves, and each task runs once."""

import os
import re
import select
import unittest
import urllib.request

from pawl_case import PATIENCE, PawlCase

ITEMS = 8
SLOW = f"""\
name: slow
input: {{fifo: null}}
nodes:
  part:
    for_each: {ITEMS}
    run: |
      echo ${{ .item }} >> ran
      [ -e go ] || echo ${{ .item }} > ${{ .input.fifo }}
      until [ -e go ]; do sleep 0.05; done
"""

UNEVEN = f"""\
name: uneven
input: {{fifo: null}}
nodes:
  part:
    for_each: {ITEMS}
    run: |
      echo ${{ .item }} >> ran
      echo ${{ .item }} > ${{ .input.fifo }}
      until [ -z "$SLOW" ] || [ -e go ]; do sleep 0.05; done
"""


class RebalanceTest(PawlCase):
    options = ()

    def test_what_waits_in_a_slow_worker_goes_to_a_fast_one(self):
        server = self.start("server", "--listen", "127.0.0.1:0", *self.options)
        address = self.said(server, "workers at").rsplit(" ", 1)[1].strip()
        self.worker(address, "--name", "slow", "--jobs", "1", below=("env", "SLOW=1"))
        self.worker(address, "--name", "fast", "--jobs", "1")
        self.write("uneven.yaml", UNEVEN)
        speaks = self.fifo()
        run = self.start("run", "uneven.yaml", "-i", f"fifo={speaks}")
        begun = self.heard_all(speaks, ITEMS)  # while the slow one holds its slot
        self.assertEqual(sorted(map(int, begun)), list(range(ITEMS)))
        self.execution = self.json("list")["executions"][0]["id"]
        moved = [one for one in self.events("attempts_granted") if one["because"] == "recalled"]
        self.assertGreaterEqual(sum(one["end"] - one["begin"] for one in moved), 1)
        (self.place / "go").touch()
        self.finish(run, 0)
        ran = [int(line) for line in (self.place / "ran").read_text().split()]
        self.assertEqual(sorted(ran), list(range(ITEMS)), "each ran once")

    def test_a_worker_that_joins_gets_what_waits_in_another(self):
        server = self.start("server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", *self.options)
        web = self.said(server, "clients at").rsplit(" ", 1)[1].strip()
        address = self.said(server, "workers at").rsplit(" ", 1)[1].strip()
        self.worker(address, "--name", "first", "--jobs", "1")
        self.write("slow.yaml", SLOW)
        speaks = self.fifo()
        run = self.start("run", "slow.yaml", "-i", f"fifo={speaks}")
        self.assertEqual(self.heard(speaks), "0")
        self.execution = self.json("list")["executions"][0]["id"]
        grants = self.events("attempts_granted")
        self.assertEqual(sum(one["end"] - one["begin"] for one in grants), ITEMS, "all of it waits in one worker")
        self.worker(address, "--name", "second", "--jobs", "1")
        moved = int(self.heard(speaks))  # while the first still holds its slot
        self.assertIn("recalled from worker first, which had not begun it",
                      self.pawl("why", f"{self.execution}/part[{moved}]").stdout)
        (self.place / "go").touch()
        self.finish(run, 0)
        ran = [int(line) for line in (self.place / "ran").read_text().split()]
        self.assertEqual(sorted(ran), list(range(ITEMS)), "each ran once")
        again = [one for one in self.events("attempts_granted") if one["because"] == "recalled"]
        self.assertTrue(any(one["begin"] <= moved < one["end"] for one in again))
        self.assertEqual({one["attempt"] for one in again if one["begin"] <= moved < one["end"]}, {2})
        with urllib.request.urlopen(web + "/metrics") as page:
            recalled = re.search(r"^pawl_recalled_total (\d+)$", page.read().decode(), re.M)
        self.assertGreaterEqual(int(recalled[1]), 1)

    def heard_all(self, path, lines):
        """What many say, each a line: it is held open, so that no word is lost between two speakers."""
        pipe = os.open(path, os.O_RDWR)
        self.addCleanup(os.close, pipe)
        waiting, said = select.poll(), b""
        waiting.register(pipe, select.POLLIN)
        while said.count(b"\n") < lines:
            self.assertTrue(waiting.poll(PATIENCE * 1000), f"only {said!r} was said")
            said += os.read(pipe, 4096)
        return said.decode().split()

    def events(self, name):
        entries = self.json("history", self.execution, "--limit", "1000")["entries"]
        return [one["with"] for one in entries if one["event"] == name]


class OfSeveralPartitionsTest(RebalanceTest):
    options = ("--partitions", "3")


if __name__ == "__main__":
    unittest.main()
