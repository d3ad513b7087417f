"""A server that is full refuses early, low priorities first, says when to come again, and keeps what it has taken."""

import json
import unittest
import urllib.error
import urllib.request

from pawl_case import PATIENCE, PawlCase

WORKFLOWS = """\
name: {name}
nodes:
  n: {{run: 'true', queue: mail, priority: {priority}}}
"""


class AdmissionTest(PawlCase):
    def serve(self, *words):
        self.server = self.start("server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", *words)
        self.url = self.said(self.server, "clients at").rsplit(" ", 1)[1].strip()
        self.address = self.said(self.server, "workers at").rsplit(" ", 1)[1].strip()
        for priority in (0, 9):
            self.ask("PUT", "/v1/workflows", WORKFLOWS.format(name=f"p{priority}", priority=priority),
                     {"Content-Type": "application/yaml"})

    def ask(self, method, path, body=None, headers=None):
        request = urllib.request.Request(self.url + path, data=body.encode() if body else None,
                                         method=method,
                                         headers=headers or {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, dict(answer.headers), answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read().decode()

    def submit(self, priority, key, **input):
        body = json.dumps({"workflow": f"p{priority}", "input": input})
        status, headers, text = self.ask("POST", "/v1/executions", body,
                                         {"Content-Type": "application/json", "Idempotency-Key": key})
        return status, headers, json.loads(text)

    def refused(self, told, limit):
        status, headers, body = told
        self.assertEqual(status, 429, body)
        error = body["error"]
        self.assertEqual(error["code"], "RESOURCE_EXHAUSTED")
        self.assertIn(limit, error["message"])
        self.assertGreaterEqual(error["retry_after_ms"], 100)
        self.assertLessEqual(error["retry_after_ms"], 60_000)
        self.assertEqual(int(headers["Retry-After"]), -(-error["retry_after_ms"] // 1000))

    def figure(self, name):
        _, _, page = self.ask("GET", "/metrics")
        return next(float(line.rsplit(" ", 1)[1]) for line in page.splitlines() if line.startswith(name + " "))

    def fill(self, priority, **input):
        """The ids of what is taken until the first refusal, which is the second answer."""
        taken = []
        while True:
            told = self.submit(priority, f"p{priority}-{len(taken)}", **input)
            if told[0] == 429:
                return taken, told
            self.assertEqual(told[0], 201, told)
            taken.append(told[2]["execution"])
            self.assertLess(len(taken), 10_000, "nothing is ever refused")

    def drain_and_compare(self, taken):
        worker = self.worker(self.address)
        for execution in taken:
            _, _, text = self.ask("GET", f"/v1/executions/{execution}?wait=30s")
            self.assertEqual(json.loads(text)["status"], "succeeded", execution)
        self.assertEqual(self.figure("pawl_executions_open"), 0)
        self.assertEqual(self.figure("pawl_executions_submitted_total"), len(taken), "no more and no less")
        return worker

    def test_a_full_queue(self):
        self.serve()
        self.pawl("queue", "set", "mail", "--waiting", "12")
        self.assertEqual(self.json("queue", "list")["queues"][-1]["waiting_max"], 12)
        low, told = self.fill(0)
        self.assertEqual(len(low), 6, "half of it")
        self.refused(told, "waiting_max (12) of queue \"mail\" is reached: priority 0 may fill 6")
        high, told = self.fill(9)
        self.assertEqual(len(high), 6, "all of it")
        self.refused(told, "pawl queue set mail --waiting N")
        self.assertEqual(self.submit(0, "p0-0")[2]["execution"], low[0], "what was taken is known")
        self.assertEqual(self.figure('pawl_submissions_refused_total{reason="queue"}'), 2)
        waiting = self.start("run", self.write("low.yaml", WORKFLOWS.format(name="low", priority=0)), "--quiet")
        self.said(waiting, "waiting for room: the limit waiting_max (12)")
        worker = self.worker(self.address)
        self.finish(waiting, 0)
        self.stop(worker)
        self.drain_and_compare(low + high + ["e13"])
        self.assertEqual(self.submit(0, "again")[0], 201)

    def test_full_memory(self):
        self.serve("--memory", "64KiB")
        self.assertEqual(self.figure("pawl_open_bytes_limit"), 64 << 10)
        low, told = self.fill(0, text="x" * 500)
        self.refused(told, "open_bytes_max (65536) is reached: priority 0 may fill 32768")
        self.assertGreaterEqual(self.figure("pawl_open_bytes"), 32 << 10)
        high, told = self.fill(9, text="x" * 500)
        self.refused(told, "give the server more with pawl server --memory")
        self.assertGreater(len(high), len(low) // 2)
        self.assertGreaterEqual(self.figure("pawl_open_bytes"), 64 << 10)
        self.assertLess(self.figure("pawl_open_bytes"), 80 << 10, "one execution beyond, at most")
        # What was accepted outlives the server.
        self.server.kill()
        self.server.wait()
        self.serve("--memory", "64KiB")
        self.refused(self.submit(0, "more"), "open_bytes_max")
        self.drain_and_compare(low + high)
        self.assertEqual(self.figure("pawl_open_bytes"), 0)
        self.assertEqual(self.submit(0, "more")[0], 201)

    def test_a_size_that_is_none(self):
        refused = self.pawl("server", "--memory", "lots", "--listen", "127.0.0.1:0", code=2)
        self.assertIn("--memory:", refused.stderr)


if __name__ == "__main__":
    unittest.main()
