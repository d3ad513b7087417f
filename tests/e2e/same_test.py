"""The same workflows, unchanged, in every deployment: tests/same says what must come of each."""

import json
import unittest
from pathlib import Path

from pawl_case import PAWL, PATIENCE, REPOSITORY, WITH_FUNCTIONS, PawlCase

SAME = REPOSITORY / "tests/same"
INLINE_MAX = 64 * 1024  # bytes of a value that a history shows; of a larger one it shows the size


class Given:
    def __init__(self, path):
        told = json.loads(path.with_suffix(".json").read_text())
        self.name, self.file = path.stem, path
        self.input, self.deed = told["input"], told.get("deed")
        self.expected = expanded(told["expected"])

    def cancelled_node(self):
        return next(name for name, node in self.expected["nodes"].items()
                    if node["status"] == "cancelled")


def given():
    return [Given(path) for path in sorted(SAME.glob("*.yaml"))]


def expanded(value):
    """{"$seq": 3} stands for ["1", "2", "3"]; what no history shows is its size."""
    if isinstance(value, list):
        return [shown(expanded(one)) for one in value]
    if isinstance(value, dict):
        if "$seq" in value:
            return [str(number) for number in range(1, value["$seq"] + 1)]
        return {name: expanded(one) for name, one in value.items()}
    return value


def shown(value):
    size = len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())
    return value if size <= INLINE_MAX else {"bytes": size}


class Everywhere(PawlCase):
    """What each deployment must show; how it is deployed is said below."""

    program = PAWL  # of `run`

    def become(self, one):
        """Submits it and does the deed; what became of it, in the form of the file."""
        self.write("input.json", json.dumps(one.input))
        words = ("run", one.file, "--input-file", "input.json", "--request-id", one.name, "--quiet")
        process = self.start(*words, program=self.program)
        if one.deed == "cancel":
            execution = self.running(one)
            self.pawl("cancel", execution)
        out, err = process.communicate(timeout=PATIENCE)
        self.assertIn(process.returncode, (0, 1), err)
        execution = self.execution(one)
        if one.deed in ("redrive", "discard"):
            self.assertEqual(self.json("show", execution)["Status"], "parked")
            (self.place / "mended").touch()
            self.pawl("dead-letters", one.deed, execution)
            process = self.start(*words, program=self.program)  # the same execution
            out, err = process.communicate(timeout=PATIENCE)
            self.assertIn(process.returncode, (0, 1), err)
            (self.place / "mended").unlink()
        return became(self.json("show", execution), self.json("history", execution)["entries"], out)

    def execution(self, one):
        return next(found["id"] for found in self.json("list")["executions"]
                    if found["workflow"] == one.name)

    def running(self, one):
        """The execution, once the node runs that its file wants cancelled."""
        node = one.cancelled_node()
        while True:
            for found in self.json("list")["executions"]:
                if found["workflow"] == one.name and any(
                        state["NodeID"] == node and state["Attempts"] > 0
                        for state in self.json("show", found["id"])["NodeStates"]):
                    return found["id"]

    def everything(self):
        for one in given():
            with self.subTest(one.name):
                self.assertEqual(self.become(one), one.expected)


def became(detail, entries, out):
    nodes = [{"status": state["Status"]} for state in detail["NodeStates"]]
    for entry in entries:
        told = entry["with"]
        node = nodes[told["node_index"]] if "node_index" in told else None
        if entry["event"] == "node_activated":
            node["outputs"] = [None] * told["items_count"]
            node["failures"] = [[] for _ in range(told["items_count"])]
        elif entry["event"] == "attempts_succeeded":
            for item in range(told["begin"], told["end"]):
                outputs = told.get("outputs") or []
                node["outputs"][item] = value_of(outputs[item - told["begin"]]) if outputs else None
        elif entry["event"] == "attempt_failed" and told["kind"] not in ("lost", "declined"):
            for item in range(told["begin"], told["end"]):
                node["failures"][item].append(told["kind"])
    for node in nodes:
        if not any(node.get("failures", [])):
            node.pop("failures", None)
    succeeded = detail["Status"] == "succeeded"
    return {"status": detail["Status"], "output": json.loads(out) if succeeded else None,
            "nodes": {state["NodeID"]: node for state, node in zip(detail["NodeStates"], nodes)}}


def value_of(payload):
    if payload is None:
        return None
    return payload["json"] if "json" in payload else {"bytes": payload["blob"]["size"]}


class InOneProcessTest(Everywhere):
    program = WITH_FUNCTIONS

    def test_everything(self):
        self.everything()


class ServerAndWorkersTest(Everywhere):
    more = ()

    def test_everything(self):
        server, address = self.server(*self.more)
        workers = [self.worker(address, "--name", "one"), self.worker(address, "--name", "two"),
                   self.worker(address, "--name", "three", program=WITH_FUNCTIONS)]
        self.everything()
        for process in (*workers, server):
            self.stop(process)
        self.pawl("verify")


class PartitionsAndWorkersTest(ServerAndWorkersTest):
    more = ("--partitions", "3")


class TheSuiteTest(unittest.TestCase):
    def test_it_notices_what_differs(self):
        one = given()[0]
        other = json.loads(json.dumps(one.expected))
        other["nodes"].popitem()
        self.assertNotEqual(one.expected, other)
        self.assertEqual(shown("x" * INLINE_MAX), {"bytes": INLINE_MAX + 2})


if __name__ == "__main__":
    unittest.main()
