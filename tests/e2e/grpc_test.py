"""Clients over gRPC: every method, every error, watches over a crash, TLS, tokens, health and reflection."""

import json
import os
import unittest

import grpc
from grpc_client import SERVICES, V1, Client, methods
from pawl_case import PawlCase

ONE = "name: one\ninput: {n: 1}\nnodes: {a: {run: 'echo ${ .input.n }'}}\noutput: ${ .nodes.a.output }\n"
FAILS = "name: fails\nnodes: {a: {run: 'exit 7', retry: {max_attempts: 1}}}\n"
LARGE = "name: large\nnodes: {a: {run: seq 100000, output: lines}}\noutput: ${ .nodes.a.output }\n"
WIDE = "name: wide\nnodes: {a: {for_each: 400, run: 'true'}}\n"
GATED = """\
name: gated
nodes:
  before: {for_each: 40, run: 'true'}
  gate: {needs: [before], run: 'until [ -e go ]; do sleep 0.05; done'}
  after: {needs: [gate], for_each: 40, run: 'true'}
"""
Code = grpc.StatusCode


def places(updates):
    return [f"{one.position}-{one.index}" for update in updates for one in update.events]


class GrpcCase(PawlCase):
    def serve(self, *words, **options):
        server, address = self.server("--jobs", "2", *words, **options)
        return server, address, self.client(address)

    def client(self, address, **shown):
        client = Client(address, **shown)
        self.addCleanup(client.close)
        return client

    def refused(self, code, ask, *words, **fields):
        """The error with which a call or stream ends."""
        with self.assertRaises(grpc.RpcError) as caught:
            told = ask(*words, **fields)
            for _ in told if hasattr(told, "__iter__") else ():
                pass
        self.assertEqual(caught.exception.code(), code, caught.exception.details())
        return caught.exception


class CallsTest(GrpcCase):
    def test_a_payload_that_was_changed_is_data_loss(self):
        _, _, client = self.serve()
        large = client.call("Executions", "SubmitAndWait", definition=LARGE)
        for blob in (self.place / ".pawl/blob").rglob("*"):
            if blob.is_file():
                text = bytearray(blob.read_bytes())
                text[500] ^= 1
                blob.write_bytes(bytes(text))
        error = self.refused(Code.DATA_LOSS, client.stream, "Executions", "ReadOutput", execution=large.id)
        self.assertIn("does not match its hash", error.details())

    def test_every_method_is_answered(self):
        _, _, client = self.serve()
        asked = set()

        def call(service, name, /, **fields):
            asked.add((service, name))
            return client.call(service, name, **fields)

        def read(name, **fields):
            asked.add(("Executions", name))
            return list(client.stream("Executions", name, **fields))

        registered = call("Workflows", "Register", definition=ONE, file_name="one.yaml")
        self.assertEqual((registered.name, registered.id), ("one", 1))
        self.assertEqual(call("Workflows", "Get", name="one").nodes, ["a"])
        self.assertEqual([w.name for w in call("Workflows", "List").workflows], ["one"])
        exact = '{"n":12345678901234567890}'
        submitted = call("Executions", "Submit", workflow="one", input_json=exact, request_id="r",
                         labels_json='{"team":"a"}')
        self.assertEqual(submitted.execution, "e1")
        again = call("Executions", "Submit", workflow="one", input_json=exact, request_id="r",
                     labels_json='{"team":"a"}')
        self.assertEqual(again.execution, "e1")
        self.assertEqual(V1["ExecutionStatus"].Name(call("Executions", "Wait", execution="e1").status),
                         "EXECUTION_STATUS_SUCCEEDED")
        one = call("Executions", "Get", execution="e1")
        self.assertEqual((one.input.json.decode(), json.loads(one.labels_json)), (exact, {"team": "a"}))
        self.assertEqual((one.output.json, one.nodes[0].attempts), (b'"12345678901234567890"', 1))
        self.assertLessEqual(one.started.ToNanoseconds(), one.ended.ToNanoseconds())
        large = call("Executions", "SubmitAndWait", definition=LARGE)
        parts = read("ReadOutput", execution=large.id)
        whole = json.loads(b"".join(part.content for part in parts))
        self.assertEqual((len(whole), whole[-1]), (100000, "100000"))
        parts = read("ReadLog", execution="e1", node="a")
        self.assertEqual([(part.content, part.over) for part in parts], [(b"12345678901234567890\n", True)])
        logs = call("Executions", "ListLogs", execution=large.id).logs
        self.assertEqual([(one.node, V1["LogStream"].Name(one.stream)) for one in logs], [("a", "LOG_STREAM_STDOUT")])
        parts = read("ReadContent", blob=large.output.blob)
        self.assertEqual(json.loads(b"".join(part.content for part in parts)), whole)
        many = call("Executions", "SubmitMany", workflow="one", inputs_json=["{}", '{"n":2}'])
        self.assertEqual([one.execution for one in many.executions], ["e3", "e4"])
        for id in ("e3", "e4"):
            call("Executions", "Wait", execution=id)
        done = V1["ExecutionStatus"].Value("EXECUTION_STATUS_SUCCEEDED")
        listed = call("Executions", "List", limit=2, before="e4", status=done)
        self.assertEqual([one.id for one in listed.executions], ["e3", "e2"])
        self.assertEqual(call("Executions", "GetTask", execution="e1", node="a").attempts, 1)
        history = call("Executions", "GetHistory", execution="e1", limit=2)
        self.assertEqual((len(history.entries), history.truncated), (2, True))
        self.assertIn("input", json.loads(history.entries[0].with_json))
        self.assertEqual(len(call("Executions", "GetProgress", execution="e1").tasks), 0)
        self.assertEqual(call("Executions", "Explain", execution="e1").reasons[0].code, "ended")
        updates = read("Watch", execution="e1")
        self.assertTrue(updates[0].HasField("state") and updates[-1].HasField("state"))
        every = call("Executions", "GetHistory", execution="e1").entries
        self.assertEqual(places(updates), [f"{one.position}-{one.index}" for one in every])
        self.assertEqual(updates[-2].cursor, places(updates)[-1])

        failed = call("Executions", "SubmitAndWait", definition=FAILS).id
        letter = call("Executions", "ListDeadLetters", execution=failed).letters[0]
        self.assertEqual((letter.node, letter.cause.exit_code), ("a", 7))
        self.assertEqual(call("Executions", "Redrive", execution=failed).count, 1)
        call("Executions", "Wait", execution=failed)
        self.assertEqual(call("Executions", "Discard", execution=failed, node="a").count, 1)
        self.assertEqual(call("Executions", "Forget", execution=failed).count, 1)
        self.assertEqual(call("Executions", "Forget", execution=failed).count, 0)
        held = call("Executions", "Submit", definition=GATED).execution
        self.assertEqual(call("Executions", "Cancel", execution=held, reason="late").count, 1)
        call("Queues", "Configure", queue="slow", concurrency_max=3, paused=True,
             strategy=V1["Strategy"].Value("STRATEGY_PACK"), aging_ms=5000)
        slow = {one.queue: one for one in call("Queues", "List").queues}["slow"]
        self.assertEqual((slow.concurrency_max, slow.paused, slow.aging_ms), (3, True, 5000))
        self.assertEqual(V1["Strategy"].Name(slow.strategy), "STRATEGY_PACK")
        self.assertIn(".pawl", call("Cluster", "GetServer").directory)
        self.assertEqual(call("Cluster", "GetOverview").counts.forgotten, 1)
        self.assertEqual([w.worker.slots for w in call("Cluster", "ListWorkers").workers], [2])
        figures = call("Cluster", "GetMetrics").text
        self.assertIn('pawl_grpc_calls_total{service="Executions",method="Forget",code="OK"} 2\n', figures)
        self.assertIn("pawl_grpc_calls_open ", figures)
        self.assertEqual(asked, {(service, one.name) for service, one in methods()})

    def test_errors_keep_their_code_and_words(self):
        _, _, client = self.serve()
        ask = client.call
        self.assertIn("no execution e99",
                      self.refused(Code.NOT_FOUND, ask, "Executions", "Get", execution="e99").details())
        self.refused(Code.NOT_FOUND, client.stream, "Executions", "Watch", execution="e99")
        self.refused(Code.NOT_FOUND, client.stream, "Executions", "ReadOutput", execution="e99")
        for fields, words in (({"execution": "x"}, "an execution's id"), ({}, '"execution"')):
            error = self.refused(Code.INVALID_ARGUMENT, ask, "Executions", "Get", **fields)
            self.assertIn(words, error.details())
        error = self.refused(Code.INVALID_ARGUMENT, ask, "Executions", "Submit", definition=ONE,
                             input_json="{nope")
        self.assertIn('"input_json" must be JSON', error.details())
        error = self.refused(Code.INVALID_ARGUMENT, ask, "Executions", "Submit",
                             definition="name: one\nnodez: {}\n", file_name="one.yaml")
        self.assertIn("one.yaml:2:", error.details())
        self.refused(Code.INVALID_ARGUMENT, client.stream, "Executions", "Watch", execution="e1",
                     after="12")
        wrong = "name: n\n" + "".join(f"k{i}é: 1\n" for i in range(2000))
        error = self.refused(Code.INVALID_ARGUMENT, ask, "Executions", "Submit", definition=wrong)
        self.assertLess(len(error.details()), 2100)
        ask("Executions", "Submit", definition=ONE, request_id="once")
        self.refused(Code.ALREADY_EXISTS, ask, "Executions", "Submit", definition=ONE,
                     input_json='{"n":2}', request_id="once")
        held = ask("Executions", "Submit", definition=GATED).execution
        self.refused(Code.FAILED_PRECONDITION, ask, "Executions", "Forget", execution=held)
        self.refused(Code.FAILED_PRECONDITION, client.stream, "Executions", "ReadOutput", execution=held)
        self.refused(Code.UNIMPLEMENTED, lambda: client.raw("/pawl.v1.Executions/Nothing", b""))
        self.assertIn("no pawl.v1.GetExecutionRequest",
                      self.refused(Code.INVALID_ARGUMENT,
                                   lambda: client.raw("/pawl.v1.Executions/Get", b"\xff\xff")).details())
        # A deadline ends the wait, and not what is waited for.
        self.refused(Code.DEADLINE_EXCEEDED, ask, "Executions", "Wait", patience=0.2, execution=held)
        self.refused(Code.DEADLINE_EXCEEDED, client.stream, "Executions", "Watch", patience=0.2,
                     execution=held)
        (self.place / "go").touch()
        done = V1["ExecutionStatus"].Value("EXECUTION_STATUS_SUCCEEDED")
        self.assertEqual(ask("Executions", "Wait", execution=held).status, done)
        most = 64 << 20
        large = Client(client.address, options=[("grpc.max_send_message_length", -1)])
        self.addCleanup(large.close)
        self.refused(Code.RESOURCE_EXHAUSTED, large.call, "Executions", "Submit",
                     definition="x" * (most + 1))

    def test_progress_is_told_to_watchers(self):
        _, _, client = self.serve()
        slow = "name: slow\nnodes:\n  a:\n    run: |\n      echo '0.5 half way' >&3\n" \
               "      until [ -e go ]; do sleep 0.05; done\n"
        id = client.call("Executions", "Submit", definition=slow).execution
        told = None
        for update in client.stream("Executions", "Watch", execution=id):
            if update.HasField("progress"):
                told = update.progress.tasks[0]
                (self.place / "go").touch()
        self.assertEqual((told.execution, told.permille, told.message), (id, 500, "half way"))


class StreamsTest(GrpcCase):
    def test_a_watch_goes_on_after_a_crash_with_nothing_lost_or_doubled(self):
        server, address, client = self.serve()
        id = client.call("Executions", "Submit", definition=GATED).execution
        seen, cursor = [], ""
        for update in client.stream("Executions", "Watch", execution=id):
            seen += places([update])
            cursor = update.cursor or cursor
            if any(event.event == "node_activated" and json.loads(event.with_json)["node_index"] == 1
                   for event in update.events):
                break
        server.kill()
        server.wait()
        _, _, client = self.serve(listen=address)
        (self.place / "go").touch()
        for update in client.stream("Executions", "Watch", execution=id, after=cursor):
            seen += places([update])
        every = client.call("Executions", "GetHistory", execution=id).entries
        self.assertEqual(seen, [f"{one.position}-{one.index}" for one in every])
        self.assertEqual(V1["ExecutionStatus"].Name(update.state.status), "EXECUTION_STATUS_SUCCEEDED")

    def test_who_does_not_read_holds_up_nobody_and_misses_nothing(self):
        _, address, client = self.serve()
        lazy = [client.stream("Executions", "Watch",
                              execution=client.call("Executions", "Submit", definition=WIDE).execution)
                for _ in range(8)]
        for _ in range(20):
            client.call("Executions", "SubmitAndWait", definition=ONE)
        for i, watch in enumerate(lazy):
            seen = places(watch)
            every = client.call("Executions", "GetHistory", execution=f"e{i + 1}").entries
            self.assertEqual(seen, [f"{one.position}-{one.index}" for one in every])

    def test_whoever_gives_up_leaves_nothing_behind(self):
        _, _, client = self.serve()
        id = client.call("Executions", "Submit", definition=GATED).execution
        for _ in range(50):
            watch = client.stream("Executions", "Watch", execution=id)
            next(watch)
            watch.cancel()
        (self.place / "go").touch()
        client.call("Executions", "Wait", execution=id)


class HealthTest(GrpcCase):
    def test_reflection_lists_every_service(self):
        _, _, client = self.serve()
        told = client.services()
        for service in (*SERVICES, "Workers"):
            self.assertIn(f"pawl.v1.{service}".encode(), told)

    def test_health_ends_before_the_server_does(self):
        server, _, client = self.serve("--drain", "30s")
        names = ["", "pawl.v1.Workers", *(f"pawl.v1.{one}" for one in SERVICES)]
        while client.health() != "SERVING":
            pass
        self.assertEqual({client.health(one) for one in names}, {"SERVING"})
        server.terminate()
        self.said(server, "not ready any more")
        while client.health() == "SERVING":
            pass
        self.assertEqual({client.health(one) for one in names}, {"NOT_SERVING"})
        id = client.call("Executions", "Submit", definition=GATED).execution
        watch = client.stream("Executions", "Watch", execution=id)  # whoever is here is served
        next(watch)
        server.terminate()
        with self.assertRaises(grpc.RpcError) as caught:
            for _ in watch:
                pass
        self.assertEqual(caught.exception.code(), Code.UNAVAILABLE)
        self.finish(server, 0)


    @unittest.skipUnless(os.geteuid() == 0, "SKIPPED LOUDLY: needs root to mount")
    def test_a_full_disk_ends_health_until_there_is_room(self):
        (self.place / "mnt").mkdir()
        server = self.start("server", "--listen", "127.0.0.1:0", "--state", "mnt/s",
                            below=["unshare", "-m", "sh", "-c",
                                   'mount -t tmpfs -o size=700m none mnt && exec "$0" "$@"'])
        client = self.client(self.said(server, "workers at").rsplit(" ", 1)[1].strip())
        ballast = f"/proc/{server.pid}/root{self.place}/mnt/ballast"
        for fill, wanted in ((False, "SERVING"), (True, "NOT_SERVING"), (False, "SERVING")):
            if fill:
                with open(ballast, "wb") as file:
                    os.posix_fallocate(file.fileno(), 0, 200 << 20)  # less is left than soft_free_bytes
            elif os.path.exists(ballast):
                os.unlink(ballast)
            while client.health("pawl.v1.Executions") != wanted:
                pass
        self.stop(server)


class AccessTest(GrpcCase):
    def setUp(self):
        super().setUp()
        self.pawl("init", "--dir", "keys")
        _, self.address = self.server("--jobs", "2", "--tls", "keys")
        self.ca = (self.place / "keys/ca.pem").read_bytes()

    def with_token(self, role, namespace="team-a"):
        token = self.pawl("token", "--dir", "keys", "--role", role, "--namespace", namespace,
                          "--name", f"{role}-{namespace}").stdout.strip()
        return self.client(self.address, ca=self.ca, token=token)

    def test_every_method_asks_who_may(self):
        """Of each role, whether it is let through, as docs/security.md has it of the calls."""
        roles = ["reader", "submitter", "worker", "operator", "admin"]
        clients = {role: self.with_token(role) for role in roles}
        submitter = {"Submit", "SubmitAndWait", "SubmitMany", "Register"}
        operator = {"Redrive", "Discard", "Forget"}
        for service, method in methods():
            if method.name in submitter:
                allowed = {"submitter", "admin"}
            elif method.name in operator:
                allowed = {"operator", "admin"}
            elif method.name == "Cancel":
                allowed = {"submitter", "operator", "admin"}
            elif method.name == "Configure":
                allowed = {"admin"}
            else:
                allowed = {"reader", "submitter", "operator", "admin"}
            for role in roles:
                with self.subTest(method.full_name, role=role):
                    code = self.code_of(clients[role], service, method)
                    self.assertEqual(code != Code.PERMISSION_DENIED, role in allowed, code)
                    self.assertNotIn(code, (Code.UNAUTHENTICATED, Code.INTERNAL, Code.UNKNOWN))

    def code_of(self, client, service, method):
        given = {one.name for one in method.input_type.fields}
        fields = {}
        if "execution" in given:
            fields["execution"] = "e999"
        if "definition" in given:
            fields["definition"] = ONE
        if "name" in given:
            fields["name"] = "one"
        if "queue" in given:
            fields["queue"] = "q"
        if "node" in given:
            fields["node"] = "a"
        if "blob" in given:
            fields["blob"] = V1["BlobRef"](owner=999, sequence=1, size=10)
        try:
            if method.name in ("Watch", "ReadOutput", "ReadContent"):
                list(client.stream(service, method.name, **fields))
            else:
                client.call(service, method.name, **fields)
        except grpc.RpcError as error:
            return error.code()
        return Code.OK

    def test_what_is_another_namespace_s_does_not_exist(self):
        ours, theirs = self.with_token("submitter"), self.with_token("submitter", "team-b")
        id = ours.call("Executions", "SubmitAndWait", definition=ONE).id
        self.assertEqual(ours.call("Executions", "Get", execution=id).namespace, "team-a")
        for name in ("Get", "Wait", "GetHistory", "Explain", "Cancel"):
            self.refused(Code.NOT_FOUND, theirs.call, "Executions", name, execution=id)
        for name in ("Watch", "ReadOutput"):
            self.refused(Code.NOT_FOUND, theirs.stream, "Executions", name, execution=id)
        self.assertEqual(list(theirs.call("Executions", "List").executions), [])
        self.assertEqual(list(theirs.call("Workflows", "List").workflows), [])
        trail = (self.place / ".pawl/audit.log").read_text()
        self.assertIn('"caller":"submitter-team-a","namespace":"team-a","call":"run"', trail)

    def test_tokens_that_are_none_are_refused(self):
        good = self.pawl("token", "--dir", "keys", "--role", "admin", "--name", "ann").stdout.strip()
        self.client(self.address, ca=self.ca, token=good).call("Cluster", "GetServer")
        for token in (None, "nonsense", good[:-4] + "AAAA"):
            client = self.client(self.address, ca=self.ca, token=token)
            self.refused(Code.UNAUTHENTICATED, client.call, "Cluster", "GetServer")
            self.refused(Code.UNAUTHENTICATED, client.stream, "Executions", "Watch", execution="e1")

    def certificate(self, folder, name, *words):
        self.pawl("certificate", "--dir", folder, "--name", name, *words)
        return [(self.place / folder / f"{name}.{end}").read_bytes() for end in ("pem", "key")]

    def test_certificates_stand_for_tokens(self):
        shown = self.certificate("keys", "bot", "--role", "reader", "--namespace", "team-a")
        client = self.client(self.address, ca=self.ca, cert=shown)
        client.call("Executions", "List")
        self.refused(Code.PERMISSION_DENIED, client.call, "Executions", "Submit", definition=ONE)
        self.pawl("init", "--dir", "others")
        shown = self.certificate("others", "bot", "--role", "admin")
        client = self.client(self.address, ca=self.ca, cert=shown)
        self.refused(Code.UNAVAILABLE, client.call, "Executions", "List")
        client = self.client(self.address, ca=(self.place / "others/ca.pem").read_bytes())
        self.refused(Code.UNAVAILABLE, client.call, "Executions", "List")

    def test_a_token_does_not_make_a_worker(self):
        client = self.with_token("admin")
        error = self.refused(Code.UNAUTHENTICATED, lambda: client.raw("/pawl.v1.Workers/WriteOutputs", b""))
        self.assertIn("certificate", error.details())


if __name__ == "__main__":
    unittest.main()
