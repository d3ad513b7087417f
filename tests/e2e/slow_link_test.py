"""A worker whose network carries less than it has to report keeps its lease, and sends nothing twice."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "chaos"))
from pawl_case import PawlCase
from proxy import Proxy

ITEMS = 64
OUTPUT_BYTES = 60_000  # each travels in its report, and as what a program has written
RATE = 300_000  # bytes per second: all of it takes longer than the lease of 10 s
PATIENCE = 150  # of them 22 s are what the link takes; a busy machine needs more
NUMBERS = 480_000  # of a list of 3.2 MB: a result, and what the next node reads
LARGE = f"""\
name: large
nodes:
  make: {{transform: "[range({NUMBERS})]"}}
  read:
    needs: [make]
    run: "printf %s ${{ .nodes.make.output | length }}"
  beside: {{for_each: 5, needs: [make], run: echo quick}}
output: ${{ "\\(.nodes.read.output) \\(.nodes.beside.output[4])" }}
"""
TALKATIVE = f"""\
name: talkative
nodes:
  part:
    for_each: {ITEMS}
    run: head -c {OUTPUT_BYTES} /dev/zero | tr '\\0' x
    retry: {{max_attempts: 1}}
"""


class SlowLinkTest(PawlCase):
    def setUp(self):
        super().setUp()
        _, address = self.server()
        host, port = address.rsplit(":", 1)
        proxy = Proxy(seed=1)
        self.addCleanup(proxy.close)
        self.link = proxy.link("slow", lambda: (host, int(port)))
        self.slow_worker = self.worker(self.link.address, "--jobs", "8")
        self.link.set(rate=RATE)

    def ran_once(self, flow):
        self.write("flow.yaml", flow)
        output = self.pawl("run", "flow.yaml", timeout=PATIENCE).stdout
        _, said = self.stop(self.slow_worker)
        self.assertNotIn("session_closed", said)
        self.assertNotIn("lease", said)
        grants = [one["with"] for one in self.json("history", "e1", "--limit", "1000")["entries"]
                  if one["event"] == "attempts_granted"]
        self.assertEqual({one["attempt"] for one in grants}, {1})
        return output

    def test_a_link_slower_than_its_reports(self):
        self.ran_once(TALKATIVE)
        self.assertLess(self.link.bytes["up"], 1.3 * 2 * ITEMS * OUTPUT_BYTES)

    def test_a_payload_that_takes_longer_than_the_lease(self):
        output = self.ran_once(LARGE)
        self.assertEqual(output.split(), [str(NUMBERS), "quick"])
        self.assertGreater(min(self.link.bytes.values()), 10 * RATE)


if __name__ == "__main__":
    unittest.main()
