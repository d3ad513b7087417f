"""The worker against a real server."""

import concurrent.futures
import os
import signal
import socket
import subprocess
import sys
import threading
import unittest
from pathlib import Path
from unittest import mock

import grpc
import tasks_for_tests as tasks
from sdk_case import PATIENCE, Everywhere, SdkCase

import pawl
from pawl import executor


def one_node(function, **node):
    return {"name": "one", "nodes": {"a": {"function": function, **node}}, "output": "${ .nodes.a.output }"}


class WorkerCase(SdkCase):
    def work(self, *, server=None, **options):
        options = {"tasks": tasks.ALL, "concurrency": 4, "drain": PATIENCE, **options}
        worker = pawl.Worker(server or self.address, **options)
        worker.start()
        self.addCleanup(worker.stop)
        self.assertTrue(worker.wait_connected(PATIENCE))
        return worker

    def call(self, function, input=None, **node):
        return self.client.submit(definition=one_node(function, **node), input=input)

    def result(self, *args, **node):
        return self.call(*args, **node).result(PATIENCE)

    def lines(self, name, count):
        """The lines of a file, once there are so many."""
        path = self.place / name
        pause = threading.Event()
        for _ in range(PATIENCE * 100):
            lines = path.read_text().splitlines() if path.exists() else []
            if len(lines) >= count:
                return lines
            pause.wait(0.01)
        raise AssertionError(f"{name} has {lines}, not {count} lines")

    def cause(self, run):
        with self.assertRaises(pawl.ExecutionParked):
            run.result(PATIENCE)
        return run.dead_letters()[0].cause


class SameProgramTest(WorkerCase, Everywhere):
    """tests/same, its functions in Python."""

    def test_everything(self):
        self.serve("--partitions", "2")
        self.worker(self.address)
        self.work(tasks=[tasks.same])
        self.everything()


class PartitionsTest(WorkerCase):
    def test_every_partition_is_worked_for(self):
        self.serve("--partitions", "3")
        worker = self.work()
        # Each has a random key, by which it goes somewhere: one in a million times a partition gets none.
        runs = [self.call("square", **{"with": number}) for number in range(40)]
        self.assertEqual([run.result(PATIENCE) for run in runs], [number * number for number in range(40)])
        self.assertEqual({(int(run.id[1:]) - 1) % 3 for run in runs}, {0, 1, 2})
        worker.stop()


class RefusalTest(WorkerCase):
    def test_a_refusal_passes(self):
        self.pawl("init", "--dir", "keys")
        keys = self.place / "keys"
        (keys / "revoked").write_text("pawl:worker/default/worker\n")
        _, address = self.server("--tls", "keys")
        shown = [(keys / name).read_bytes() for name in ("ca.pem", "worker.key", "worker.pem")]
        worker = pawl.Worker(address, tasks=tasks.ALL, credentials=grpc.ssl_channel_credentials(*shown))
        with self.assertLogs("pawl", "WARNING") as log:
            worker.start()
            self.addCleanup(worker.stop)
            pause = threading.Event()
            for _ in range(PATIENCE * 100):
                if "revoked" in "".join(log.output):
                    break
                pause.wait(0.01)
        self.assertIn("revoked", log.output[0])
        (keys / "revoked").write_text("")
        self.assertTrue(worker.wait_connected(PATIENCE))


class WorkerTest(WorkerCase):
    def setUp(self):
        super().setUp()
        self.serve("--jobs", "1")

    def test_inputs_become_arguments(self):
        self.work()
        self.assertEqual(self.result("square", **{"with": 12}), 144)
        self.assertEqual(self.result("add", {"a": 1, "b": 2}), 3)
        self.assertEqual(self.result("add", {"a": 1}), 11)
        self.assertEqual(self.result("add", **{"with": [4, 5]}), 9)
        self.assertEqual(self.result("greet", {"name": "you", "greeting": "Hi"}), "Hi, you")
        self.assertEqual(self.result("echo", {"x": [1, None, "ä"]}), {"x": [1, None, "ä"]})
        self.assertIsNone(self.result("nothing", {"x": 1}))
        self.assertEqual(self.result("square", for_each=5), [0, 1, 4, 9, 16])
        self.assertEqual(self.result("echo", for_each=["a", {"b": 1}, None]), ["a", {"b": 1}, None])
        self.assertEqual(self.result("nothing", for_each=3), [None] * 3)

    def test_templates_read_the_context(self):
        self.work()
        definition = {
            "name": "context",
            "nodes": {
                "squares": {"function": "square", "for_each": 4},
                "x-1": {"function": "echo", "with": {"deep": ["a", "b"]}},
                "all": {
                    "needs": ["squares", "x-1"],
                    "function": "echo",
                    "with": {
                        "third": "${ .nodes.squares.output[3] }",
                        "all": "${ .nodes.squares.output }",
                        "none": "${ .nodes.squares.output[9] }",
                        "deep": '${ .nodes["x-1"].output.deep[1] }',
                        "text": "n=${ .input.n }!",
                        "me": "${ .execution.id } of ${ .execution.workflow }",
                    },
                },
                "items": {
                    "needs": ["all"],
                    "for_each": "${ .nodes.squares.output }",
                    "function": "echo",
                    "with": ["${ .item }", "${ .input.n }"],
                },
                "jq": {"needs": ["all"], "function": "echo", "with": "${ .nodes.squares.output | add + .input.n }"},
            },
        }
        definition["nodes"]["jq"]["with"] = "${ (.nodes.squares.output | add) + .input.n }"
        definition["nodes"]["items"]["needs"] = ["all", "squares"]
        definition["nodes"]["jq"]["needs"] = ["all", "squares"]
        run = self.client.submit(definition=definition, input={"n": 7})
        run.result(PATIENCE)
        found = run.get()
        self.assertEqual(
            found.node("all").output,
            {
                "third": 9,
                "all": [0, 1, 4, 9],
                "none": None,
                "deep": "b",
                "text": "n=7!",
                "me": f"{run.id} of context",
            },
        )
        self.assertEqual(run.result(), {"items": [[0, 7], [1, 7], [4, 7], [9, 7]], "jq": 21})

    def test_failures_say_what_and_why(self):
        self.work()
        cause = self.cause(self.call("fail", **{"with": "no luck"}))
        self.assertEqual((cause.kind, cause.error), ("function", "ValueError: no luck"))
        cause = self.cause(self.call("no_json"))
        self.assertEqual(cause.kind, "output")
        self.assertIn("set is not JSON serializable", cause.error)
        cause = self.cause(self.call("add", {"a": 1, "c": 2}))
        self.assertEqual(cause.kind, "function")
        self.assertIn("unexpected keyword argument 'c'", cause.error)
        cause = self.cause(self.call("echo", {"a": "text"}, **{"with": "${ .input.a.b }"}))
        self.assertEqual((cause.kind, cause.error), ("expression", '${ .input.a.b }: cannot index string with "b"'))
        cause = self.cause(self.call("echo", **{"with": "${ .input.a | error }"}))
        self.assertEqual(cause.kind, "expression")

    def test_whatever_is_raised_is_a_failure_and_the_worker_goes_on(self):
        self.work(concurrency=1)
        raised = {"exit": "SystemExit: 3", "base": "Stop: enough", "mute": "Mute"}
        for function in ("leave_thread", "leave_process", "leave_loop"):
            for how, error in raised.items():
                with self.subTest(function=function, how=how):
                    cause = self.cause(self.call(function, **{"with": how}))
                    self.assertEqual((cause.kind, cause.error), ("function", error))
            with self.subTest(function=function, how="sealed"):
                cause = self.cause(self.call(function, **{"with": "sealed"}))
                self.assertEqual((cause.kind, cause.error), ("output", "returned no JSON: 'sealed'"))
        self.assertEqual(self.result("leave_loop_beside", **{"with": "exit"}), "SystemExit")
        self.assertEqual(self.result("square", **{"with": 3}), 9)
        self.assertTrue(self.result("sleep_async", **{"with": 0}))

    def test_what_a_function_changes_no_other_sees(self):
        self.work(concurrency=1)
        again = {"retry": {"max_attempts": 2, "backoff": "1ms"}}
        self.assertEqual(
            self.result("grow", {"n": [0]}, for_each=3, **{"with": "${ .input.n }"}, **again), [[0, 1]] * 3
        )
        self.assertEqual(self.result("change", {"n": [0]}, **again), {"n": [0], "seen": True})

    def test_attempts_have_names(self):
        self.work()
        run = self.call("who")
        execution, node, item, attempt, key = run.result(PATIENCE)
        self.assertEqual((execution, node, item, attempt), (run.id, "a", 0, 1))
        server = self.client.submit(
            definition={"name": "k", "nodes": {"a": {"run": "echo $PAWL_IDEMPOTENCY_KEY"}}}
        ).result(PATIENCE)["a"]
        self.assertEqual(len(key), len(server))
        self.assertNotEqual(key, server)

    def test_tasks_know_their_trace(self):
        self.work()
        spans = set()
        for function in ("trace", "trace_in_a_process"):
            run = self.call(function)
            version, trace, span, flags = run.result(PATIENCE).split("-")
            self.assertEqual((version, trace, flags), ("00", run.get().trace_id, "01"))
            spans.add(span)
        self.assertEqual(len(spans), 2, "each attempt is a span of its own")

    def test_a_key_is_the_same_for_every_attempt(self):
        self.work()
        keys = self.result("who", for_each=3)
        self.assertEqual(len({key for *_, key in keys}), 3)

    def test_large_payloads_come_and_go(self):
        self.work()
        definition = {
            "name": "large",
            "nodes": {
                "make": {"function": "large", "with": 60000},
                "sum": {"needs": "make", "function": "total", "with": "${ .nodes.make.output }"},
                "each": {"needs": "make", "for_each": "${ .nodes.make.output }", "function": "nothing"},
                "last": {"needs": "make", "for_each": "${ .nodes.make.output }", "function": "square"},
            },
            "output": {"sum": "${ .nodes.sum.output }", "last": "${ .nodes.last.output[299] }"},
        }
        definition["nodes"]["make"]["with"] = "${ .input.count }"
        definition["nodes"].pop("each")
        definition["nodes"]["last"]["for_each"] = "${ .nodes.make.output | .[-300:] }"
        run = self.client.submit(definition=definition, input={"count": 60000})
        self.assertEqual(run.result(PATIENCE), {"sum": sum(range(60000)), "last": 59999**2})
        self.assertIsInstance(run.get().node("make").output, pawl.Blob)
        text = "x" * 200_000
        self.assertEqual(self.result("echo", {"text": text}), {"text": text})

    def test_a_large_item_list_is_read(self):
        self.work()
        words = [f"{n}" * 50 for n in range(1000)]
        self.assertEqual(self.result("echo", {"words": words}, for_each="${ .input.words }"), words)

    def test_threads_and_the_loop_run_at_the_same_time(self):
        self.work(concurrency=4)
        self.assertGreater(len(set(self.result("many_threads", for_each=12))), 1)
        self.assertEqual(self.result("sleep_async", for_each=[0.05] * 12), [True] * 12)

    def test_a_thousand_items(self):
        self.work(concurrency=8)
        self.assertEqual(self.result("square", for_each=1000), [n * n for n in range(1000)])

    def test_processes(self):
        self.work(concurrency=2)
        (one, node) = self.result("process_id")
        self.assertEqual(node, "a")
        self.assertNotEqual(one, self.client.server().process)
        cause = self.cause(self.call("die"))
        self.assertEqual((cause.kind, cause.exit_code), ("signal", signal.SIGKILL))
        self.assertEqual(self.cause(self.call("deaf", timeout="200ms")).kind, "timeout")
        self.assertEqual(len(self.result("process_id")), 2)

    def test_timeouts(self):
        self.work()
        self.assertEqual(self.cause(self.call("sleep_async", timeout="50ms", **{"with": 60})).kind, "timeout")
        cause = self.cause(self.call("gate", timeout="50ms", **{"with": str(self.place)}))
        self.assertEqual((cause.kind, cause.error), ("timeout", "ran longer than timeout.run"))
        cause = self.cause(self.call("gate", timeout={"heartbeat": "50ms"}, **{"with": str(self.place)}))
        self.assertEqual(cause.error, "no progress within timeout.heartbeat")

    def test_cancellation_reaches_every_kind(self):
        self.work()
        for count, function in enumerate(["gate", "gate_in_process", "gate_async"], 1):
            run = self.call(function, **{"with": str(self.place)})
            self.lines("began", count)
            run.cancel()
            self.assertEqual(self.lines("ended", count)[-1], "cancelled", function)
            self.assertEqual(run.wait(PATIENCE).status, "cancelled")

    def test_progress_is_seen(self):
        self.work()
        for function, permille in (("report", 500), ("report_from_process", 250)):
            run = self.call(function, **{"with": str(self.place)})
            for event in run.events():
                if event.kind == "progress" and event.data["words"]:
                    break
            self.assertEqual([word["permille"] for word in event.data["words"]], [permille])
            self.assertEqual(event.data["tasks"][0]["permille"], permille)
            self.assertEqual(event.data["running"], [{"node_index": 0, "count": 1}])
            self.write("go", "")
            self.assertEqual(run.result(PATIENCE), "open")
            (self.place / "go").unlink()

    def test_every_word_is_told_once_and_in_order_also_to_who_comes_back(self):
        self.work()
        for function in ("count_aloud", "count_aloud_in_process"):
            run = self.call(function)
            told, place = [], None
            for _ in range(300):
                for event in run.events(after=place):  # and hangs up after each that tells something
                    place = event.place or place
                    if event.kind == "progress" and event.data["words"]:
                        told += [word["message"] for word in event.data["words"]]
                        break
            self.assertEqual(told, [f"{i}" for i in range(300)])
            self.assertEqual(run.result(PATIENCE), 300)

    def test_progress_that_is_none_is_the_functions_error(self):
        self.work(concurrency=1)
        for function in ("report_wrongly_on_thread", "report_wrongly_in_process"):
            for wrong in ("nan", "none", "words"):
                cause = self.cause(self.call(function, **{"with": wrong}))
                self.assertEqual(cause.kind, "function", (function, wrong, cause.error))
            for fine in ("large", "infinite"):
                self.assertEqual(self.result(function, **{"with": fine}), fine)

    def test_priorities_and_one_slot(self):
        self.work(concurrency=1)
        runs = [self.call("square", **{"with": n, "priority": n}) for n in range(5)]
        self.assertEqual([run.result(PATIENCE) for run in runs], [0, 1, 4, 9, 16])

    def test_nodes_find_workers_with_room_and_labels(self):
        self.work(capacity={"cpu": 2.5, "memory": 1 << 30, "gpu": 1}, labels={"disk": "ssd"}, zone="eu-1")
        node = {"resources": {"cpu": 0.5, "gpu": 1}, "affinity": {"require": {"disk": "ssd", "zone": "eu-1"}}}
        self.assertEqual(self.result("square", for_each=3, **node), [0, 1, 4])
        run = self.call("square", **{"with": 2, "resources": {"gpu": 2}})
        self.assertIn("gpu", run.why("a")[0].reason)
        run.cancel()

    def test_a_worker_serves_its_queues(self):
        self.work(queues=["slow"])
        self.assertEqual(self.result("square", **{"with": 2, "queue": "slow"}), 4)
        run = self.call("square", **{"with": 2})
        self.work(concurrency=1)
        self.assertEqual(run.result(PATIENCE), 4)

    def test_wrong_use_is_said(self):
        with self.assertRaises(ValueError):
            pawl.Worker(self.address, tasks=tasks.ALL, capacity={"gpu": 0.5})
        for wrong in (
            {"concurrency": 0}, {"concurrency": 10**9}, {"concurrency": 2.5}, {"credit": -1}, {"queues": "slow"},
            {"queues": [3]}, {"labels": {"gpu": 1}}, {"zone": 3}, {"price": -1}, {"lease": 0}, {"lease": float("nan")},
            {"name": 7},
        ):  # fmt: skip
            (name,) = wrong
            with self.assertRaisesRegex((TypeError, ValueError), name):
                pawl.Worker(self.address, tasks=tasks.ALL, **wrong)
        with self.assertRaises(TypeError):
            pawl.Worker(self.address, tasks=[len])
        with self.assertRaises(ValueError):
            pawl.Worker(self.address, tasks=[])
        with self.assertRaises(ValueError):
            pawl.Worker(f"http://{self.address}", tasks=tasks.ALL)
        with self.assertRaises(RuntimeError):
            pawl.current_task()


class BadDaysTest(WorkerCase):
    """Servers, workers and connections that come and go."""

    def test_a_cut_connection_loses_nothing(self):
        self.serve()
        cable = self.cable(f"tcp://{self.address}")
        self.work(server=cable.address)
        run = self.call("square", for_each=2000)
        for event in run.events():
            if event.name == "attempts_succeeded" and cable.connections < 6:
                cable.cut()
        self.assertEqual(run.result(), [n * n for n in range(2000)])
        self.assertGreater(cable.connections, 2)

    def test_work_goes_on_while_the_server_is_away(self):
        server = self.serve()
        self.work()
        run = self.call("gate", **{"with": str(self.place)})
        self.lines("began", 1)
        http = self.url.rsplit("/", 1)[-1]
        server.kill()
        server.wait()
        self.write("go", "")
        self.lines("ended", 1)
        self.serve(listen=self.address, http=http)
        self.assertEqual(self.client.execution(run.id).result(PATIENCE), "open")
        self.assertEqual(len(self.lines("began", 1)), 1)

    def test_a_worker_waits_for_its_server(self):
        self.serve()
        address, http = self.address, self.url.rsplit("/", 1)[-1]
        self.stop(self.started[0])
        worker = pawl.Worker(address, tasks=[tasks.square])
        worker.start()
        self.addCleanup(worker.stop)
        self.serve(listen=address, http=http)
        self.assertEqual(self.result("square", **{"with": 3}), 9)

    def test_a_worker_that_starts_again_does_not_hear_of_its_earlier_life(self):
        self.serve()
        worker = self.work(drain=0)
        run = self.call("gate_that_is_deaf", **{"with": str(self.place)})
        self.lines("began", 1)
        worker.stop()
        worker.start()
        self.assertEqual(self.lines("began", 2), ["1", "2"])
        self.write("go-1", "")
        self.lines("ended", 1)
        self.assertEqual(self.result("square", **{"with": 3}), 9)
        self.write("go-2", "")
        self.assertEqual(run.result(PATIENCE), 2)

    def test_drain_finishes_what_runs(self):
        self.serve()
        worker = self.work(concurrency=1)
        first, second = (self.call("gate", **{"with": str(self.place)}) for _ in range(2))
        self.lines("began", 1)
        worker.drain()
        self.write("go", "")
        worker.stop()
        self.assertEqual(first.result(PATIENCE), "open")
        self.assertEqual(second.get().status, "running")
        self.work()
        self.assertEqual(second.result(PATIENCE), "open")

    def test_the_command_line_drains_on_sigterm(self):
        self.serve()
        words = [sys.executable, "-m", "pawl", "worker", "tasks_for_tests", "--server", self.address]
        process = subprocess.Popen(words, cwd=Path(__file__).parent, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        run = self.call("gate", **{"with": str(self.place)})
        self.lines("began", 1)
        process.send_signal(signal.SIGTERM)
        self.write("go", "")
        self.assertEqual(run.result(PATIENCE), "open")
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_the_command_line_says_what_is_wrong(self):
        for app, said in (("no_such_module", "no_such_module"), ("json", "no tasks"), ("json:nope", "nope")):
            words = [sys.executable, "-m", "pawl", "worker", app]
            done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(said, done.stderr)

    def test_a_worker_of_the_program_takes_no_options(self):
        self.write("made.py", "import pawl\nimport tasks_for_tests\nw = pawl.Worker(tasks=tasks_for_tests.ALL)\n")
        words = [sys.executable, "-m", "pawl", "worker", "made:w", "--server", "127.0.0.1:1", "--drain", "3"]
        done = subprocess.run(
            words,
            check=False,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            cwd=self.place,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])},
        )
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("no --server and no --drain", done.stderr)

    def test_a_program_that_its_own_processes_would_start_again_is_told(self):
        self.serve()
        program = self.write(
            "program.py",
            "import sys\nimport pawl\nfrom tasks_for_tests import gate_in_process\n"
            "pawl.Worker(sys.argv[1], tasks=[gate_in_process]).run()\n",
        )
        process = subprocess.Popen(
            [sys.executable, program, self.address],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        )
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        run = self.call("gate_in_process", **{"with": str(self.place)})
        with self.assertRaises(pawl.ExecutionParked):
            run.result(PATIENCE)
        process.terminate()
        _, said = process.communicate(timeout=PATIENCE)
        self.assertIn('behind `if __name__ == "__main__":`', said)

    def test_a_killed_workers_tasks_run_elsewhere(self):
        self.serve()
        words = [sys.executable, "-m", "pawl", "worker", "tasks_for_tests", "--server", self.address]
        process = subprocess.Popen(words, cwd=Path(__file__).parent, stderr=subprocess.DEVNULL)
        self.addCleanup(process.kill)
        run = self.call("gate_in_process", **{"with": str(self.place)})
        self.lines("began", 1)
        process.kill()
        process.wait()
        self.work()
        self.lines("began", 2)
        self.write("go", "")
        self.assertEqual(run.result(PATIENCE), "open")


class ExecutorTest(WorkerCase):
    def setUp(self):
        super().setUp()
        self.serve()
        self.work()

    def test_map_gives_results_in_order(self):
        with pawl.Executor(self.client) as pool:
            self.assertEqual(list(pool.map(tasks.square, range(100))), [n * n for n in range(100)])
        self.assertLess(len(self.client.list(limit=1000)), 50)

    def test_arguments_and_large_results(self):
        with pawl.Executor(self.client) as pool:
            futures = [
                pool.submit(tasks.add_numbers, 1, b=2),
                pool.submit(tasks.add_numbers, 1),
                pool.submit(tasks.greet, "you", greeting="Hi"),
                pool.submit(tasks.nothing),
                pool.submit(tasks.large, 30000),
            ]
            results = [future.result(PATIENCE) for future in futures]
        self.assertEqual(results, [3, 11, "Hi, you", None, list(range(30000))])

    def test_failures_are_exceptions_and_leave_nothing_behind(self):
        with pawl.Executor(self.client) as pool:
            good, bad = pool.submit(tasks.square, 2), pool.submit(tasks.fail, "no luck")
            with self.assertRaises(pawl.TaskFailed) as raised:
                bad.result(PATIENCE)
            self.assertEqual((raised.exception.kind, raised.exception.message), ("function", "ValueError: no luck"))
            self.assertEqual(good.result(PATIENCE), 4)
        self.assertEqual(list(self.client.dead_letters()), [])

    def test_failures_may_be_kept(self):
        with pawl.Executor(self.client, keep_failures=True) as pool, self.assertRaises(pawl.TaskFailed):
            pool.submit(tasks.fail, "no luck").result(PATIENCE)
        (letter,) = self.client.dead_letters()
        self.assertEqual(letter.attempts, 2)

    def test_a_future_is_cancelled_before_it_runs(self):
        with pawl.Executor(self.client) as pool:
            running = [pool.submit(tasks.gate, str(self.place)) for _ in range(4)]
            self.lines("began", 4)
            waiting = [pool.submit(tasks.unknown, n) for n in range(3)]
            self.assertTrue(all(future.cancel() for future in waiting))
            self.write("go", "")
            self.assertEqual([future.result(PATIENCE) for future in running], ["open"] * 4)

    def test_what_is_no_json_is_the_fault_of_its_own_call(self):
        deep = None
        for _ in range(executor.depth_max):
            deep = [deep]
        with pawl.Executor(self.client) as pool:
            good = [pool.submit(tasks.square, n) for n in range(5)]
            for wrong in ({1, 2}, float("nan"), [deep], {(1, 2): 3}):
                with self.assertRaisesRegex((TypeError, ValueError), "echo: its arguments"):
                    pool.submit(tasks.echo, wrong)
            good += [pool.submit(tasks.square, n) for n in range(5)]
            self.assertEqual(pool.submit(tasks.echo, deep).result(PATIENCE), deep)
            self.assertEqual([future.result(PATIENCE) for future in good], [n * n for n in range(5)] * 2)

    def test_arguments_are_read_when_they_are_submitted(self):
        with pawl.Executor(self.client) as pool:
            words = []
            futures = []
            for n in range(3):
                words.append(n)
                futures.append(pool.submit(tasks.echo, words))
            self.assertEqual([future.result(PATIENCE) for future in futures], [[0], [0, 1], [0, 1, 2]])

    def test_large_arguments_travel_in_parts(self):
        with mock.patch("pawl.executor.batch_bytes_max", 1000), pawl.Executor(self.client) as pool:
            texts = [str(n) * 400 for n in range(10)] + ["x" * 2000]
            self.assertEqual(list(pool.map(tasks.echo, texts)), texts)
        self.assertGreaterEqual(len(self.client.list()), 5)

    def test_who_waits_for_a_cancelled_future_is_told(self):
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        silent.settimeout(PATIENCE)
        client = self.client_of(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.3, retries=0)
        with pawl.Executor(client) as pool:
            first = pool.submit(tasks.square, 1)
            connection, _ = silent.accept()
            self.addCleanup(connection.close)
            second = pool.submit(tasks.square, 2)
            self.assertTrue(second.cancel())
            done, _ = concurrent.futures.wait([second], timeout=PATIENCE)
            self.assertEqual(done, {second})
            self.assertIsInstance(first.exception(PATIENCE), pawl.Unavailable)

    def test_a_program_that_ends_sends_what_waits(self):
        program = self.write(
            "program.py",
            "import sys\nimport pawl\nimport tasks_for_tests as tasks\n"
            "pool = pawl.Executor(pawl.Client(sys.argv[1]))\n"
            "futures = [pool.submit(tasks.note, sys.argv[2]) for _ in range(50)]\n",
        )
        words = [sys.executable, program, self.url.replace("127.0.0.1", "localhost"), str(self.place / "noted")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
        done = subprocess.run(
            words,
            check=False,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=environment,
            stdin=subprocess.DEVNULL,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(len(self.lines("noted", 50)), 50)

    def test_only_tasks_are_taken(self):
        with pawl.Executor(self.client) as pool:
            with self.assertRaises(TypeError):
                pool.submit(len, [])
            with self.assertRaises(TypeError):
                pool.submit(tasks.square)
        with self.assertRaises(RuntimeError):
            pool.submit(tasks.square, 1)


if __name__ == "__main__":
    unittest.main()
