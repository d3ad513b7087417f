"""What is urgent goes first, and what is not is not left for ever: one worker that has more than it can do."""

import json
import random
import unittest
import urllib.request

from pawl_case import PATIENCE, PawlCase

# Says that it has begun, and ends when it is its turn: the first that began at turn-1, the second at turn-2.
TASK = """\
name: p%d
nodes:
  a:
    priority: %d
    run: |
      echo $PAWL_EXECUTION >> begun
      turn=$(wc -l < begun)
      until [ -e turn-$turn ]; do sleep 0.01; done
"""
LOW, HIGH = 1, 9
HELD = 8  # tasks that a worker with one slot has granted at a time; their order is settled
WAITING = 20  # urgent ones, at any time
TURNS = 80  # after which it is said to be left for ever


def p90(ranks):
    return sorted(ranks)[len(ranks) * 9 // 10]


class PriorityTest(PawlCase):
    def setUp(self):
        super().setUp()
        server = self.start("server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0")
        self.url = self.said(server, "clients at").rsplit(" ", 1)[1].strip()
        self.worker(self.said(server, "workers at").rsplit(" ", 1)[1].strip(), "--jobs", "1")
        self.begun_file = self.write("begun", "")

    def ask(self, path, body=None):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode() if body else None,
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def submit(self, priority):
        return self.ask("/v1/executions", {"definition": TASK % (priority, priority)})["execution"]

    def begun(self):
        return self.begun_file.read_text().split()

    def end(self, turn):
        (self.place / f"turn-{turn}").touch()

    def saturate(self):
        """One that runs, and as many behind it as are granted before they can run."""
        found = [self.submit(HIGH) for _ in range(HELD + 1)]
        self.wait_for(lambda: self.begun() == found[:1])
        return found

    def granted_at(self, execution):
        """The place in the log of what let it begin."""
        entries = self.ask(f"/v1/executions/{execution}/history")["entries"]
        return next((one["position"], one["index"]) for one in entries if one["event"] == "attempts_granted")

    def test_what_is_urgent_begins_before_what_is_not(self):
        blocking = self.saturate()
        mixed = [LOW, HIGH] * 20
        random.Random(8).shuffle(mixed)
        submitted = [(self.submit(priority), priority) for priority in mixed]
        for turn in range(len(blocking) + len(mixed)):
            self.end(turn + 1)
        self.wait_for(lambda: len(self.begun()) == len(blocking) + len(mixed))
        by_grant = sorted(submitted, key=lambda one: self.granted_at(one[0]))
        rank = {execution: place for place, (execution, _) in enumerate(by_grant)}
        ranks = {which: [rank[execution] for execution, priority in submitted if priority == which]
                 for which in (LOW, HIGH)}
        self.assertLess(p90(ranks[HIGH]), p90(ranks[LOW]))
        self.assertLess(max(ranks[HIGH]), min(ranks[LOW]), "each urgent one begins before any other")
        # What began is what was granted, in that order.
        self.assertEqual(self.begun()[len(blocking):], [execution for execution, _ in by_grant])

    def turns_until_it_begins(self):
        """Of one that is not urgent, while ever more that are come; None: it has not after TURNS of them."""
        count = len(self.saturate())
        low = self.submit(LOW)
        for turn in range(1, TURNS):
            while count - turn < WAITING:
                self.submit(HIGH)
                count += 1
            self.end(turn)
            self.wait_for(lambda: len(self.begun()) > turn)
            if self.begun()[-1] == low:
                return turn
        return None

    def test_what_is_not_urgent_has_its_turn_by_and_by(self):
        self.pawl("queue", "set", "default", "--aging", "1ms")
        self.assertIsNotNone(self.turns_until_it_begins())

    def test_what_is_not_urgent_waits_for_as_long_as_aging_says(self):
        self.pawl("queue", "set", "default", "--aging", "1h")
        self.assertIsNone(self.turns_until_it_begins())


if __name__ == "__main__":
    unittest.main()
