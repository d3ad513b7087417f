"""The wall clock jumps while Pawl works: timers, back-off, timeouts and resuming run on its own clock."""

import glob
import subprocess
import sys
import unittest

from pawl_case import PawlCase

FAKETIME = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)

# The first attempt sets the clock back by a year and fails; the second sets it 10 years ahead.
JUMPING = """\
name: jumping
nodes:
  retried:
    run: |
      case $PAWL_ATTEMPT in
        1) echo -365d > clock; exit 1 ;;
        2) echo +3650d > clock; exit 1 ;;
      esac
    retry: {max_attempts: 3, backoff: {first: 300ms, factor: 1, jitter: 0}}
    timeout: {run: 1h, queue: 1h}
  late:
    needs: [retried]
    run: sleep 100
    timeout: {run: 200ms}
"""
GATED = """\
name: gated
input: {fifo: null}
nodes:
  gate:
    run: |
      [ "$PAWL_ATTEMPT" = 1 ] && echo $$ > ${ .input.fifo }
      until [ -e go ]; do sleep 0.05; done
      echo open
output: ${ .nodes.gate.output }
"""


@unittest.skipUnless(FAKETIME, "SKIPPED LOUDLY: no libfaketime (package faketime)")
class ClockTest(PawlCase):
    def setUp(self):
        super().setUp()
        self.clock = self.write("clock", "+0d\n")
        self.environment |= {"LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": str(self.clock),
                             "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def history(self, execution):
        entries = self.json("history", execution)["entries"]
        for members in ("position", "clock_ns"):
            values = [entry[members] for entry in entries]
            self.assertEqual(values, sorted(values), members)
        return entries

    def year(self):
        return int(subprocess.run(["date", "+%Y"], env=self.environment, capture_output=True, text=True).stdout)

    def test_the_clock_is_really_set_back(self):
        now = self.year()
        self.clock.write_text("-365d\n")
        self.assertLess(self.year(), now)

    def test_timers_and_back_off_while_it_jumps(self):
        self.write("jumping.yaml", JUMPING)
        self.assertIn("timeout", self.pawl("run", "jumping.yaml", code=1).stderr)
        entries = self.history("e1")
        years = {entry["time"][:4] for entry in entries}
        self.assertGreater(len(years), 2, "the engine's wall clock did not jump")
        failed = [e for e in entries if e["event"] == "attempt_failed" and e["with"]["node_index"] == 0]
        granted = [e for e in entries if e["event"] == "attempts_granted" and e["with"]["node_index"] == 0]
        self.assertEqual([entry["with"]["attempt"] for entry in granted], [1, 2, 3])
        for failure, grant in zip(failed, granted[1:]):
            self.assertGreaterEqual(grant["clock_ns"] - failure["clock_ns"], 300_000_000, "not early")
        self.assertIn("verified: no problems", self.pawl("verify").stdout)

    def test_resume_a_year_before(self):
        self.write("gated.yaml", GATED)
        gate = self.fifo()
        process = self.start("run", "gated.yaml", "-i", f"fifo={gate}")
        self.heard(gate)
        process.kill()
        process.wait()
        self.clock.write_text("-365d\n")
        (self.place / "go").touch()
        self.assertEqual(self.pawl("resume", "e1").stdout, "open\n")
        entries = self.history("e1")
        self.assertLess(entries[-1]["time"], entries[0]["time"])
        self.assertIn("e1", self.pawl("list").stdout)
        self.assertIn("succeeded", self.pawl("show", "e1").stdout)
        self.assertIn("verified: no problems", self.pawl("verify").stdout)


if __name__ == "__main__":
    if not FAKETIME:
        print("SKIPPED LOUDLY: the clock is not set back: no libfaketime (package faketime)", file=sys.stderr)
    unittest.main()
