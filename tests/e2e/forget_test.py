"""Forgetting: what has ended goes, with everything that was kept for it, and nothing else."""

import unittest

from pawl_case import PawlCase

# An input, an output and printed text above what is kept inline; and a declared file.
LARGE = """\
name: large
input: {text: ""}
nodes:
  big: {run: "head -c 100000 /dev/zero | tr '[:cntrl:]' x; echo note >&2"}
  file: {run: "echo mine > result.txt", files: {result: result.txt}}
output: ${ .nodes.big.output }
"""


class ForgetTest(PawlCase):
    def setUp(self):
        super().setUp()
        self.write("large.yaml", LARGE)
        self.write("input.json", '{"text": "%s"}' % ("y" * 100_000))

    def run_large(self, *more):
        self.pawl("run", "large.yaml", "--input-file", "input.json", *more)

    def kept(self):
        """The names of everything that is kept outside the log."""
        state = self.place / ".pawl"
        files = [*state.glob("blob/*/*"), *state.glob("output/*/*/*")]
        return sorted(str(path.relative_to(state)) for path in files)

    def test_payloads_and_files_go_with_their_execution(self):
        self.run_large("--request-id", "monday")
        first = self.kept()
        self.assertTrue(any(name.startswith("blob/1/") for name in first), first)
        self.assertTrue(any(name.startswith("output/e1/") for name in first), first)
        self.run_large()
        both = self.kept()
        self.assertIn("would forget 1", self.pawl("forget", "e1", "--dry-run").stdout)
        self.assertEqual(self.kept(), both)
        self.assertEqual(self.pawl("forget", "e1").stdout, "forgot 1\n")
        self.assertEqual(self.kept(), [name for name in both if name not in first])
        self.assertEqual((self.place / "result.txt").read_text(), "mine\n")
        self.assertIn("e1 has been forgotten", self.pawl("show", "e1", code=1).stderr)
        self.assertEqual([e["id"] for e in self.json("list")["executions"]], ["e2"])
        self.assertEqual(self.pawl("forget", "e1").stdout, "forgot 0\n")
        self.pawl("verify")
        # The request id stays used.
        again = self.pawl("run", "large.yaml", "--input-file", "input.json", "--request-id", "monday", code=1)
        self.assertIn("e1 has been forgotten", again.stderr)
        self.assertEqual(self.kept(), [name for name in both if name not in first])

    def test_by_age_and_only_what_has_ended(self):
        self.write("fails.yaml", "name: fails\nnodes: {work: {run: exit 7}}\n")
        self.run_large()
        self.pawl("run", "fails.yaml", code=1)
        self.assertEqual(self.pawl("forget", "--ended-before", "1h").stdout, "forgot 0\n")
        self.assertEqual(self.pawl("forget", "--ended-before", "1ns").stdout, "forgot 1\n")
        refused = self.pawl("forget", "e2", "e1", code=1)
        self.assertIn("e2 is parked", refused.stderr)
        self.assertEqual([e["id"] for e in self.json("list")["executions"]], ["e2"])
        self.pawl("forget", code=2)
        self.pawl("forget", "e2", "--ended-before", "1h", code=2)

    def test_what_belongs_to_nobody_goes_at_the_next_start(self):
        self.run_large()
        kept = self.kept()
        for name in ("blob/0/17", "blob/99/3", "output/e99/work/0.1.out"):
            self.write(".pawl/" + name, "left by a crash")
        self.pawl("list")
        self.write("other.yaml", "name: other\nnodes: {work: {run: 'true'}}\n")
        self.pawl("run", "other.yaml")
        self.assertEqual(self.kept(), kept)


if __name__ == "__main__":
    unittest.main()
