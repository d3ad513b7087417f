"""What programs write, over every door: while they run, over broken connections, every byte once."""

import http.client
import json
import re
import unittest

import grpc
from grpc_client import V1, Client
from pawl_case import PATIENCE, PawlCase

# Lines until the file `go` is there, and some more.
TALKER = """\
name: talker
nodes:
  a:
    run: |
      echo begun >&2
      n=0; until [ -e go ]; do n=$((n+1)); echo "line $n"; sleep 0.01; done
      seq 50000; printf 'no end: \\377'
"""
ECHO = "name: echo\nnodes: {say: {for_each: 20, run: 'echo ${ .item } is said >&2; exit ${ .item }', " \
       "retry: {max_attempts: 1}}}\n"


def content(part):
    return bytes.fromhex(part["bytes"]) or part["text"].encode()


class Doors(PawlCase):
    def serve(self):
        server = self.start("server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0")
        self.url = self.said(server, "clients at").rsplit(" ", 1)[1].strip()
        self.workers_at = self.said(server, "workers at").rsplit(" ", 1)[1].strip()
        self.worker(self.workers_at)
        return server

    def talk(self):
        """Submits the talker, and waits until it has begun."""
        asked = {"definition": TALKER, "directory": str(self.place)}
        self.assertEqual(self.get("/v1/executions", asked, 201), {"execution": "e1"})
        self.assertEqual(content(self.get("/v1/executions/e1/tasks/a/logs?stream=stderr&wait=30s")), b"begun\n")

    def get(self, path, body=None, status=200):
        connection = http.client.HTTPConnection(self.url.split("/")[-1], timeout=PATIENCE)
        try:
            kind = {"Content-Type": "application/json"} if body else {}
            connection.request("POST" if body else "GET", path, json.dumps(body) if body else None, kind)
            answer = connection.getresponse()
            said = answer.read()
            self.assertEqual(answer.status, status, said)
            return json.loads(said)
        finally:
            connection.close()

    def whole(self):
        """As it is once the attempt has ended."""
        said, part = b"", {"next": 0, "over": False}
        while not part["over"]:
            part = self.get(f"/v1/executions/e1/tasks/a/logs?attempt=1&offset={part['next']}&wait=30s")
            said += content(part)
        return said


class LogsTest(Doors):
    def events(self, last=None):
        """A stream of server-sent events, and its connection."""
        connection = http.client.HTTPConnection(self.url.split("/")[-1], timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request("GET", "/v1/executions/e1/tasks/a/logs/events",
                           headers={"Last-Event-ID": last} if last else {})
        return connection, connection.getresponse()

    def event(self, answer):
        """The next one: its kind, id and data."""
        told = {}
        while line := answer.readline().decode().rstrip("\n"):
            if not line.startswith(":"):
                name, _, value = line.partition(": ")
                told[name] = value
        return told["event"], told.get("id"), json.loads(told["data"])

    def test_a_stream_goes_on_where_it_was_cut(self):
        self.serve()
        self.talk()
        said, last, kind = b"", None, "output"
        for _ in range(3):  # cut after an event each
            connection, answer = self.events(last)
            kind, last, part = self.event(answer)
            self.assertEqual((kind, part["offset"]), ("output", len(said)))
            said += content(part)
            self.assertEqual(last, f"1-{len(said)}")
            connection.close()
        (self.place / "go").touch()
        _, answer = self.events(last)
        while kind != "end":
            kind, last, part = self.event(answer)
            said += content(part) if kind == "output" else b""
        self.assertEqual(answer.read(), b"")
        self.assertEqual(self.events(last)[1].status, 204)
        self.assertEqual(said, self.whole())
        lines = said.split(b"\n")
        self.assertEqual(lines[0], b"line 1")
        self.assertEqual(lines[-2:], [b"50000", b"no end: \xff"])

    def test_the_command_line_follows_at_a_server_that_comes_again(self):
        server = self.serve()
        self.talk()
        follower = self.start("logs", "e1", "--follow", "--server", self.url, errors="replace")
        out = ""
        while not out.endswith("\nline 1\n"):
            line = follower.stdout.readline()
            self.assertTrue(line, "nothing was followed")
            out += line
        server.kill()
        server.wait()
        self.said(follower, "has broken")
        self.start("server", "--listen", self.workers_at, "--http", self.url.split("/")[-1])
        self.said(follower, "connected to")
        (self.place / "go").touch()
        out += follower.stdout.read()
        self.finish(follower, 0)
        _, *sections = re.split(r"\n?==> a, attempt 1, (stdout|stderr) <==\n", out)
        said = {"stdout": "", "stderr": ""}
        for stream, text in zip(sections[::2], sections[1::2]):
            said[stream] += text
        self.assertEqual(said, {"stdout": self.whole().decode(errors="replace"), "stderr": "begun\n"})

    def test_grpc_goes_on_where_it_was_cut(self):
        self.serve()
        self.talk()
        client = Client(self.workers_at)
        self.addCleanup(client.close)
        what = {"execution": "e1", "node": "a", "wait": True}
        stream = client.stream("Executions", "ReadLog", **what)
        first = next(stream)
        stream.cancel()
        (self.place / "go").touch()
        parts = [first, *client.stream("Executions", "ReadLog", attempt=first.attempt, offset=first.next, **what)]
        self.assertTrue(parts[-1].over)
        self.assertEqual(b"".join(part.content for part in parts), self.whole())
        errors = list(client.stream("Executions", "ReadLog", execution="e1", node="a",
                                    stream=V1["LogStream"].Value("LOG_STREAM_STDERR")))
        self.assertEqual(b"".join(part.content for part in errors), b"begun\n")
        listed = client.call("Executions", "ListLogs", execution="e1", limit=1)
        self.assertEqual([(one.node, one.attempt, one.size) for one in listed.logs], [("a", 1, len(self.whole()))])
        rest = client.call("Executions", "ListLogs", execution="e1", after=listed.next)
        self.assertEqual([V1["LogStream"].Name(one.stream) for one in rest.logs], ["LOG_STREAM_STDERR"])
        with self.assertRaises(grpc.RpcError) as caught:
            list(client.stream("Executions", "ReadLog", execution="e1", node="b"))
        self.assertEqual(caught.exception.code(), grpc.StatusCode.NOT_FOUND)

    def test_what_has_ended_has_said_all(self):
        self.serve()
        self.write("echo.yaml", ECHO)
        self.pawl("run", "echo.yaml", "--server", self.url, code=1)
        for item in range(20):
            part = self.get(f"/v1/executions/e1/tasks/say/logs?item={item}&stream=stderr")
            self.assertEqual((content(part), part["over"]), (b"%d is said\n" % item, True))
        listed = self.get("/v1/executions/e1/logs?node=say&limit=7")
        self.assertEqual([one["item"] for one in listed["logs"]], [*range(7)])
        listed = self.get(f"/v1/executions/e1/logs?node=say&after={listed['next']}")
        self.assertEqual([one["item"] for one in listed["logs"]], [*range(7, 20)])
        self.assertEqual(listed["next"], "")


if __name__ == "__main__":
    unittest.main()
