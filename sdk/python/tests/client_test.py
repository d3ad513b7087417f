"""The client against a real server."""

import asyncio
import concurrent.futures
import http.server
import json
import os
import pickle
import socket
import ssl
import threading
import unittest
from datetime import timezone
from unittest import mock

import httpx
from sdk_case import PATIENCE, SdkCase

import pawl
from pawl.exchange import Follower, Lines, Settings, retry_after

THREADS = 32  # that call at once
HELLO = "name: hello\ninput: {name: world}\nnodes: {greet: {run: 'echo Hello, ${ .input.name }'}}\n"
HELLO += "output: ${ .nodes.greet.output }\n"
FLAKY = "name: flaky\nnodes: {try: {for_each: [a, b], run: 'test ${ .item } = a || test -e repaired'}}\noutput: done\n"
GATED = "name: gated\nnodes: {gate: {run: 'until [ -e go ]; do sleep 0.05; done'}}\n"


@pawl.task
def unserved(): ...


LARGE = "name: large\nnodes: {make: {run: seq 20000, output: lines}}\noutput: ${ .nodes.make.output }\n"


class ClientTest(SdkCase):
    def setUp(self):
        super().setUp()
        self.serve("--jobs", "2")

    def test_submit_waits_for_the_result(self):
        workflow = self.client.register(HELLO)
        self.assertEqual(workflow.name, "hello")
        run = self.client.submit("hello", {"name": "you"}, labels={"team": "blue"})
        self.assertEqual(run.result(timeout=PATIENCE), "Hello, you")
        found = run.get()
        self.assertEqual((found.status, found.labels["team"], found.node("greet").attempts), ("succeeded", "blue", 1))
        self.assertIs(found.started.tzinfo, timezone.utc)
        self.assertGreaterEqual(found.ended, found.started)
        self.assertEqual(run.task("greet").output, "Hello, you")

    def test_definitions_are_texts_or_dicts(self):
        as_dict = {"name": "d", "nodes": {"a": {"run": "echo ${ .input.x }"}}, "output": "${ .nodes.a.output }"}
        self.assertEqual(self.client.run(definition=as_dict, input={"x": "1 2"}, timeout=PATIENCE), "1 2")
        self.assertEqual(self.client.run(definition=HELLO, timeout=PATIENCE), "Hello, world")
        with self.assertRaises(ValueError):
            self.client.submit("hello", definition=HELLO)

    def test_a_request_id_has_one_effect(self):
        first = self.client.submit(definition=HELLO, request_id="monday")
        again = self.client.submit(definition=HELLO, request_id="monday")
        self.assertEqual(first.id, again.id)
        with self.assertRaises(pawl.AlreadyExists):
            self.client.submit(definition=HELLO, input={"name": "else"}, request_id="monday")

    def test_many_in_one_request(self):
        runs = self.client.submit_many(definition=HELLO, inputs=[{"name": str(n)} for n in range(5)])
        self.assertEqual([run.result(PATIENCE) for run in runs], [f"Hello, {n}" for n in range(5)])
        listed = self.client.list(limit=3)
        self.assertEqual([e.id for e in listed], [run.id for run in runs[:1:-1]])
        self.assertEqual([e.id for e in self.client.list(before=listed[-1].id)], [run.id for run in runs[1::-1]])
        self.assertEqual(self.client.overview().counts["succeeded"], 5)

    def observer(self):
        """Tells how many connections the server has, but for its own."""
        http = httpx.Client(limits=httpx.Limits(keepalive_expiry=None))
        self.addCleanup(http.close)

        def connections():
            page = http.get(self.url + "/metrics", timeout=PATIENCE).text
            told = next(line for line in page.splitlines() if line.startswith("pawl_http_connections "))
            return int(told.split()[1]) - 1

        return connections

    def test_a_thousand_calls_share_the_connections_of_the_pool(self):
        """As many as call at once, and no more; whoever closes a client closes them all."""
        connections, cable = self.observer(), self.cable()
        client, peak = self.client_of(cable.url), 0
        with concurrent.futures.ThreadPoolExecutor(THREADS) as threads:
            calls = [threads.submit(client.overview) for _ in range(1000)]
            while not all(call.done() for call in calls):
                peak = max(peak, connections())
        self.assertEqual({call.result().counts["submitted"] for call in calls}, {0})
        self.assertIn(peak, range(1, THREADS + 1))
        self.assertLess(cable.connections, 100, "calls do not share connections; one that rests for 5 s is made anew")
        client.close()
        self.wait_for(lambda: connections() == 0)

    def test_errors_have_their_codes(self):
        with self.assertRaises(pawl.NotFound) as raised:
            self.client.submit("nope")
        self.assertEqual(raised.exception.code, "NOT_FOUND")
        self.assertIn("nope", str(raised.exception))
        with self.assertRaises(pawl.InvalidArgument) as raised:
            self.client.submit(definition="name: x\nnodes: {a: {runn: true}}\n")
        self.assertIn("runn", raised.exception.message)
        run = self.client.submit(definition=HELLO)
        run.result(PATIENCE)
        with self.assertRaises(pawl.FailedPrecondition):
            run.cancel()
        with self.assertRaises(ValueError):
            pawl.Client("127.0.0.1:8080")

    def test_dead_letters_are_redriven_or_discarded(self):
        run = self.client.submit(definition=FLAKY, directory=str(self.place))
        with self.assertRaises(pawl.ExecutionParked) as raised:
            run.result(PATIENCE)
        self.assertEqual(raised.exception.execution.status, "parked")
        travelled = pickle.loads(pickle.dumps(raised.exception))
        self.assertEqual((str(travelled), travelled.execution.id), (str(raised.exception), run.id))
        (letter,) = run.dead_letters()
        self.assertEqual((letter.node, letter.begin, letter.end, letter.cause.kind), ("try", 1, 2, "exit_code"))
        self.assertIn("dead letter", run.why("try", 1)[0].reason)
        self.write("repaired", "")
        self.assertEqual(run.redrive(), 1)
        self.assertEqual(run.result(PATIENCE), "done")
        self.assertEqual(list(self.client.dead_letters()), [])
        self.assertEqual(run.forget(), 1)
        with self.assertRaises(pawl.NotFound):
            run.get()

    def test_a_failed_and_a_cancelled_execution_say_so(self):
        run = self.client.submit(definition=FLAKY, directory=str(self.place))
        run.wait(PATIENCE)
        self.assertEqual(run.discard("try", 1), 1)
        with self.assertRaises(pawl.ExecutionFailed):
            run.result(PATIENCE)
        run = self.client.submit(definition=GATED, directory=str(self.place))
        with self.assertRaises(pawl.WaitTimeout):
            run.result(timeout=0.05)
        with self.assertRaises(TimeoutError):
            run.wait(timeout=0)
        run.cancel(reason="enough")
        with self.assertRaises(pawl.ExecutionCancelled):
            run.result(PATIENCE)

    def test_large_outputs_arrive_whole(self):
        run = self.client.submit(definition=LARGE)
        self.assertEqual(run.result(PATIENCE), [str(n) for n in range(1, 20001)])
        self.assertIsInstance(run.get().output, pawl.Blob)

    def test_what_programs_write_is_followed_to_its_end(self):
        command = "seq 60000; echo warned >&2; until [ -e go ]; do sleep 0.05; done; seq 9"
        text = f"name: loud\nnodes: {{a: {{run: '{command}'}}}}\n"
        run = self.client.submit(definition=text, directory=str(self.place))
        self.assertEqual(next(run.logs("a", stream="stderr", follow=True)), b"warned\n")
        parts = run.logs("a", follow=True)
        seen = next(parts)
        self.write("go", "")
        seen += b"".join(parts)
        whole = "".join(f"{n}\n" for n in [*range(1, 60001), *range(1, 10)]).encode()
        self.assertEqual(seen, whole)
        self.assertEqual(b"".join(run.logs("a", offset=100)), whole[100:])

        async def again():
            async with pawl.AsyncClient(self.client.settings.server) as client:
                return b"".join([part async for part in client.execution(run.id).logs("a", follow=True)])

        self.assertEqual(asyncio.run(again()), whole)
        short = self.client.submit(definition=HELLO)
        short.result(PATIENCE)
        self.assertEqual(b"".join(short.logs("greet")), b"Hello, world\n")
        with self.assertRaises(pawl.NotFound):
            list(short.logs("greet", attempt=2))

    def test_events_tell_everything_once(self):
        run = self.client.submit(definition=HELLO)
        events = list(run.events())
        self.assertEqual([e.name for e in events if e.kind == "state"][-1], "succeeded")
        seen = [e for e in events if e.kind == "history"]
        self.assertEqual([e.place for e in seen], [e.place for e in run.history()])
        self.assertEqual(seen[-1].name, "execution_ended")
        behind = list(run.events(after=seen[2].place))
        self.assertEqual([e.place for e in behind if e.kind == "history"], [e.place for e in seen[3:]])

    def test_events_hold_texts_of_every_kind(self):
        text = "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg"
        run = self.client.submit(definition=HELLO, input={"name": text})
        self.assertEqual(run.result(PATIENCE), f"Hello, {text}")
        (seen,) = [e for e in run.events() if e.name == "execution_ended"]
        self.assertEqual(seen.data["output"]["json"], f"Hello, {text}")

    def test_events_survive_broken_connections(self):
        chain = "".join(f"  n{i}: {{needs: [n{i - 1}], transform: .input}}\n" for i in range(1, 30))
        run = self.client.submit(definition=f"name: chain\nnodes:\n  n0: {{transform: .input}}\n{chain}")
        run.wait(PATIENCE)
        whole = [e.place for e in run.history()]
        cable = self.cable()
        client = self.client_of(cable.url)
        for cut in range(300, 9000, 700):
            cable.cut_after(cut)
            seen = list(client.events(run.id))
            self.assertEqual([e.place for e in seen if e.kind == "history"], whole, f"cut after {cut} bytes")
            self.assertEqual(seen[-1].name, "succeeded")
        self.assertGreater(cable.connections, 13)

    def test_a_submission_survives_a_broken_connection(self):
        cable = self.cable()
        client = self.client_of(cable.url)
        cable.cut_after(1)  # it is accepted, and the answer never arrives
        run = client.submit(definition=HELLO)
        self.assertEqual(run.result(PATIENCE), "Hello, world")
        self.assertEqual(len(self.client.list()), 1)

    def test_the_environment_names_the_server(self):
        with mock.patch.dict(os.environ, {"PAWL_SERVER": self.url + "/", "PAWL_TOKEN": "x"}), pawl.Client() as client:
            self.assertEqual(client.settings.server, self.url)
            self.assertEqual(client.settings.token, "x")
            self.assertEqual(client.server().process, self.client.server().process)

    def test_a_server_that_is_gone_is_unavailable(self):
        cable = self.cable()
        cable.close()
        with self.assertRaises(pawl.Unavailable) as raised:
            self.client_of(cable.url, retries=1).overview()
        self.assertIn(cable.address, raised.exception.message)

    def test_a_wait_ends_where_nobody_answers(self):
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"

        async def again():
            async with pawl.AsyncClient(url) as client:
                await client.execution("e1").result(timeout=0.1)

        with mock.patch("pawl.exchange.ANSWER_GRACE", 0.1):
            with self.assertRaises(pawl.WaitTimeout):
                self.client_of(url).execution("e1").result(timeout=0.1)
            with self.assertRaises(pawl.WaitTimeout):
                asyncio.run(again())

    def test_async_does_the_same(self):
        async def scenario():
            async with pawl.AsyncClient(self.url) as client:
                await client.register(HELLO)
                runs = await client.submit_many("hello", [{"name": "a"}, {"name": "b"}])
                outputs = await asyncio.gather(*(run.result(PATIENCE) for run in runs))
                run = await client.submit(definition=FLAKY, directory=str(self.place))
                with self.assertRaises(pawl.ExecutionParked):
                    await run.result(PATIENCE)
                letters = await run.dead_letters()
                await run.discard()
                names = [e.name async for e in run.events() if e.kind == "state"]
                places = [e.place async for e in run.history()]
                self.assertEqual((await client.run("hello", timeout=PATIENCE)), "Hello, world")
                return outputs, len(letters), names[-1], len(places) > 3, (await run.wait()).status

        self.assertEqual(asyncio.run(scenario()), (["Hello, a", "Hello, b"], 1, "failed", True, "failed"))

    def test_async_events_survive_broken_connections(self):
        run = self.client.submit(definition=HELLO)
        run.wait(PATIENCE)
        whole = [e.place for e in run.history()]
        cable = self.cable()
        cable.cut_after(900)

        async def scenario():
            async with pawl.AsyncClient(cable.url) as client:
                return [e.place async for e in client.events(run.id) if e.kind == "history"]

        self.assertEqual(asyncio.run(scenario()), whole)
        self.assertGreater(cable.connections, 1)


class TlsTest(SdkCase):
    """Certificates and tokens of `pawl init`."""

    def setUp(self):
        super().setUp()
        self.pawl("init", "--dir", "keys")
        self.keys = self.place / "keys"
        process = self.start(
            "server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--jobs", "1", "--tls", "keys"
        )
        self.url = self.said(process, "clients at").rsplit(" ", 1)[1].strip()
        self.token = (self.keys / "admin.token").read_text()

    def test_a_token_or_a_certificate(self):
        shown = {"certificate": self.keys / "client.pem", "key": self.keys / "client.key"}
        for more in ({"token": self.token}, shown):
            client = self.client_of(self.url, ca=self.keys / "ca.pem", **more)
            self.assertEqual(client.run(definition=HELLO, timeout=PATIENCE), "Hello, world")
            with pawl.Executor(client) as pool:
                future = pool.submit(unserved)
                while not (found := client.list(status="running")):
                    pass
                client.cancel(found[0].id)
                with self.assertRaises(concurrent.futures.CancelledError):
                    future.result(PATIENCE)

    def test_the_environment_names_the_files(self):
        names = {"PAWL_CA": str(self.keys / "ca.pem"), "PAWL_TOKEN": self.token, "PAWL_SERVER": self.url}

        async def server():
            async with pawl.AsyncClient() as client:
                return await client.server()

        with mock.patch.dict(os.environ, names):
            self.assertEqual(asyncio.run(server()), self.client_of(None).server())

    def test_a_client_of_ones_own_is_told_where_and_who(self):
        trusting = httpx.Client(verify=ssl.create_default_context(cafile=self.keys / "ca.pem"))
        client = self.client_of(self.url, token=self.token, http=trusting)
        run = client.submit(definition=HELLO)
        self.assertEqual(list(run.events())[-1].name, "succeeded")

    def test_what_cannot_be_trusted_is_said(self):
        with self.assertRaises(pawl.Unavailable) as raised:
            self.client_of(self.url, token=self.token, retries=0).server()
        self.assertIn("CERTIFICATE_VERIFY_FAILED", raised.exception.message)
        for wrong in ({"ca": "no.pem"}, {"ca": self.keys / "ca.pem", "certificate": "no.pem"}):
            with self.assertRaisesRegex(ValueError, r"no\.pem"):
                pawl.Client(self.url, **wrong)


class TokenTest(unittest.TestCase):
    def test_it_does_not_travel_in_plain_text(self):
        for where in (
            "http://pawl.example.org",
            "http://127.0.0.1.example.org:8080",
            "http://10.0.0.1",
            "http://127.x",
        ):
            with self.assertRaisesRegex(ValueError, "plain text"):
                pawl.Client(where, token="secret")
            with self.assertRaisesRegex(ValueError, "plain text"):
                pawl.Worker(where[7:] + ":7070", tasks=[unserved], token="secret")
            pawl.Client(where).close()
        for where in ("http://127.0.0.2:1", "http://localhost:1", "http://[::1]:1", "https://pawl.example.org"):
            pawl.Client(where, token="secret").close()
        for where in ("127.0.0.2:1", "localhost:1", "[::1]:1", "unix:/tmp/pawl.sock"):
            pawl.Worker(where, tasks=[unserved], token="secret")

    def test_it_is_one_word_and_is_not_shown(self):
        with pawl.Client(token=" secret\n") as client:
            self.assertEqual(client.settings.token, "secret")
        for wrong in ("my secret", "secr\u00e9t", "my\nsecret"):
            with self.assertRaises(ValueError) as raised:
                pawl.Client(token=wrong)
            self.assertNotIn("my", str(raised.exception))
            with self.assertRaises(ValueError):
                pawl.Worker(tasks=[unserved], token=wrong)


class LinesTest(unittest.TestCase):
    def test_they_end_where_those_of_an_event_stream_do(self):
        whole = "data: a\u2028\x85b\r\n\r\ndata: ü\rdata: c\n\n".encode()
        for size in range(1, len(whole) + 1):
            lines = Lines()
            seen = [line for at in range(0, len(whole), size) for line in lines.feed(whole[at : at + size])]
            self.assertEqual(seen, ["data: a\u2028\x85b".encode(), b"", "data: ü".encode(), b"data: c", b""], size)

    def test_an_event_that_is_none_is_an_error_of_ours(self):
        follower = Follower("e1", None, Settings.of("http://127.0.0.1:1", None, 1, 1))
        for data in (b"data: {\n\n", b"data: 3\n\n", b"data: \xff\n\n"):
            follower.request()
            with self.assertRaises(pawl.PawlError):
                list(follower.feed(data))


class Scripted(http.server.BaseHTTPRequestHandler):
    """Answers with what the test has laid out; remembers what came."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((dict(self.headers), json.loads(body)))
        status, fields, answer = self.server.script.pop(0)
        text = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {**fields, "Content-Length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def refusal(status, code):
    return (status, {"Retry-After": "0"}, {"error": {"code": code, "message": "not now"}})


class RetryTest(unittest.TestCase):
    """What a server says when it is overloaded; a real one cannot be made to say it on demand."""

    def setUp(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
        self.server.heard, self.server.script = [], []
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.client = pawl.Client(f"http://127.0.0.1:{self.server.server_port}", token="secret", retries=2)
        self.addCleanup(self.client.close)

    def script(self, *answers):
        self.server.script = list(answers)

    def test_a_submission_is_sent_again_with_the_same_request_id(self):
        accepted = (201, {}, {"execution": "e7"})
        self.script(refusal(429, "RESOURCE_EXHAUSTED"), refusal(503, "UNKNOWN"), accepted)
        self.assertEqual(self.client.submit("w").id, "e7")
        ids = [body["request_id"] for _, body in self.server.heard]
        self.assertEqual(len(set(ids)), 1)
        self.assertEqual(len(ids), 3)
        self.assertEqual(self.server.heard[0][0]["Authorization"], "Bearer secret")

    def test_it_waits_for_as_long_as_it_is_told(self):
        def told(body, **headers):
            return retry_after(httpx.Response(429, headers=headers, json=body))

        error = {"code": "RESOURCE_EXHAUSTED", "message": "full"}
        self.assertEqual(told({"error": {**error, "retry_after_ms": 700}}, **{"Retry-After": "1"}), 0.7)
        self.assertEqual(told({"error": error}, **{"Retry-After": "2"}), 2)
        self.assertEqual(told({"error": {**error, "retry_after_ms": 10**9}}), 60, "no longer than a minute")
        self.assertEqual(told([]), 0)

    def test_tries_are_limited(self):
        self.script(*[refusal(429, "RESOURCE_EXHAUSTED")] * 3)
        with self.assertRaises(pawl.ResourceExhausted):
            self.client.submit("w")
        self.assertEqual(len(self.server.heard), 3)

    def test_a_change_is_not_sent_again_when_it_may_have_happened(self):
        self.script(refusal(503, "UNKNOWN"))
        with self.assertRaises(pawl.UnknownOutcome):
            self.client.redrive("e7")
        self.script(refusal(429, "RESOURCE_EXHAUSTED"), (200, {}, {"count": 2}))
        self.assertEqual(self.client.redrive("e7"), 2)

    def test_an_answer_of_somebody_else_is_an_error_too(self):
        for answer in ({}, [], {"execution": {}}, None):
            self.script((200, {}, answer))
            with self.assertRaises(pawl.PawlError):
                self.client.redrive("e7")
        self.script((502, {}, {"oops": 1}))
        with self.assertRaises(pawl.Unavailable):
            self.client.redrive("e7")


if __name__ == "__main__":
    unittest.main()
