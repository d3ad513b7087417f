"""Executions, nodes and tasks in the forms that other tools read: as records, and as messages of a queue."""

import json
import unittest
import urllib.error
import urllib.request
from pathlib import Path

import jsonschema
from pawl_case import PATIENCE, PawlCase

SCHEMA = json.loads((Path(__file__).resolve().parents[2] / "docs/schema/task.schema.json").read_text())
FLAKY = """\
name: flaky
input: {words: [a, b]}
nodes:
  first: {transform: '.input.words | length'}
  tried: {needs: first, run: '[ "$PAWL_ATTEMPT" = 3 ] && echo third', retry: {max_attempts: 3, backoff: 10ms}}
  each: {for_each: "${ .input.words }", command: [echo, "${ .item }"], priority: 7, timeout: 1.5s}
"""


class RecordsTest(PawlCase):
    def setUp(self):
        super().setUp()
        server = self.start("server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0")
        self.url = self.said(server, "clients at").rsplit(" ", 1)[1].strip()
        self.worker(self.said(server, "workers at").rsplit(" ", 1)[1].strip())
        self.environment["PAWL_SERVER"] = self.url

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=PATIENCE) as answer:
            return json.load(answer)

    def test_an_execution_is_a_record_of_exactly_these_fields(self):
        self.write("flaky.yaml", FLAKY)
        self.pawl("run", "flaky.yaml")
        record = self.get("/v1/executions/e1/state?wait=30s")
        self.assertEqual(list(record), ["WorkflowID", "ExecutionID", "Status", "NodeStates", "StartTime", "EndTime",
                                        "Error", "Metadata"])
        self.assertEqual((record["ExecutionID"], record["Status"], record["Error"]), ("e1", "succeeded", None))
        nodes = {node["NodeID"]: node for node in record["NodeStates"]}
        for node in nodes.values():
            self.assertEqual(list(node), ["NodeID", "Status", "Input", "Output", "Error", "Attempts", "LastAttempt"])
        tried = nodes["tried"]
        self.assertEqual((tried["Attempts"], tried["Input"], tried["Output"]), (3, {"first": 2}, "third"))
        self.assertIsNone(tried["Error"])
        self.assertRegex(tried["LastAttempt"], r"^\d{4}-\d\d-\d\dT")
        self.assertEqual(record, json.loads(self.pawl("show", "e1", "--output", "json").stdout))
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.get("/v1/executions/e99/state")
        self.assertEqual(refused.exception.code, 404)
        refused.exception.close()

    def test_a_task_is_a_message_that_fits_its_schema(self):
        self.write("flaky.yaml", FLAKY)
        self.pawl("run", "flaky.yaml", "--label", "tenant_id=t1")
        check = jsonschema.Draft202012Validator(SCHEMA)
        check.check_schema(SCHEMA)
        ids = set()
        for task in ("first", "tried", "each/0", "each/1"):
            self.assertIsNone(self.get(f"/v1/executions/e1/tasks/{task}")["message"])
            message = self.get(f"/v1/executions/e1/tasks/{task}?message=true")["message"]["json"]
            check.validate(message)
            ids.add(message["task_id"])
        self.assertEqual(len(ids), 4)
        self.assertEqual((message["input_data"], message["priority"], message["timeout"], message["node_type"]),
                         ("b", 7, 1.5, "process"))
        self.assertEqual(message["metadata"], {"tenant_id": "t1", "user_id": None})
        for spoilt in ({"task_id": "7"}, {"priority": 10}, {"retry_policy": {}}, {"node_config": "ls"}):
            with self.assertRaises(jsonschema.ValidationError):
                check.validate(message | spoilt)
        check.validate(message | {"added": "later"})
        self.assertEqual(json.loads(self.pawl("show", "e1/each[1]", "--output", "json").stdout)["message"]["json"],
                         message)

    def test_a_task_is_shown_to_people(self):
        self.write("flaky.yaml", FLAKY)
        self.pawl("run", "flaky.yaml")
        shown = self.pawl("show", "e1/tried").stdout
        self.assertRegex(shown, r"^e1/tried +succeeded\nattempts 3, failures 2\nlast failure: exit code 1")
        self.assertTrue(shown.endswith("\noutput:\nthird\n"), shown)
        self.assertIn("'e1/each[0]'", self.pawl("show", "e1/each", code=2).stderr)
        self.assertIn("has no node", self.pawl("show", "e1/eahc", code=1).stderr)


if __name__ == "__main__":
    unittest.main()
