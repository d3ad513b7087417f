"""jq expressions: limits, and what they cannot reach."""

import os
import tempfile
import threading
import unittest
from pathlib import Path
from unittest import mock

from sdk_case import PATIENCE

from pawl.worker.evaluator import Evaluator
from pawl.worker.expressions import ExpressionError


class EvaluatorTest(unittest.TestCase):
    def evaluator(self, **options):
        evaluator = Evaluator(**options)
        self.addCleanup(evaluator.close)
        return evaluator

    def error(self, evaluator, text, document=None):
        with self.assertRaises(ExpressionError) as raised:
            evaluator.evaluate(text, document)
        return str(raised.exception)

    def test_values(self):
        jq = self.evaluator()
        for text, value in {".a + 1": 2, '"\\(.b)!"': "ä!", "[.[]]": [1, "ä"], "null": None, ".c": None}.items():
            self.assertEqual(jq.evaluate(text, {"a": 1, "b": "ä"}), value)
        large = ["x" * 1000] * 2000
        self.assertEqual(jq.evaluate("map(.)", large), large)

    def test_errors_say_why_and_the_next_one_is_fine(self):
        jq = self.evaluator()
        errors = {
            ".a | error": "no",
            "1, 2": "several",
            "empty": "got 0",
            "range(1; infinite)": "several",
            "((": "error",
        }
        for text, said in errors.items():
            found = self.error(jq, text, {"a": "no"})
            self.assertIn(f"${{ {text} }}: ", found)
            self.assertIn(said, found)
            self.assertEqual(jq.evaluate(".", 1), 1)

    def test_what_has_no_end_is_killed_and_others_are_not(self):
        jq = self.evaluator(time_limit=0.2)
        endless = [threading.Thread(target=self.error, args=(jq, "until(false; .)"), daemon=True) for _ in range(2)]
        for one in endless:
            one.start()
        self.assertEqual(jq.evaluate(". + 1", 1), 2)
        for one in endless:
            one.join(PATIENCE)
            self.assertFalse(one.is_alive())
        self.assertIn("ran longer than 0.2 s", self.error(jq, "def f: f; f"))
        self.assertEqual(jq.evaluate(". + 1", 2), 3)

    def test_memory_has_a_limit(self):
        jq = self.evaluator(time_limit=PATIENCE)
        self.assertIn("512 MiB", self.error(jq, '"x" * 1000000000 | length'))
        self.assertEqual(jq.evaluate(". + 1", 2), 3)

    def test_nothing_of_the_worker_can_be_read(self):
        jq = self.evaluator()
        with mock.patch.dict(os.environ, {"PAWL_TOKEN": "secret"}):
            self.assertEqual(jq.evaluate("[env, $ENV]", None), [{}, {}])
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "data.json").write_text('"secret"')
            self.assertIn("error", self.error(jq, f'import "data" as $data {{search: "{folder}"}}; $data'))


if __name__ == "__main__":
    unittest.main()
