"""Lines for operators: JSON on standard error, one trace through all processes, and no secrets."""

import json
import unittest
import urllib.request

from pawl_case import PATIENCE, PawlCase

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
SECRET = "hunter2-never-to-be-logged"
FLOW = """\
name: flow
input: {password: null}
nodes:
  good: {run: 'echo "$TRACEPARENT"', env: {TOKEN: "${ .input.password }"}}
  bad:
    run: 'echo "$TOKEN" >&2; exit 7'
    env: {TOKEN: "${ .input.password }"}
    retry: {max_attempts: 2, backoff: 1ms}
output: ${ .nodes.good.output }
"""


class LogTest(PawlCase):
    def lines(self, process):
        """All that it said, once it has ended: nothing but JSON."""
        _, err = self.finish(process, 0)
        lines = [json.loads(line) for line in err.splitlines()]
        for line in lines:
            self.assertLessEqual({"ts", "level", "event", "message"}, line.keys(), line)
            self.assertRegex(line["ts"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertIn(line["level"], ("debug", "info", "warn", "error"))
            self.assertRegex(line["event"], r"^[a-z_]+$")
        return lines

    def serve(self, *words):
        server = self.start("server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", *words)
        first = json.loads(self.said(server, "clients_ready"))
        second = json.loads(self.said(server, "server_ready"))
        self.url = first["message"].rsplit(" ", 1)[1]
        return server, second["message"].rsplit(" ", 1)[1]

    def submit(self, headers):
        body = json.dumps({"definition": FLOW, "input": {"password": SECRET}}).encode()
        request = urllib.request.Request(self.url + "/v1/executions", body,
                                         {"Content-Type": "application/json", **headers})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.loads(answer.read())["execution"]

    def shown(self, execution):
        with urllib.request.urlopen(f"{self.url}/v1/executions/{execution}", timeout=PATIENCE) as answer:
            return json.loads(answer.read())

    def run_flow(self, server_words=(), worker_words=(), headers=None):
        server, address = self.serve("--log", "json", *server_words)
        worker = self.start("worker", "--server", address, "--name", "w1", "--log", "json", *worker_words)
        self.said(worker, "worker_ready")
        execution = self.submit(headers or {})
        self.said(server, "execution_parked")
        shown = self.shown(execution)
        worker.terminate()
        at_worker = self.lines(worker)
        self.said(server, "worker_drained")
        server.terminate()
        return execution, shown, self.lines(server), at_worker

    def test_one_trace_goes_through_all_processes(self):
        self.environment["PAWL_LOG"] = "text"  # the option wins
        server, address = self.serve("--log", "json", "--log-level", "debug")
        worker = self.start("worker", "--server", address, "--name", "w1", "--log", "json", "--log-level", "debug")
        self.said(worker, "worker_ready")
        del self.environment["PAWL_LOG"]
        execution = self.submit({"traceparent": TRACEPARENT})
        told = [json.loads(self.said(server, "execution_submitted"))]
        while told[-1]["event"] != "execution_parked":
            told.append(json.loads(server.stderr.readline()))
        shown = self.shown(execution)
        self.assertEqual(shown["trace_id"], TRACE)
        self.assertIn(f"trace {TRACE}", self.pawl("show", execution).stdout)
        output = next(node for node in shown["nodes"] if node["id"] == "good")["output"]
        self.assertRegex(json.dumps(output), rf"00-{TRACE}-[0-9a-f]{{16}}-01")
        self.assertNotIn("00f067aa0ba902b7", json.dumps(output), "the attempt is a span of its own")
        worker.terminate()
        at_worker = self.lines(worker)
        self.said(server, "worker_drained")
        server.terminate()
        told += self.lines(server)

        mine = [line for line in told if line.get("execution") == execution]
        self.assertTrue(all(line["trace_id"] == TRACE and line["namespace"] == "default" for line in mine))
        events = [line["event"] for line in mine]
        for event in ("execution_submitted", "attempts_granted", "attempts_succeeded", "attempt_failed",
                      "retry_scheduled", "dead_letter", "execution_parked"):
            self.assertIn(event, events)
        failed = [line for line in mine if line["event"] == "attempt_failed"]
        self.assertEqual([(line["node"], line["attempt"], line["message"]) for line in failed],
                         [("bad", 1, "exit code 7"), ("bad", 2, "exit code 7")])
        there = [line for line in at_worker if line.get("trace_id") == TRACE]
        self.assertTrue(all(line["execution"] == execution and line["worker"] == "w1" for line in there))
        self.assertEqual(sorted(line["event"] for line in there),
                         ["attempt_failed"] * 2 + ["attempt_started"] * 3 + ["attempt_succeeded"])
        self.assertEqual(told[-1]["event"], "server_stopped")
        self.assertEqual(at_worker[-1]["event"], "worker_stopped")
        self.assertNotIn(SECRET, json.dumps(told + at_worker))

    def test_a_success_is_no_line_unless_it_is_asked_for(self):
        execution, shown, told, at_worker = self.run_flow()
        self.assertRegex(shown["trace_id"], r"^[0-9a-f]{32}$")
        self.assertNotEqual(shown["trace_id"], TRACE)
        self.assertFalse([line for line in told + at_worker if "succeeded" in line["event"]])
        self.assertFalse([line for line in told + at_worker if line["level"] == "debug"])
        self.assertNotIn(SECRET, json.dumps(told + at_worker))

    def test_a_broken_header_begins_a_trace_and_a_broken_option_is_refused(self):
        _, shown, _, _ = self.run_flow(headers={"traceparent": "00-nonsense"})
        self.assertRegex(shown["trace_id"], r"^[0-9a-f]{32}$")
        self.write("one.yaml", "name: one\nnodes: {a: {run: 'true'}}\n")
        self.assertIn("32 hex digits", self.pawl("run", "one.yaml", "--traceparent", "00-nonsense", code=2).stderr)
        self.environment["TRACEPARENT"] = TRACEPARENT
        self.pawl("run", "one.yaml", "--request-id", "mine")
        newest = self.json("list")["executions"][0]
        self.assertEqual(newest["trace_id"], TRACE)

    def test_a_worker_that_goes_on_with_its_session_is_named(self):
        server, address = self.serve("--log", "json")
        worker = self.start("worker", "--server", address, "--name", "w1", "--log", "json")
        self.said(worker, "worker_ready")
        self.stop(server)
        again = self.start("server", "--listen", address, "--log", "json")
        line = json.loads(self.said(again, "worker_resumed"))
        self.assertEqual((line["level"], line["worker"]), ("info", "w1"))
        self.stop(worker)

    def test_a_run_writes_beside_its_state(self):
        self.write("one.yaml", "name: one\nnodes: {a: {run: 'true'}}\n")
        self.pawl("run", "one.yaml", "--log", "json")
        lines = [json.loads(line) for line in (self.place / ".pawl/pawl.log").read_text().splitlines()]
        events = [line["event"] for line in lines if line.get("execution") == "e1"]
        self.assertEqual(events, ["execution_submitted", "execution_ended"])

    def test_other_forms_and_levels_are_refused(self):
        self.assertIn("json or text", self.pawl("server", "--log", "xml", code=2).stderr)
        error = self.pawl("worker", "--log", "json", "--log-level", "loud", code=2).stderr
        self.assertIn("debug, info, warn or error", error)


if __name__ == "__main__":
    unittest.main()
