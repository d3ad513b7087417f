"""Clients in Node, of the libraries that programs there use, over gRPC and over a WebSocket:  python3 grpc_node_test.py FOLDER

The libraries are fetched once into FOLDER. Exits with 77 (skipped) without node, npm or the network.
"""

import json
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from pawl_case import PATIENCE, REPOSITORY, PawlCase

HERE = Path(__file__).resolve().parent / "grpc_node"
ONE = "name: one\ninput: {n: 1}\nnodes: {a: {run: 'echo ${ .input.n }'}}\noutput: ${ .nodes.a.output }\n"
ENDLESS = "name: endless\nnodes: {a: {run: exec sleep 1000}}\n"
SKIPPED = 77


def prepare(folder):
    if not shutil.which("node") or not shutil.which("npm"):
        print("SKIPPED: there is no node and npm", file=sys.stderr)
        sys.exit(SKIPPED)
    folder.mkdir(parents=True, exist_ok=True)
    wanted = (HERE / "package.json").read_text()
    stamp = folder / "made"
    if not stamp.exists() or stamp.read_text() != wanted:
        (folder / "package.json").write_text(wanted)
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund"], cwd=folder, check=False,
                              capture_output=True, text=True)
        if done.returncode != 0:
            print(done.stderr, file=sys.stderr)
            print("SKIPPED: npm could not fetch the libraries", file=sys.stderr)
            sys.exit(SKIPPED)
        stamp.write_text(wanted)
    for program in ("client.js", "socket.js"):
        shutil.copy(HERE / program, folder / program)


class NodeTest(PawlCase):
    folder_of_programs = None

    def node(self, program, *words):
        done = subprocess.run(["node", self.folder_of_programs / program, *words], check=False, capture_output=True,
                              text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_it_submits_watches_cancels_and_is_refused(self):
        _, address = self.server("--jobs", "2")
        told = self.node("client.js", REPOSITORY / "proto", address, ONE, ENDLESS)
        self.assertEqual(told["cancelled"], [1, "EXECUTION_STATUS_CANCELLED"])
        self.assertEqual((told["execution"], told["status"]), ("e1", "EXECUTION_STATUS_SUCCEEDED"))
        self.assertEqual(told["output"], '"12345678901234567890"')
        self.assertEqual(told["watched"], told["history"])
        self.assertGreater(len(told["watched"]), 3)
        self.assertEqual(told["refusal"][0], 5)
        self.assertIn("no execution e99", told["refusal"][1])

    def test_one_web_socket_submits_watches_and_cancels(self):
        server = self.start("server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--jobs", "2")
        told = self.node("socket.js", self.said(server, "clients at").rsplit(" ", 1)[1].strip(), ENDLESS)
        self.assertEqual((told["protocol"], told["execution"]), ("pawl.v1", "e1"))
        self.assertEqual((told["count"], told["status"]), (1, "cancelled"))
        self.assertEqual((told["events"][0], told["events"][-1]), ("execution_submitted", "execution_cancelled"))
        self.assertEqual(told["refusal"]["code"], "NOT_FOUND")


if __name__ == "__main__":
    NodeTest.folder_of_programs = Path(sys.argv.pop(1)).resolve()
    prepare(NodeTest.folder_of_programs)
    unittest.main()
