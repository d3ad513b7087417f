"""What a client sees of an execution that it asks for again and again: legal steps, and no time that goes back."""

import http.client
import json
import unittest
from datetime import datetime

from pawl_case import PATIENCE, PawlCase

# What may be seen after what; a state may be passed between two looks.
ENDED = {"succeeded", "failed", "cancelled", "skipped"}
NODE_BEFORE = {"waiting": set(), "evaluating": {"waiting"}, "active": {"waiting", "evaluating", "parked"},
               "parked": {"waiting", "evaluating", "active"},
               **{end: {"waiting", "evaluating", "active", "parked"} for end in ENDED}}
EXECUTION_BEFORE = {"running": {"parked"}, "parked": {"running"},
                    **{end: {"running", "parked"} for end in ("succeeded", "failed", "cancelled")}}
MIXED = """\
name: mixed
nodes:
  first: {run: sleep 0.05}
  skipped: {when: "${ (1 | . + 1) == 3 }", run: exit 1}
  many: {needs: first, for_each: 30, run: sleep 0.01}
  flaky: {needs: first, run: '[ $PAWL_ATTEMPT = 3 ]', retry: {max_attempts: 3, backoff: 50ms}}
  gate: {needs: [many, flaky], run: '[ -e go ] || exit 3'}
  last: {needs: gate, transform: .nodes.many.output | length}
"""


class StatesTest(PawlCase):
    def setUp(self):
        super().setUp()
        server = self.start("server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0")
        host = self.said(server, "clients at").rsplit("/", 1)[-1].strip()
        self.worker(self.said(server, "workers at").rsplit(" ", 1)[1].strip(), "--jobs", "4")
        self.http = http.client.HTTPConnection(host, timeout=PATIENCE)
        self.addCleanup(self.http.close)

    def ask(self, method, path, body=None):
        self.http.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"})
        with self.http.getresponse() as answer:
            told = json.load(answer)
            self.assertLess(answer.status, 300, told)
        return told

    def watch(self, path, until, seen):
        """Looks as often as it is answered, until one of these states."""
        while not seen or seen[-1]["status"] not in until:
            now = self.ask("GET", path)
            if seen:
                self.check(seen[-1], now)
            seen.append(now)

    def check(self, before, now):
        if now["status"] != before["status"]:
            self.assertIn(before["status"], EXECUTION_BEFORE[now["status"]])
        self.assertEqual(now["started"], before["started"])
        for earlier, later in zip(before["nodes"], now["nodes"]):
            if later["status"] != earlier["status"]:
                self.assertIn(earlier["status"], NODE_BEFORE[later["status"]], later)
            self.assertGreaterEqual(later["attempts"], earlier["attempts"])
            if earlier.get("last_attempt"):
                self.assertGreaterEqual(later["last_attempt"], earlier["last_attempt"])
            if earlier["status"] in ENDED:
                self.assertEqual(later, earlier)

    def test_every_look_follows_from_the_one_before(self):
        id = self.ask("POST", "/v1/executions", {"definition": MIXED})["execution"]
        seen = []
        path = f"/v1/executions/{id}"
        self.watch(path, ["parked"], seen)
        (self.place / "go").touch()
        self.pawl("dead-letters", "redrive", id)
        self.watch(path, ["succeeded"], seen)
        self.assertGreater(len(seen), 50)
        self.assertEqual(seen[-1]["output"]["json"], {"skipped": None, "last": 30})
        self.assertGreater(len({json.dumps(look["nodes"], sort_keys=True) for look in seen}), 5, "too little was seen")
        started, ended = (datetime.fromisoformat(seen[-1][name][:26].rstrip("Z")) for name in ("started", "ended"))
        self.assertLess(started, ended)
        times = [entry["time"] for entry in self.ask("GET", f"{path}/history")["entries"]]
        self.assertEqual(times, sorted(times))
        self.assertEqual((times[0], times[-1]), (seen[-1]["started"], seen[-1]["ended"]))


if __name__ == "__main__":
    unittest.main()
