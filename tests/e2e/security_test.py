"""Certificates between server and workers, and the audit trail."""

import http.client
import json
import queue
import shutil
import socket
import ssl
import threading
import time
import unittest

import grpc
from grpc_client import V1, Client
from pawl_case import PATIENCE, PawlCase

MARKER = "marker-5f1c0a7e-not-in-the-clear"
ECHO = "name: echo\ninput: {word: null}\nnodes: {say: {run: 'echo ${ .input.word }'}}\n" \
       "output: ${ .nodes.say.output }\n"


class Tap:
    """Passes bytes on between a worker and a server, and keeps a copy."""

    def __init__(self, target):
        host, port = target.rsplit(":", 1)
        self.target = (host, int(port))
        self.seen = bytearray()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(self.target)
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self.copy, args=(one, other), daemon=True).start()

    def copy(self, one, other):
        with one:
            try:
                while data := one.recv(65536):
                    self.seen += data
                    other.sendall(data)
                other.shutdown(socket.SHUT_WR)
            except OSError:
                pass

    def close(self):
        self.listener.close()


class SecurityTest(PawlCase):
    def setUp(self):
        super().setUp()
        self.write("echo.yaml", ECHO)
        self.pawl("init", "--dir", "keys")

    def through_a_tap(self, *options):
        _, address = self.server(*options)
        tap = Tap(address)
        self.addCleanup(tap.close)
        self.worker(tap.address, *options)
        self.assertEqual(self.pawl("run", "echo.yaml", "-i", f"word={MARKER}").stdout, MARKER + "\n")
        return bytes(tap.seen)

    def test_nothing_that_a_task_says_is_on_the_wire_in_the_clear(self):
        self.assertNotIn(MARKER.encode(), self.through_a_tap("--tls", "keys"))

    def test_a_worker_finds_its_server_by_name_and_checks_it(self):
        _, address = self.server("--tls", "keys")
        self.worker("localhost:" + address.rsplit(":", 1)[1], "--tls", "keys")
        self.assertEqual(self.pawl("run", "echo.yaml", "-i", "word=named").stdout, "named\n")

    def test_what_the_tap_would_have_seen_without(self):
        self.assertIn(MARKER.encode(), self.through_a_tap())

    def refused(self, address, *options, because="no connection"):
        """It says so, each time it has tried; once in a while the connection is gone before its reason has come."""
        worker = self.start("worker", "--server", address, *options)
        said = self.said(worker, because)
        worker.kill()
        self.assertIn("no connection", said)

    def test_whoever_has_no_worker_certificate_of_this_authority_does_not_work(self):
        self.pawl("init", "--dir", "others")
        reader = self.keys_with_worker("reader", "--role", "reader")
        _, address = self.server("--tls", "keys")
        self.refused(address, because="wants workers with --tls")
        self.refused(address, "--tls", "others", because="not of the authority in ca.pem")
        self.refused(address, "--tls", reader, because="needs the role worker")
        shutil.copy(self.place / "keys" / "worker.pem", self.place / reader / "worker.pem")
        self.refused(address, "--tls", reader, because="belong together?")
        self.worker(address, "--tls", "keys")

    def test_a_worker_does_not_talk_to_somebody_else_s_server(self):
        self.pawl("init", "--dir", "others")
        _, address = self.server("--tls", "others")
        self.refused(address, "--tls", "keys")

    def serial_at(self, address, protocols=("h2",)):
        """Of the certificate that is shown to new connections."""
        keys = self.place / "keys"
        context = ssl.create_default_context(cafile=keys / "ca.pem")
        context.load_cert_chain(keys / "worker.pem", keys / "worker.key")
        if protocols:
            context.set_alpn_protocols(list(protocols))
        host, port = address.rsplit(":", 1)
        with socket.create_connection((host, int(port))) as plain:
            with context.wrap_socket(plain, server_hostname=host) as secure:
                return secure.getpeercert()["serialNumber"]

    def test_certificates_are_renewed_while_everything_runs(self):
        server, address = self.server("--tls", "keys")
        worker = self.worker(address, "--tls", "keys")
        before = self.serial_at(address)
        self.pawl("certificate", "--dir", "keys", "--name", "server", "--role", "reader",
                  "--host", "127.0.0.1", "--force")
        end = time.monotonic() + PATIENCE
        while self.serial_at(address) == before:
            self.assertLess(time.monotonic(), end, "the new certificate is not shown")
        self.assertEqual(self.pawl("run", "echo.yaml", "-i", "word=on").stdout, "on\n")
        self.stop(worker)
        self.worker(address, "--tls", "keys")
        self.assertIsNone(server.poll())

    def test_a_certificate_that_cannot_be_used_is_named_once_and_the_one_before_stays(self):
        server = self.serve_https()
        https = f"127.0.0.1:{self.https_port}"
        before = self.serial_at(https, [])
        self.pawl("certificate", "--dir", "keys", "--name", "another")
        shutil.copy(self.place / "keys" / "another.key", self.place / "keys" / "server.key")
        log = self.place / ".pawl" / "pawl.log"
        end = time.monotonic() + PATIENCE
        while not log.exists() or "certificate_not_renewed" not in log.read_text():
            self.assertEqual(self.serial_at(https, []), before)
            self.assertLess(time.monotonic(), end, "nothing is said")
        for _ in range(50):
            self.assertEqual(self.serial_at(https, []), before)
        self.stop(server)
        told = [line for line in log.read_text().splitlines() if "certificate_not_renewed" in line]
        self.assertEqual(len(told), 1, told)
        self.assertIn("server.key cannot be used: key values mismatch", told[0])
        self.assertIn("the one before stays in use", told[0])

    def test_streams_outlive_the_certificates_that_they_began_with(self):
        mine = self.keys_with_worker("mine")
        server = self.serve_https()
        address = self.said(server, "workers at").rsplit(" ", 1)[1].strip()
        https = f"127.0.0.1:{self.https_port}"
        worker = self.worker(address, "--tls", mine)
        self.write("gated.yaml", "name: gated\ninput: {fifo: null}\nnodes: {a: {run: 'echo before; "
                                 "echo up > ${ .input.fifo }; until [ -e go ]; do sleep 0.05; done; echo after'}}\n")
        fifo = self.fifo()
        run = self.start("run", "gated.yaml", "-i", f"fifo={fifo}")
        self.heard(fifo)
        stream = self.stream("/v1/executions/e1/tasks/a/logs/events", self.token("reader", "default"))
        self.read_until(stream, "before")
        session = [one["session"] for one in self.json("workers")["workers"]]

        old = self.serial_at(address), self.serial_at(https, [])
        self.assertEqual(old[0], old[1])
        self.pawl("certificate", "--dir", "keys", "--name", "server", "--role", "reader", "--host", "127.0.0.1", "--force")
        end = time.monotonic() + PATIENCE
        while old[0] in (self.serial_at(address), self.serial_at(https, [])):
            self.assertLess(time.monotonic(), end, "the new certificate is not shown")
        self.pawl("certificate", "--dir", "keys", "--name", "renewed")
        for kind in ("pem", "key"):
            shutil.copy(self.place / "keys" / f"renewed.{kind}", self.place / mine / f"worker.{kind}")

        (self.place / "go").touch()
        self.read_until(stream, "after")
        self.read_until(stream, "event: end")
        self.finish(run, 0)
        self.assertEqual([one["session"] for one in self.json("workers")["workers"]], session)

        # New connections of the worker show the new one: with the old one it would not be let in again.
        with open(self.place / "keys" / "revoked", "a") as revoked:
            revoked.write("pawl:worker/default/mine\n")
        server.kill()
        server.wait()
        self.server("--tls", "keys", listen=address)
        self.said(worker, "working for")

    def test_a_worker_that_is_revoked_is_hung_up_on(self):
        mine = self.keys_with_worker("mine")
        _, address = self.server("--tls", "keys")
        worker = self.worker(address, "--tls", mine)
        with open(self.place / "keys" / "revoked", "a") as revoked:
            revoked.write("pawl:worker/default/mine\n")
        self.said(worker, "has been revoked")
        worker.kill()

    def test_what_is_revoked_does_not_come_back(self):
        mine = self.keys_with_worker("mine")
        server, address = self.server("--tls", "keys")
        worker = self.worker(address, "--tls", mine)
        self.stop(worker)
        self.stop(server)
        with open(self.place / "keys" / "revoked", "a") as revoked:
            revoked.write("pawl:worker/default/mine\n")
        self.server("--tls", "keys", listen=address)
        self.refused(address, "--tls", mine)

    def serve_https(self, *options):
        """A server with clients at `self.ask()`."""
        server = self.start("server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--tls", "keys", *options)
        self.https_port = int(self.said(server, "clients at https://").rsplit(":", 1)[1])
        return server

    def ask(self, method, path, token=None, body=None):
        """The status, the body, and what a refusal says of another try."""
        trust = ssl.create_default_context(cafile=self.place / "keys" / "ca.pem")
        connection = http.client.HTTPSConnection("127.0.0.1", self.https_port, context=trust, timeout=PATIENCE)
        fields = {"Authorization": f"Bearer {token}"} if token else {}
        connection.request(method, path, json.dumps(body) if body else None,
                           {"Content-Type": "application/json", **fields})
        answer = connection.getresponse()
        said = answer.read().decode()
        connection.close()
        return answer.status, said, answer.getheader("Retry-After")

    def stream(self, path, token):
        trust = ssl.create_default_context(cafile=self.place / "keys" / "ca.pem")
        connection = http.client.HTTPSConnection("127.0.0.1", self.https_port, context=trust, timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        self.addCleanup(answer.close)
        self.assertEqual(answer.status, 200)
        return answer

    def read_until(self, stream, words):
        while words not in (line := stream.readline().decode()):
            self.assertTrue(line, f"it ended without {words!r}")

    def token(self, role, namespace):
        return self.pawl("token", "--dir", "keys", "--role", role, "--namespace", namespace,
                         "--name", role + "-" + namespace).stdout.strip()

    def test_a_caller_has_its_rate_and_a_namespace_its_share(self):
        self.assertIn("needs --tls", self.pawl("server", "--calls-per-second", "1", code=2).stderr)
        self.assertIn("N:BURST", self.pawl("server", "--calls-per-second", "1:x", "--tls", "keys", code=2).stderr)
        self.serve_https("--calls-per-second", "1:3", "--namespace-open", "1")
        ours, theirs = self.token("submitter", "team-a"), self.token("submitter", "team-b")
        waiting = {"definition": ECHO, "input": {"word": "w"}}  # nobody works
        self.assertEqual(self.ask("POST", "/v1/executions", ours, waiting)[0], 201)
        status, said, again = self.ask("POST", "/v1/executions", ours, waiting)
        self.assertEqual((status, "name_space_open_executions_max (1)" in said), (429, True), said)
        self.assertGreaterEqual(int(again), 1)
        said = ""
        for _ in range(100):  # one a second, and three at once
            status, said, again = self.ask("GET", "/v1/overview", ours)
            if status == 429:
                break
            self.assertEqual(status, 200, said)
        self.assertIn("calls_per_caller", said)
        self.assertGreaterEqual(int(again), 1)
        self.assertEqual(self.ask("POST", "/v1/executions", theirs, waiting)[0], 201)

    def test_clients_show_tokens_over_https_and_see_their_own(self):
        server = self.serve_https()
        ask, token = lambda *words: self.ask(*words)[:2], self.token
        ours, theirs = token("submitter", "team-a"), token("submitter", "team-b")
        submission = {"definition": ECHO, "input": {"word": MARKER}, "request_id": "once"}
        status, said = ask("POST", "/v1/executions", ours, submission)
        self.assertIn(status, (200, 201, 202), said)
        self.assertEqual(ask("GET", "/v1/executions/e1", ours)[0], 200)
        status, said = ask("GET", "/v1/executions/e1", theirs)
        self.assertEqual(status, 404)
        self.assertEqual(said.replace("e1;", "e7;"), ask("GET", "/v1/executions/e7", theirs)[1])
        self.assertNotIn(MARKER, ask("GET", "/v1/executions", theirs)[1])
        self.assertEqual(ask("DELETE", "/v1/executions/e1", ours)[0], 403)
        self.assertEqual(ask("GET", "/v1/executions", None)[0], 401)
        self.assertEqual(ask("GET", "/v1/executions", ours[:-4] + "AAAA")[0], 401)
        self.stop(server)
        trail = (self.place / ".pawl" / "audit.log").read_text()
        self.assertIn('"caller":"submitter-team-a","namespace":"team-a","call":"submit"', trail)
        self.assertIn('"call":"forget","subject":"e1","result":"PERMISSION_DENIED"', trail)
        self.assertNotIn(MARKER, trail)

    def test_who_is_not_let_in_cannot_use_the_server(self):
        self.serve_https()
        self.environment["PAWL_CA"] = str(self.place / "keys" / "ca.pem")
        url = f"https://127.0.0.1:{self.https_port}"
        self.pawl("list", "--server", url, code=3)
        self.environment["PAWL_TOKEN"] = self.token("submitter", "team-a")
        self.pawl("list", "--server", url)
        self.pawl("show", "e9", "--server", url, code=1)
        self.pawl("forget", "e9", "--server", url, code=3)

    def client_with(self, address, folder, name="worker"):
        keys = self.place / folder
        client = Client(address, ca=(keys / "ca.pem").read_bytes(),
                        cert=((keys / f"{name}.pem").read_bytes(), (keys / f"{name}.key").read_bytes()))
        self.addCleanup(client.close)
        return client

    def metrics_of(self, address, folder=None):
        """What a worker's page says to whoever shows a certificate of that folder, or none."""
        trust = ssl.create_default_context(cafile=self.place / "keys" / "ca.pem")
        if folder:
            trust.load_cert_chain(self.place / folder / "worker.pem", self.place / folder / "worker.key")
        connection = http.client.HTTPSConnection("127.0.0.1", int(address.rsplit(":", 1)[1]), context=trust,
                                                 timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def test_a_worker_shows_its_page_to_certificates_of_its_authority_alone(self):
        self.pawl("init", "--dir", "others")
        _, address = self.server("--tls", "keys")
        worker = self.start("worker", "--server", address, "--tls", "keys", "--metrics", "0.0.0.0:0", "--name", "w")
        page = self.said(worker, "metrics at").rsplit(" ", 1)[1].strip()
        for folder in (None, "others"):
            with self.assertRaises((ssl.SSLError, ConnectionError), msg=f"with a certificate of {folder}"):
                self.metrics_of(page, folder)
        with self.assertRaises((http.client.HTTPException, ConnectionError)):
            plain = http.client.HTTPConnection("127.0.0.1", int(page.rsplit(":", 1)[1]), timeout=PATIENCE)
            self.addCleanup(plain.close)
            plain.request("GET", "/metrics")
            plain.getresponse()
        status, text = self.metrics_of(page, "keys")
        self.assertEqual(status, 200)
        self.assertIn('pawl_worker_slots{worker="w"}', text)

    def test_a_worker_speaks_for_no_other_s_address(self):
        mine, other = self.keys_with_worker("mine"), self.keys_with_worker("other")
        _, address = self.server("--tls", "keys")
        frame = V1["Frame"](**{"from": 77, "to": 1, "incarnation": 1})

        def connect(folder):
            said = queue.SimpleQueue()
            said.put(frame)
            connect = self.client_with(address, folder).channel.stream_stream(
                "/pawl.v1.Workers/Connect", V1["Frame"].SerializeToString, V1["Frame"].FromString)
            call = connect(iter(said.get, None), timeout=PATIENCE)
            self.addCleanup(said.put, None)
            return call, said

        mine, mine_said = connect(mine)
        self.assertEqual(next(mine).to, 77)
        with self.assertRaises(grpc.RpcError) as caught:
            next(connect(other)[0])
        self.assertEqual(caught.exception.code().name, "PERMISSION_DENIED")
        mine_said.put(frame)
        self.assertEqual(next(mine).to, 77)

    def test_a_worker_touches_only_what_it_holds_a_grant_of(self):
        mine, other = self.keys_with_worker("mine"), self.keys_with_worker("other")
        _, address = self.server("--tls", "keys")
        self.worker(address, "--tls", mine, "--queue", "default")
        self.worker(address, "--tls", other, "--queue", "elsewhere")
        self.write("held.yaml", "name: held\ninput: {text: null, fifo: null}\nnodes: {a: {run: '"
                                "echo up > ${ .input.fifo }; until [ -e go ]; do sleep 0.05; done'}}\n")
        fifo = self.fifo()
        self.write("input.json", json.dumps({"text": "x" * 100_000, "fifo": str(fifo)}))
        run = self.start("run", "held.yaml", "--input-file", "input.json")
        self.heard(fifo)
        output = b'"' + b"y" * 100_000 + b'"'

        def at(folder, name="worker"):
            return self.client_with(address, folder, name)

        def read(client, **other_ref):
            asked = V1["BlobRef"]()
            asked.CopyFrom(ref)
            for name, value in other_ref.items():
                setattr(asked, name, value)
            return b"".join(p.bytes for p in client.stream("Workers", "ReadPayload", ref=asked, offset=0, size=40))

        def write(client, path):
            client.call("Workers", "WriteOutputs", parts=[V1["OutputPart"](path=path, offset=0, bytes=b"said")])

        def keep(client, owner):
            request = V1["WritePayloadRequest"](bytes=output)
            request.ref.CopyFrom(V1["BlobRef"](owner=owner, sequence=(1 << 63) + 1, size=len(output)))
            send = client.channel.stream_unary("/pawl.v1.Workers/WritePayload",
                                               V1["WritePayloadRequest"].SerializeToString,
                                               V1["WritePayloadResponse"].FromString)
            send(iter([request]), timeout=PATIENCE)

        def refusal(act, *words, **fields):
            with self.assertRaises(grpc.RpcError) as caught:
                act(*words, **fields)
            return caught.exception.code().name

        ref = at("keys", "client").call("Executions", "Get", execution="e1").input.blob
        self.assertGreater(ref.size, 100_000)
        holder, stranger = at(mine), at(other)
        self.assertTrue(read(holder).startswith(b"{"))
        write(holder, "e1/a/0.7.err")
        self.assertEqual((self.place / ".pawl/output/e1/a/0.7.err").read_text(), "said")
        self.assertEqual(refusal(keep, holder, 1), "INVALID_ARGUMENT")  # its bytes are not of that hash
        self.assertEqual(refusal(read, stranger), "PERMISSION_DENIED")
        self.assertEqual(refusal(write, stranger, "e1/a/0.8.err"), "PERMISSION_DENIED")
        self.assertEqual(refusal(keep, stranger, 1), "PERMISSION_DENIED")
        for owner in (0, 2):  # staged by somebody, and another execution's
            self.assertEqual(refusal(read, holder, owner=owner), "PERMISSION_DENIED")
            self.assertEqual(refusal(keep, holder, owner), "PERMISSION_DENIED")
        self.assertEqual(refusal(write, holder, "e2/a/0.1.err"), "PERMISSION_DENIED")
        self.assertFalse((self.place / ".pawl/output/e2").exists())
        self.assertFalse((self.place / ".pawl/output/e1/a/0.8.err").exists())
        (self.place / "go").touch()
        self.finish(run, 0)

    def test_plain_text_stays_on_this_machine(self):
        said = self.pawl("server", "--listen", "0.0.0.0:0", code=3).stderr
        self.assertIn("--tls", said)
        said = self.pawl("worker", "--server", "192.0.2.1:7070", code=3).stderr
        self.assertIn("--tls", said)
        said = self.pawl("server", "--tls", "nowhere", code=3).stderr
        self.assertIn("pawl init", said)

    def test_an_address_is_a_host_and_a_port(self):
        for words in (["server", "--listen", "127.0.0.1:99999"], ["server", "--http", "127.0.0.1:65536"],
                      ["worker", "--server", "http://127.0.0.1:7070"], ["worker", "--server", "127.0.0.1:"]):
            self.assertIn("takes HOST:PORT", self.pawl(*words, code=2).stderr)

    def test_who_did_what_is_recorded_and_cannot_be_changed_unseen(self):
        server, address = self.server()
        self.worker(address)
        self.pawl("run", "echo.yaml", "-i", f"word={MARKER}")
        self.pawl("cancel", "e99", code=1)
        self.pawl("forget", "e1")
        self.stop(server)
        trail = self.place / ".pawl" / "audit.log"
        lines = trail.read_text().splitlines()
        self.assertEqual(len(lines), 3)
        for line, words in zip(lines, ('"call":"submit"', '"call":"cancel"', '"call":"forget"')):
            self.assertIn(words, line)
            self.assertIn('"caller":"local"', line)
        self.assertNotIn(MARKER, trail.read_text())
        self.assertIn("audit: 3 records", self.pawl("verify").stdout)
        trail.write_text("\n".join([lines[0], lines[2]]) + "\n")
        self.assertIn("audit.log: line 2:", self.pawl("verify", code=1).stdout)


if __name__ == "__main__":
    unittest.main()
