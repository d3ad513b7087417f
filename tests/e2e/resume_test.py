"""What was accepted survives: kill -9, Ctrl-C, and several processes on one directory."""

import json
import os
import signal
import threading
import unittest

from pawl_case import PawlCase, alive

# Ten quick items, then one that says it runs and waits until the file `go` is there.
GATED = """\
name: gated
input: {fifo: null}
nodes:
  quick: {for_each: 10, run: "echo ${ .item } >> done"}
  gate:
    needs: [quick]
    run: |
      [ "$PAWL_ATTEMPT" = 1 ] && echo $$ > ${ .input.fifo }
      until [ -e go ]; do sleep 0.05; done
      echo open
output: ${ .nodes.gate.output }
"""


class ResumeTest(PawlCase):
    def setUp(self):
        super().setUp()
        self.write("gated.yaml", GATED)
        self.gate = self.fifo()

    def begin(self, *more):
        """A run whose gate is known to be running; the gate's process id."""
        process = self.start("run", "gated.yaml", "-i", f"fifo={self.gate}", *more)
        return process, int(self.heard(self.gate))

    def open_gate(self):
        (self.place / "go").touch()

    def test_kill_9_and_resume(self):
        process, pid = self.begin()
        process.kill()
        process.wait()
        self.open_gate()
        self.assertEqual(self.pawl("resume", "e1").stdout, "open\n")
        self.assertFalse(alive(pid))
        # No item was done twice, and the gate's second attempt was granted at once.
        self.assertEqual(sorted((self.place / "done").read_text().split()), [str(i) for i in range(10)])
        gate = next(n for n in self.json("show", "e1")["NodeStates"] if n["NodeID"] == "gate")
        self.assertEqual(gate["Attempts"], 2)
        self.pawl("verify")

    def test_ctrl_c_stops_cleanly_and_says_how_to_go_on(self):
        process, pid = self.begin()
        self.interrupt(process)
        _, err = self.finish(process, 130)
        self.assertIn("pawl resume e1", err)
        self.assertFalse(alive(pid))
        self.assertEqual(self.json("show", "e1")["Status"], "running")
        self.open_gate()
        self.assertEqual(self.pawl("resume").stdout, "open\n")
        self.assertIn("nothing is unfinished", self.pawl("resume").stderr)

    def test_ctrl_c_twice_kills(self):
        self.write("stubborn.yaml", "name: stubborn\nnodes:\n  a:\n    run: |\n"
                                    f"      trap '' TERM; echo $$ > {self.gate}; while :; do sleep 0.1; done\n")
        process = self.start("run", "stubborn.yaml")
        self.heard(self.gate)
        self.interrupt(process)
        while "stopping" not in process.stderr.readline():
            pass
        self.interrupt(process)
        self.finish(process, 130)
        self.pawl("verify")

    def test_a_second_run_uses_the_first_process(self):
        process, _ = self.begin()
        self.write("one.yaml", "name: one\nnodes: {a: {run: echo there}}\noutput: ${ .nodes.a.output }\n")
        self.assertEqual(self.pawl("run", "one.yaml").stdout, "there\n")
        self.assertRegex(self.pawl("list").stdout, r"(?s)e2 +one +succeeded.*e1 +gated +running")
        self.assertIn("running", self.pawl("why", "e1/gate").stdout)
        self.assertIn(f"process {process.pid}", self.pawl("verify", code=3).stderr)
        self.open_gate()
        self.assertEqual(self.finish(process, 0)[0], "open\n")

    def test_a_relative_directory_begins_where_it_was_submitted(self):
        process, _ = self.begin()
        for folder in ("sub", "elsewhere/sub", "elsewhere/given"):
            self.write(folder + "/name", folder + "\n")
        flow = self.write("where.yaml", "name: where\ninput: {dir: null}\nnodes:\n"
                                        "  a: {run: cat name, directory: sub, files: {it: name}}\n"
                                        "  b: {run: cat name, directory: './${ .input.dir }'}\n"
                                        "  c: {run: cat name, directory: '${ .input.dir }'}\n"
                                        "output: ${ [.nodes.a.output, .nodes.b.output, .nodes.c.output] }\n")
        there = self.place / "elsewhere"
        self.write("given/name", "given of the holder\n")
        absolute = self.write("absolute.yaml", "name: x\nnodes: {a: {run: cat name, directory: '${ .input.dir }'}}\n"
                                               "output: ${ .nodes.a.output }\n")
        state = self.place / ".pawl"
        done = self.pawl("run", flow, "--state", state, "-i", "dir=given", cwd=there)
        self.assertEqual(json.loads(done.stdout), [
            {"stdout": "elsewhere/sub", "files": {"it": f"{there}/sub/name"}}, "elsewhere/given", "elsewhere/given"])
        done = self.pawl("run", absolute, "--state", state, "-i", f"dir={self.place}/given", cwd=there)
        self.assertEqual(done.stdout, "given of the holder\n")
        here = json.loads(self.pawl("run", flow, "-i", "dir=given").stdout)
        self.assertEqual(here[0], {"stdout": "sub", "files": {"it": f"{self.place}/sub/name"}})
        self.open_gate()
        self.finish(process, 0)

    def test_ctrl_c_of_a_watcher_only_detaches(self):
        first, _ = self.begin()
        self.write("one.yaml", f"name: one\nnodes:\n  a:\n    run: |\n      echo x > {self.gate}\n"
                               "      until [ -e go ]; do sleep 0.05; done\n")
        second = self.start("run", "one.yaml", "-j", "2")
        self.heard(self.gate)
        self.said(second, "e2 ")  # it watches
        self.interrupt(second)
        _, err = self.finish(second, 130)
        self.assertIn(f"goes on in process {first.pid}", err)
        self.open_gate()
        self.finish(first, 0)

    def test_a_watcher_goes_on_where_the_holder_died(self):
        first, _ = self.begin()
        second = self.start("resume", "e1")
        self.assertIn("e1 ", second.stderr.readline())  # it watches
        first.kill()
        first.wait()
        self.open_gate()
        out, err = self.finish(second, 0)
        self.assertEqual(out, "open\n")
        self.assertIn("going on here", err)

    def test_each_goes_on_where_the_holder_died(self):
        first, _ = self.begin("-j4")
        second = self.start("each", "[ {} = 1 ] || until [ -e go ]; do sleep 0.05; done; echo B{}", ":::", 1, 2, 3)
        self.assertEqual(second.stdout.readline(), "B1\n")
        first.kill()
        first.wait()
        self.open_gate()
        out, err = self.finish(second, 0)
        self.assertEqual(out, "B2\nB3\n", "what is printed is not printed again")
        self.assertIn("going on here", err)

    def test_logs_follow_over_the_end_of_the_holder(self):
        self.write("talk.yaml", f"name: talk\nnodes: {{a: {{run: 'echo first; echo x > {self.gate}; sleep 100'}}}}\n")
        first = self.start("run", "talk.yaml")
        self.heard(self.gate)
        logs = self.start("logs", "e1", "-f")
        self.assertIn("==>", logs.stdout.readline())
        first.kill()
        first.wait()
        _, err = self.finish(logs, 0)
        self.assertIn("has ended", err)

    def test_an_each_that_is_done_serves_its_visitors(self):
        first = self.start("each", f"echo {{}} > {self.gate}; until [ -e done_here ]; do sleep 0.05; done", ":::", 1)
        self.heard(self.gate)
        second = self.start("run", "gated.yaml", "-i", f"fifo={self.gate}")
        self.heard(self.gate)
        (self.place / "done_here").touch()
        self.said(first, "wait for their executions here")
        self.open_gate()
        self.assertEqual(self.finish(second, 0)[0], "open\n")
        self.finish(first, 0)
        gate = next(n for n in self.json("show", "e2")["NodeStates"] if n["NodeID"] == "gate")
        self.assertEqual(gate["Attempts"], 1)

    def leave_to_the_holder(self):
        """A holder that has done its own, and goes on with what was left to it."""
        first, _ = self.begin("-j3")
        other = self.fifo("other")
        self.write("left.yaml", f"name: left\nnodes:\n  a:\n    run: |\n      echo x > {other}\n"
                                "      until [ -e stay ]; do sleep 0.05; done\n")
        self.assertEqual(self.pawl("run", "--detach", "left.yaml").stdout, "e2\n")
        self.heard(other)
        self.open_gate()
        self.assertIn("e2", self.said(first, "left to this process"))
        return first

    def test_what_is_detached_is_done_before_the_holder_ends(self):
        first = self.leave_to_the_holder()
        (self.place / "stay").touch()
        self.assertEqual(self.finish(first, 0)[0], "open\n")
        self.assertEqual(self.json("show", "e2")["Status"], "succeeded")

    def test_ctrl_c_says_what_was_left(self):
        first = self.leave_to_the_holder()
        self.interrupt(first)
        self.assertIn("unfinished here: e2; go on with: pawl resume", self.finish(first, 0)[1])

    def test_ctrl_c_of_each_says_how_its_outputs_come(self):
        each = self.start("each", f"echo {{}} > {self.gate}; until [ -e go ]; do sleep 0.05; done", ":::", 1)
        self.heard(self.gate)
        self.interrupt(each)
        self.assertIn("Go on with: pawl each --resume e1", self.finish(each, 130)[1])

    def test_cancel_from_outside(self):
        process, pid = self.begin()
        self.assertIn("cancelled 1", self.pawl("cancel", "e1", "--reason", "enough").stdout)
        self.finish(process, 1)
        self.assertFalse(alive(pid))
        self.assertIn("enough", self.pawl("history", "e1").stdout)

    def test_logs_follow(self):
        self.write("talk.yaml", "name: talk\nnodes:\n  a:\n    run: |\n      echo first\n"
                                f"      echo x > {self.gate}\n      until [ -e go ]; do sleep 0.05; done\n      echo last\n")
        run = self.start("run", "talk.yaml")
        self.heard(self.gate)
        logs = self.start("logs", "e1", "-f")
        self.assertIn("stdout", logs.stdout.readline())
        self.assertEqual(logs.stdout.readline(), "first\n")
        self.open_gate()
        self.assertIn("last", self.finish(logs, 0)[0])
        self.finish(run, 0)

    def test_what_another_finished_meanwhile_is_printed_by_resume(self):
        each = self.start("each", f"echo {{}} > {self.gate}; until [ -e go ]; do sleep 0.05; done; echo {{}}", ":::", 1)
        self.heard(self.gate)
        self.interrupt(each)
        self.finish(each, 130)
        gate = threading.Thread(target=self.heard, args=[self.gate])
        gate.start()
        self.write("go", "")
        self.pawl("resume", "e1")
        gate.join()
        self.assertEqual(self.pawl("each", "--resume", "e1").stdout, "1\n")
        self.assertEqual(self.pawl("each", "--resume").stdout, "1\n")

    def test_each_goes_on_after_kill_9(self):
        command = f'[ {{}} != 5 ] || [ -e go ] || {{ echo $$ > {self.gate}; sleep 100; }}; echo {{}} | tee -a done'
        process = self.start("each", "-j1", command, ":::", *range(10))
        self.heard(self.gate)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        self.open_gate()
        self.assertEqual(self.pawl("each", "--resume").stdout.split(), [str(i) for i in range(10)])
        done = (self.place / "done").read_text().split()
        self.assertEqual(sorted(set(done)), [str(i) for i in range(10)])
        self.assertLess(len(done), 15, "only what was not yet reported is done again")


if __name__ == "__main__":
    unittest.main()
