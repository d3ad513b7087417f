"""What the server says of its REST API is what docs/rest-openapi.json says, so that a change of it is seen, and meant.

  python3 openapi_test.py            fails where they part
  python3 openapi_test.py --write    writes down what the server says
"""

import difflib
import json
import sys
import unittest
import urllib.request

from pawl_case import PATIENCE, REPOSITORY, PawlCase

WRITTEN = REPOSITORY / "docs/rest-openapi.json"
SHOWN = 40  # lines of a difference


class OpenApiTest(PawlCase):
    write_down = False

    def served(self):
        """By name and one member per line, so that only what has changed is another line."""
        server = self.start("server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0")
        url = self.said(server, "clients at").rsplit(" ", 1)[1].strip()
        with urllib.request.urlopen(url + "/v1/openapi.json", timeout=PATIENCE) as answer:
            return json.dumps(json.load(answer), indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    def test_the_server_says_what_is_written(self):
        served = self.served()
        if self.write_down:
            WRITTEN.write_text(served, encoding="utf-8")
        self.assertIn('"/v1/executions"', served)
        written = WRITTEN.read_text(encoding="utf-8")
        if written != served:
            difference = difflib.unified_diff(written.splitlines(), served.splitlines(), "docs/rest-openapi.json",
                                              "GET /v1/openapi.json", n=2, lineterm="")
            self.fail("\n".join([
                "docs/rest-openapi.json is not what the server says. If the change is meant:",
                "  PAWL_BIN=build/dev/bin python3 tests/e2e/openapi_test.py --write", *list(difference)[:SHOWN]]))


if __name__ == "__main__":
    if "--write" in sys.argv:
        sys.argv.remove("--write")
        OpenApiTest.write_down = True
    unittest.main()
