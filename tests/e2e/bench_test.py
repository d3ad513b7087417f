"""`pawl bench`: what it measures, and that it leaves nothing behind."""

import re
import unittest

from pawl_case import PawlCase


class BenchTest(PawlCase):
    def test_functions_jq_and_processes_against_a_bare_commit(self):
        lines = self.pawl("bench").stdout.splitlines()
        for what in ("1,000,000 function tasks of one node", "10,000 jq tasks of one node",
                     "1,000 processes (true)"):
            row = next((line for line in lines if line.startswith(what)), "")
            self.assertRegex(row, r"[1-9][\d,.]*/s .*[\d.]+ per commit", "\n".join(lines))
        functions = next(line for line in lines if "function tasks" in line)
        per_commit = float(re.search(r"([\d.]+) per commit", functions)[1])
        self.assertGreater(per_commit, 1, "durable in groups, not one by one")
        self.assertEqual(list(self.place.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
