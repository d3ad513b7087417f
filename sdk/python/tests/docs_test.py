"""The Python blocks of docs/python.md, in their order, against a real server and with its addresses."""

import os
import re
import subprocess
import sys
import unittest
from unittest import mock

from sdk_case import PATIENCE, REPOSITORY, SdkCase

OPTIONS = {"check": False, "capture_output": True, "text": True, "timeout": 2 * PATIENCE}


class DocsTest(SdkCase):
    def test_every_block_runs(self):
        text = (REPOSITORY / "docs/python.md").read_text()
        ((listen, http, more),) = re.findall(r"^pawl server --listen (\S+) --http (\S+)(.*)$", text, re.M)
        self.serve(*more.split())
        blocks = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
        self.assertGreater(len(blocks), 6)
        for block in blocks:
            if block.startswith("# tasks.py"):
                self.write("tasks.py", block)
        program = "\n".join(block for block in blocks if not block.startswith("# tasks.py"))
        program = program.replace(f"http://{http}", self.url).replace(listen, self.address)
        guarded = "if __name__ == '__main__':\n" + re.sub(r"^", "    ", unindent_safe(program), flags=re.M)
        self.write("guide.py", guarded)
        done = subprocess.run(
            [sys.executable, "guide.py"],
            check=False,
            cwd=self.place,
            capture_output=True,
            text=True,
            timeout=PATIENCE * 2,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("execution_ended", done.stdout)

    def test_the_example_runs(self):
        self.serve()
        folder = REPOSITORY / "examples/python"
        with mock.patch.dict(os.environ, {"PAWL_SERVER": self.url, "PAWL_WORKERS": self.address}):
            worker = subprocess.Popen(
                [sys.executable, "-m", "pawl", "worker", "pi"], cwd=folder, stderr=subprocess.DEVNULL
            )
            self.addCleanup(worker.wait)
            self.addCleanup(worker.kill)
            done = subprocess.run(
                [sys.executable, "pi.py", "20"],
                check=False,
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
        self.assertEqual((done.returncode, done.stdout), (0, "pi is about 3.143\n"), done.stderr)


def unindent_safe(program):
    """Texts of several lines must not be moved: their lines are joined by escapes instead."""

    def joined(match):
        return repr(match[1])

    return re.sub(r'"""(.*?)"""', joined, program, flags=re.S)


if __name__ == "__main__":
    unittest.main()
