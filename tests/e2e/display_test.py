"""What stands on a terminal: a live region that cleans up after itself, and plain lines elsewhere."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import unittest

from pawl_case import PAWL, PATIENCE, PawlCase

FLOW = """\
name: flow
nodes:
  first:
    run: |
      echo '0.5 half way' >&3
      read x < gate
  second: {needs: [first], for_each: 20, run: "sleep 0.02"}
"""


class Screen:
    """As much of a terminal as is needed: lines, moves up, erasing."""

    def __init__(self):
        self.lines, self.row, self.column = [""], 0, 0

    def feed(self, text):
        for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|[^\x1b]", text):
            if part == "\n":
                self.row += 1
                if self.row == len(self.lines):
                    self.lines.append("")
            elif part == "\r":
                self.column = 0
            elif part.startswith("\x1b"):
                self.move(part[2:-1], part[-1])
            else:
                line = self.lines[self.row].ljust(self.column)
                self.lines[self.row] = line[:self.column] + part + line[self.column + 1:]
                self.column += 1

    def move(self, number, letter):
        if letter == "A":
            self.row = max(0, self.row - int(number or 1))
        elif letter == "K":
            self.lines[self.row] = self.lines[self.row][:self.column]
        elif letter == "J":
            self.lines[self.row] = self.lines[self.row][:self.column]
            del self.lines[self.row + 1:]

    def text(self):
        return "\n".join(line.rstrip() for line in self.lines).strip()


class DisplayTest(PawlCase):
    def on_terminal(self, words, until=None, then=None, steps=(), **environment):
        """Everything that reaches a terminal of 80 columns, and the exit code. What is to be done when: `then` when
        `until` has been seen, or steps of such, each behind the one before."""
        steps = list(steps or ([(until, then)] if until else []))
        looked_at = 0
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        process = subprocess.Popen([PAWL, *words], cwd=self.place, stdin=theirs, stdout=theirs, stderr=theirs,
                                   env={**self.environment, "TERM": "xterm", **environment}, start_new_session=True)
        os.close(theirs)
        seen = b""
        while True:
            try:
                more = os.read(ours, 65536)
            except OSError:
                break
            seen += more
            while steps and steps[0][0] in seen[looked_at:]:
                sought, act = steps.pop(0)
                looked_at = seen.index(sought, looked_at) + len(sought)
                if act:
                    act(ours)
        os.close(ours)
        return seen.decode(), process.wait(timeout=PATIENCE)

    def gated(self):
        self.write("flow.yaml", FLOW)
        gate = self.fifo("gate")

        def open_gate(terminal):
            fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 30, 0, 0))
            gate.write_text("go\n")
        return open_gate

    def test_the_region_shows_progress_and_goes_away(self):
        seen, code = self.on_terminal(["run", "flow.yaml"], b"half way", self.gated())
        self.assertEqual(code, 0, seen)
        self.assertIn("\x1b[32m", seen)
        screen = Screen()
        screen.feed(seen)
        text = screen.text()
        self.assertRegex(text, r"^e1 flow succeeded in .*: 21 tasks done")
        self.assertNotIn("half way", text)

    def test_no_color(self):
        seen, _ = self.on_terminal(["run", "flow.yaml"], b"half way", self.gated(), NO_COLOR="1")
        self.assertNotRegex(seen, r"\x1b\[[0-9;]*m")

    def test_a_dumb_terminal_gets_lines(self):
        seen, _ = self.on_terminal(["run", "flow.yaml"], b"first: running", self.gated(), TERM="dumb")
        self.assertNotIn("\x1b", seen)
        self.assertIn("e1 flow succeeded", seen)

    def test_outputs_of_each_stand_above_the_region(self):
        seen, code = self.on_terminal(["each", "-j2", "sleep 0.05; echo out {}", ":::", *map(str, range(12))])
        self.assertEqual(code, 0)
        screen = Screen()
        screen.feed(seen)
        self.assertEqual(screen.text().split("\n"), [f"out {i}" for i in range(12)])

    def test_top_is_redrawn_until_q(self):
        self.server("--jobs", "1")
        self.pawl("each", "echo", "{}", ":::", "a", "b")

        def type_q(terminal):
            self.assertFalse(termios.tcgetattr(terminal)[3] & termios.ECHO)
            os.write(terminal, b"q")

        seen, code = self.on_terminal(["top"], b"succeeded", type_q)
        self.assertEqual(code, 0, seen)
        self.assertIn("0 open executions", seen)
        self.assertRegex(seen, r"processes +connected +1")
        self.assertRegex(seen, r"default +open +0")
        screen = Screen()
        screen.feed(seen)
        self.assertEqual(screen.text(), "")

    def test_top_outlives_the_server(self):
        server = self.start("server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0")
        url = self.said(server, "clients at").rsplit(" ", 1)[1].strip()

        def start_anew(terminal):
            server.kill()
            server.wait()
            again = self.start("server", "--listen", "127.0.0.1:0", "--http", url.removeprefix("http://"))
            self.said(again, "workers at")

        def type_q(terminal):
            os.write(terminal, b"q")

        steps = [(b"open executions", start_anew), (b"again", None), (b"open executions", type_q)]
        seen, code = self.on_terminal(["top", "--server", url], steps=steps)
        self.assertEqual(code, 0, seen)
        self.assertIn("the connection to " + url + " has broken; trying again", seen)

    def test_top_is_printed_once_where_nobody_is(self):
        self.pawl("each", "echo", "{}", ":::", "a", "b")
        seen, code = self.on_terminal(["top"])
        self.assertEqual(code, 0, seen)
        self.assertIn("no worker is connected", seen)
        self.assertIn("e1", self.pawl("top").stdout)

    def test_running_are_those_that_run(self):
        self.write("flow.yaml", 'name: flow\nnodes: {all: {for_each: 9, run: "read x < gate"}}')
        gate = self.fifo("gate")
        process = self.start("run", "flow.yaml", "--jobs", "2")
        line = ""
        while "2 running" not in line:
            line = process.stderr.readline()
            self.assertNotRegex(line, r" (?:[3-9]|\d\d) running")
        self.assertRegex(self.pawl("show", "e1").stdout, r"all +running +0/9 +2 ")
        self.interrupt(process)
        self.finish(process, 130)

    def test_no_escapes_in_a_pipe(self):
        self.write("flow.yaml", FLOW)
        gate = self.fifo("gate")
        process = self.start("run", "flow.yaml")
        while "first: running" not in process.stderr.readline():
            pass
        gate.write_text("go\n")
        out, err = self.finish(process, 0)
        self.assertNotIn("\x1b", out + err)


if __name__ == "__main__":
    unittest.main()
