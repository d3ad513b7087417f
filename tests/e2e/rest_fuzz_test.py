"""A schema fuzzer before a real server:  python3 rest_fuzz_test.py FOLDER

It reads the server's own OpenAPI document and sends what that allows and what it does not; no answer may be a
server's error, or another than the document says. Its program is fetched once into FOLDER from PyPI. Exits with
77 (skipped) where that is out of reach.
"""

import json
import subprocess
import sys
import unittest
import urllib.request
import venv
from pathlib import Path

from pawl_case import PATIENCE, PawlCase

WANTED = "schemathesis==4.32.5"
EXAMPLES = 20  # of each operation
SKIPPED = 77
CHECKS = "not_a_server_error,response_schema_conformance,content_type_conformance,status_code_conformance"
ONE = "name: one\ninput: {n: 1}\nnodes: {a: {run: 'echo ${ .input.n }'}}\noutput: ${ .nodes.a.output }\n"
RUN = "/v1/workflows/{workflow}/run"
FAILS = "name: fails\nnodes: {a: {run: exit 7}}\n"


def prepare(folder):
    program, stamp = folder / "bin/schemathesis", folder / "made"
    if stamp.exists() and stamp.read_text() == WANTED:
        return program
    venv.create(folder, clear=True, with_pip=True)
    done = subprocess.run([folder / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                           WANTED], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr)
        print(f"SKIPPED LOUDLY: {WANTED} could not be fetched from PyPI", file=sys.stderr)
        sys.exit(SKIPPED)
    stamp.write_text(WANTED)
    return program


class RestFuzzTest(PawlCase):
    program = None

    def setUp(self):
        super().setUp()
        server = self.start("server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--partitions", "2")
        self.url = self.said(server, "clients at").rsplit(" ", 1)[1].strip()
        self.worker(self.said(server, "workers at").rsplit(" ", 1)[1].strip())
        self.serving = server

    def submit(self, definition):
        request = urllib.request.Request(self.url + "/v1/executions?wait=30s",
                                         json.dumps({"definition": definition}).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def fuzz(self, *paths):
        done = subprocess.run(
            [self.program, "run", self.url + "/v1/openapi.json", "--url", self.url, "--checks", CHECKS,
             "--max-examples", str(EXAMPLES), "--seed", "1", "--phases", "examples,coverage,fuzzing",
             "--request-timeout", "40", *paths, "--no-color"],
            cwd=self.place, env=self.environment, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout[-20_000:] + done.stderr[-2000:])
        self.assertRegex(done.stdout, r"\d+ (generated|passed)|Test cases")

    def test_no_answer_is_an_error_of_the_server(self):
        self.assertEqual(self.submit(ONE)["status"], "succeeded")
        self.assertEqual(self.submit(FAILS)["status"], "parked")
        # By itself, while no queue is paused yet: it answers when what it has started has ended.
        self.fuzz("--include-path", RUN)
        self.fuzz("--exclude-path", RUN, "--exclude-path", "/v1/ws",
                  "--exclude-path", "/v1/executions/{execution}/events")
        self.assertIsNone(self.serving.poll(), "the server has ended")
        # The queue that it changed may be paused by now.
        self.assertEqual(self.submit(ONE.replace("{a: {", "{a: {queue: untouched, "))["status"], "succeeded")


if __name__ == "__main__":
    RestFuzzTest.program = prepare(Path(sys.argv.pop(1)).resolve())
    unittest.main()
