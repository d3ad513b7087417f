"""A server whose state directory has several partitions: everything as with one, and what is its own."""

import json
import unittest
import urllib.request

import server_test
from pawl_case import PawlCase

FANNED = """\
name: fanned
nodes:
  part: {for_each: 6, run: "sleep 0.1; echo ${ .item }", output: json}
output: ${ .nodes.part.output | add }
"""


class AsWithOneTest(server_test.ServerTest):
    def start(self, verb, *words, **options):
        more = ("--partitions", "3") if verb == "server" else ()
        return super().start(verb, *words, *more, **options)


class PartitionsTest(PawlCase):
    def test_work_is_spread_and_seen_as_one(self):
        server, address = self.server("--partitions", "4")
        self.worker(address, "--name", "one", "--jobs", "2")
        self.write("fanned.yaml", FANNED)
        for _ in range(8):
            self.assertEqual(self.pawl("run", "fanned.yaml").stdout, "15\n")
        executions = [one["id"] for one in self.json("list")["executions"]]
        self.assertEqual(len(executions), 8)
        slots = {(int(one[1:]) - 1) % 4 for one in executions}
        self.assertEqual(slots, {0, 1, 2, 3})
        self.assertEqual(executions, sorted(executions, key=lambda one: -int(one[1:])))
        workers = self.json("workers")["workers"]
        self.assertEqual([one["worker"]["name"] for one in workers], ["one"])
        self.stop(server)
        told = self.pawl("verify").stdout
        for slot in range(4):
            self.assertIn(f"partition {slot}: replay: 2 executions", told)

    def test_the_number_of_partitions_is_settled_once(self):
        server, _ = self.server("--partitions", "2")
        self.stop(server)
        refused = self.pawl("server", "--partitions", "3", "--listen", "127.0.0.1:0", code=3)
        self.assertIn("has 2 partitions, not 3", refused.stderr)
        refused = self.pawl("server", "--partitions", "65", "--listen", "127.0.0.1:0", code=2)
        self.assertIn("at most 64", refused.stderr)
        server, address = self.server()  # as many as it has
        self.worker(address)
        self.assertEqual(self.pawl("each", "echo", "{}", ":::", "a", "b").stdout, "a\nb\n")
        self.stop(server)

    def test_nothing_is_lost_when_the_server_is_killed(self):
        server, web, address = self.server_with_door()
        self.worker(address, "--jobs", "2")
        self.post(web, "PUT", "/v1/workflows", FANNED, "application/yaml")
        for number in range(6):
            told = self.post(web, "POST", "/v1/executions", json.dumps({"workflow": "fanned"}),
                             "application/json", {"Idempotency-Key": f"order-{number}"})
            self.assertIn("execution", told)
        server.kill()
        server.wait()
        _, web, _ = self.server_with_door(listen=address)
        results = [self.post(web, "POST", "/v1/executions?wait=60s",
                             json.dumps({"workflow": "fanned"}), "application/json",
                             {"Idempotency-Key": f"order-{number}"}) for number in range(6)]
        self.assertEqual({one["status"] for one in results}, {"succeeded"})
        self.assertEqual(len(self.json("list")["executions"]), 6, "the same requests, not others")

    def server_with_door(self, listen="127.0.0.1:0"):
        process = self.start("server", "--listen", listen, "--http", "127.0.0.1:0", "--partitions",
                             "3")
        web = self.said(process, "clients at").rsplit(" ", 1)[1].strip()
        return process, web, self.said(process, "workers at").rsplit(" ", 1)[1].strip()

    @staticmethod
    def post(web, method, path, body, kind, headers=None):
        request = urllib.request.Request(web + path, data=body.encode(), method=method,
                                         headers={"Content-Type": kind, **(headers or {})})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


if __name__ == "__main__":
    unittest.main()
