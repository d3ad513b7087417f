"""A client in Node, of the library that programs there use:  python3 grpc_node_test.py FOLDER

The library is fetched once into FOLDER. Exits with 77 (skipped) without node, npm or the network.
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
            print("SKIPPED: npm could not fetch the library", file=sys.stderr)
            sys.exit(SKIPPED)
        stamp.write_text(wanted)
    shutil.copy(HERE / "client.js", folder / "client.js")


class NodeTest(PawlCase):
    program = None

    def test_it_submits_watches_and_is_refused(self):
        _, address = self.server("--jobs", "2")
        done = subprocess.run(["node", self.program, REPOSITORY / "proto", address, ONE], check=False,
                              capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        self.assertEqual((told["execution"], told["status"]), ("e1", "EXECUTION_STATUS_SUCCEEDED"))
        self.assertEqual(told["output"], '"12345678901234567890"')
        self.assertEqual(told["watched"], told["history"])
        self.assertGreater(len(told["watched"]), 3)
        self.assertEqual(told["refusal"][0], 5)
        self.assertIn("no execution e99", told["refusal"][1])


if __name__ == "__main__":
    NodeTest.program = Path(sys.argv.pop(1)).resolve() / "client.js"
    prepare(NodeTest.program.parent)
    unittest.main()
