"""Certificates between server and workers, and the audit trail."""

import http.client
import json
import shutil
import socket
import ssl
import threading
import time
import unittest

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

    def keys_with_worker(self, folder, *words):
        """A folder in which `worker` is another certificate of the same authority."""
        self.pawl("certificate", "--dir", "keys", "--name", folder, *words)
        place = self.place / folder
        place.mkdir()
        for end in ("pem", "key"):
            shutil.copy(self.place / "keys" / f"{folder}.{end}", place / f"worker.{end}")
        shutil.copy(self.place / "keys" / "ca.pem", place / "ca.pem")
        return folder

    def refused(self, address, *options):
        worker = self.start("worker", "--server", address, *options)
        self.said(worker, "no connection")
        worker.kill()

    def test_whoever_has_no_worker_certificate_of_this_authority_does_not_work(self):
        self.pawl("init", "--dir", "others")
        reader = self.keys_with_worker("reader", "--role", "reader")
        _, address = self.server("--tls", "keys")
        self.refused(address)
        self.refused(address, "--tls", "others")
        self.refused(address, "--tls", reader)
        self.worker(address, "--tls", "keys")

    def test_a_worker_does_not_talk_to_somebody_else_s_server(self):
        self.pawl("init", "--dir", "others")
        _, address = self.server("--tls", "others")
        self.refused(address, "--tls", "keys")

    def serial_at(self, address):
        """Of the certificate that is shown to new connections."""
        keys = self.place / "keys"
        context = ssl.create_default_context(cafile=keys / "ca.pem")
        context.load_cert_chain(keys / "worker.pem", keys / "worker.key")
        context.set_alpn_protocols(["h2"])
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

    def test_clients_show_tokens_over_https_and_see_their_own(self):
        server = self.start("server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0",
                            "--tls", "keys")
        port = int(self.said(server, "clients at https://").rsplit(":", 1)[1])
        trust = ssl.create_default_context(cafile=self.place / "keys" / "ca.pem")

        def ask(method, path, token=None, body=None):
            connection = http.client.HTTPSConnection("127.0.0.1", port, context=trust,
                                                     timeout=PATIENCE)
            fields = {"Authorization": f"Bearer {token}"} if token else {}
            connection.request(method, path, json.dumps(body) if body else None,
                               {"Content-Type": "application/json", **fields})
            answer = connection.getresponse()
            said = answer.read().decode()
            connection.close()
            return answer.status, said

        def token(role, namespace):
            return self.pawl("token", "--dir", "keys", "--role", role, "--namespace", namespace,
                             "--name", role + "-" + namespace).stdout.strip()

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

    def test_plain_text_stays_on_this_machine(self):
        said = self.pawl("server", "--listen", "0.0.0.0:0", code=3).stderr
        self.assertIn("--tls", said)
        said = self.pawl("worker", "--server", "192.0.2.1:7070", code=3).stderr
        self.assertIn("--tls", said)
        said = self.pawl("server", "--tls", "nowhere", code=3).stderr
        self.assertIn("pawl init", said)

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
