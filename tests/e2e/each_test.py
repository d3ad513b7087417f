"""`pawl each`, as the users of xargs and GNU parallel know it."""

import os
import re
import subprocess
import unittest

from pawl_case import PAWL, PATIENCE, REPOSITORY, PawlCase


class EachTest(PawlCase):
    def test_outputs_are_whole_and_in_order(self):
        out = self.pawl("each", "-j4", "x={}; seq $x $((x + 1))", ":::", *range(100)).stdout
        self.assertEqual(out, "".join(f"{i}\n{i + 1}\n" for i in range(100)))

    def test_stderr_is_passed_on(self):
        done = self.pawl("each", "echo out {}; echo err {} >&2", ":::", "a", "b")
        self.assertEqual(done.stdout, "out a\nout b\n")
        self.assertEqual(done.stderr, "err a\nerr b\n")

    def test_placeholders(self):
        done = self.pawl("each", "echo {} {.} {/} {//} {/.} {#}", ":::", "/x/y.tar.gz", "z z.txt")
        self.assertEqual(done.stdout, "/x/y.tar.gz /x/y.tar y.tar.gz /x y.tar 1\nz z.txt z z z z.txt . z z 2\n")

    def test_items_from_standard_input(self):
        self.assertEqual(self.pawl("each", "echo", text="a b\nc\n\n").stdout, "a b\nc\n")
        self.assertEqual(self.pawl("each", "-0", "echo", "[{}]", text="a\nb\0c").stdout, "[a\nb]\n[c]\n")
        self.assertEqual(self.pawl("each", "-0", "echo", "[{}]", text="c\0\0d").stdout, "[c]\n[]\n[d]\n")
        self.assertEqual(self.pawl("each", "echo", text="").stdout, "")

    def test_nothing_of_an_item_reaches_the_shell(self):
        evil = "$(touch stolen); `touch stolen` 'x' \"y\" | & > z"
        self.assertEqual(self.pawl("each", "echo {}", ":::", evil).stdout, evil + "\n")
        self.assertEqual(self.pawl("each", "echo", "{}", ":::", evil).stdout, evil + "\n")
        self.assertFalse((self.place / "stolen").exists())

    def test_placeholders_inside_quotes_are_refused(self):
        for line in ('echo "{}"', "echo '{}'", "echo `echo {}`", "cat <<E\n{}\nE", "echo $(({} + 1))"):
            done = self.pawl("each", line, ":::", "$(touch stolen)", code=2)
            self.assertIn("{} stands ", done.stderr)
        self.assertFalse((self.place / "stolen").exists())
        self.assertFalse((self.place / ".pawl").exists())
        self.assertEqual(self.pawl("each", 'x={}; echo "a $x"', ":::", "$(b)").stdout, "a $(b)\n")

    def test_the_users_own_braces(self):
        self.assertEqual(self.pawl("each", "X=5; echo ${X} $X {}", ":::", "a").stdout, "5 5 a\n")
        self.assertEqual(self.pawl("each", "printf", "%s-${HOME}-%s\\n", "{}", "b", ":::", "a").stdout,
                         "a-${HOME}-b\n")

    def test_failures(self):
        done = self.pawl("each", "test {} != b", ":::", "a", "b", "c", code=1)
        self.assertIn("1 of 3 failed", done.stderr)
        self.assertIn("b: exit code 1", done.stderr)
        self.assertIn("pawl each --resume", done.stderr)

    def test_failed_items_are_done_later(self):
        command = "test -e {} && echo {} is there"
        self.write("a", "")
        self.pawl("each", command, ":::", "a", "b", code=1)
        self.write("b", "")
        self.assertEqual(self.pawl("each", "--resume").stdout, "a is there\nb is there\n")
        self.assertEqual(self.pawl("each", "--resume").stdout, "a is there\nb is there\n")

    def test_resume_takes_the_newest_or_the_one_that_is_named(self):
        self.assertIn("no `pawl each` in", self.pawl("each", "--resume", code=1).stderr)
        self.pawl("each", "test -e {} && echo old {}", ":::", "a", code=1)
        done = self.pawl("each", "test -e {} && echo {}", ":::", "b", code=1)
        self.assertIn("try them again: pawl each --resume e2\n", done.stderr)
        self.pawl("each", "echo {}", ":::", "c")
        self.write("a", "")
        self.assertEqual(self.pawl("each", "--resume").stdout, "c\n")
        self.assertEqual(self.pawl("each", "--resume", "e1").stdout, "old a\n")
        self.write("b", "")
        state = self.place / ".pawl"
        self.assertEqual(self.pawl("each", "--resume", "e2", "--state", state, "-j", 1).stdout, "b\n")
        self.assertEqual(self.pawl("each", "--resume", "e2").stdout, "b\n")
        self.pawl("run", REPOSITORY / "examples/wordcount.yaml", "--input", f"dir={REPOSITORY}/examples")
        self.assertIn("e4 is no `pawl each`", self.pawl("each", "--resume", "e4", code=1).stderr)

    def test_outputs_that_could_not_be_printed_are_printed_later(self):
        for words in ("echo result {}", "echo result {}; head -c 300000 /dev/zero | tr '\\0' x"):
            full = os.open("/dev/full", os.O_WRONLY)
            done = subprocess.run([PAWL, "each", words, ":::", "1", "2"], cwd=self.place, env=self.environment,
                                  stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, timeout=PATIENCE)
            os.close(full)
            self.assertEqual(done.returncode, 1, done.stderr)
            said = re.search(rb"pawl (each --resume e[0-9]+)", done.stderr)
            self.assertTrue(said, done.stderr)
            out = self.pawl(*said.group(1).decode().split()).stdout
            self.assertEqual(re.findall("result [0-9]", out), ["result 1", "result 2"])

    def test_resume_takes_nothing_else(self):
        for words, named in ((["echo"], '"echo"'), (["e1", ":::", "a"], '":::"'), (["e1", "e2"], '"e2"'),
                             (["-r", "2"], "--retries"), (["-t", "1"], "--timeout"), (["-a", "x"], "--arg-file"),
                             (["-n"], "--dry-run"), (["-0"], "--null")):
            done = self.pawl("each", "--resume", *words, code=2)
            self.assertIn(f"{named} beside --resume", done.stderr)
        self.assertFalse((self.place / ".pawl").exists())

    def test_cancelled_items_count(self):
        each = self.start("each", "-j1", f"[ {{}} = a ] || exit 0; echo {{}} > {self.fifo()}; read x < go; echo {{}}",
                          ":::", "a", "b", "c")
        os.mkfifo(self.place / "go")
        self.heard(self.place / "fifo")
        self.pawl("cancel", "e1/each[2]")
        (self.place / "go").write_text("go\n")
        out, err = self.finish(each, 1)
        self.assertEqual(out, "a\n")
        self.assertEqual(err.splitlines()[:2], ["pawl: 1 of 3 cancelled", "  c: cancelled"])
        self.assertIn("1 of 3 cancelled", self.pawl("each", "--resume", "e1", code=1).stderr)

    def test_a_cancelled_each_says_why(self):
        each = self.start("each", "-j1", f"[ {{}} = a ] && echo a && exit; echo {{}} > {self.fifo()}; read x < fifo",
                          ":::", "a", "b", "c")
        self.heard(self.place / "fifo")
        self.pawl("cancel", "e1", "--reason", "not today")
        out, err = self.finish(each, 1)
        self.assertEqual(out, "a\n")
        self.assertEqual(err.splitlines()[0], "pawl: e1 was cancelled: not today; 1 of 3 done")
        self.assertNotIn("--resume", err)

    def test_discarded_items_are_named_without_advice(self):
        self.pawl("each", "test {} != b", ":::", "a", "b", code=1)
        self.pawl("dead-letters", "discard", "e1")
        done = self.pawl("each", "--resume", code=1)
        self.assertEqual(done.stderr, "pawl: 1 of 2 failed\n  b: given up: exit code 1\n")

    def test_retries_and_timeouts(self):
        self.pawl("each", "--retries", "2", 'test "$PAWL_ATTEMPT" = 3 || exit 1; true', ":::", "a")
        done = self.pawl("each", "--timeout", "200ms", "sleep", ":::", "100", code=1)
        self.assertIn("timeout", done.stderr)

    def test_dry_run(self):
        done = self.pawl("each", "--dry-run", "gzip -k {}", ":::", "a b", "c")
        self.assertEqual(done.stdout, "gzip -k 'a b'\ngzip -k 'c'\n")
        self.assertFalse((self.place / ".pawl").exists())

    def test_large_outputs(self):
        done = self.pawl("each", "head -c 300000 /dev/zero | tr '\\0' {}", ":::", "a", "b")
        self.assertEqual(done.stdout, "a" * 300000 + "b" * 300000)

    def test_outputs_come_out_byte_for_byte(self):
        wanted = [b"no end", b"one\n", b"two\n\n", b"\n", b"\n\n", b"\xff\xfe\n", b"a\0b\n", b"\xc3", b"", b"x" * 5000,
                  b"x" * 5000 + b"\n\n", "\u00e4\u20ac\U0001f600\n".encode()]
        for number, text in enumerate(wanted):
            (self.place / f"part{number}").write_bytes(text)
        names = [f"part{number}" for number in range(len(wanted))]
        for command in (["cat"], ["cat {} && true"], ["-u", "-j1", "cat"]):
            done = subprocess.run([PAWL, "each", *command, ":::", *names], cwd=self.place, env=self.environment,
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
            self.assertEqual((done.returncode, done.stdout), (0, b"".join(wanted)), command)

    def test_unordered(self):
        done = self.pawl("each", "-u", "-j8", "echo", ":::", *range(300))
        self.assertEqual(sorted(done.stdout.split(), key=int), [str(i) for i in range(300)])

    def test_two_thousand_items(self):
        done = self.pawl("each", "echo", text="".join(f"{i}\n" for i in range(2000)))
        self.assertEqual(done.stdout.split(), [str(i) for i in range(2000)])
        self.assertEqual(done.stderr, "")

    def test_what_is_not_utf_8_is_refused_before_anything_starts(self):
        replaced = self.write("f\ufffd", "")
        done = self.raw("each", "-0", "rm", text=b"a\0f\xff\0")
        self.assertEqual((done.returncode, done.stderr), (2, b"pawl: item 2 is not UTF-8 at byte 2: f\\xff\n"))
        self.assertTrue(replaced.exists())
        self.assertFalse((self.place / ".pawl").exists())
        self.write("one.yaml", "name: one\ninput: {f: null}\nnodes: {a: {run: 'rm ${ .input.f }'}}\n")
        done = self.raw("run", "one.yaml", "--input", b"f=f\xff")
        self.assertEqual((done.returncode, done.stderr), (2, b"pawl: --input f is not UTF-8 at byte 2: f\\xff\n"))

    def test_a_directory_that_is_not_utf_8_is_refused(self):
        there = os.fsencode(self.place) + b"/d\xff"
        os.mkdir(there)
        for words in (["each", "echo", ":::", "a"], ["run", REPOSITORY / "examples/wordcount.yaml"]):
            done = self.raw(*words, cwd=there)
            self.assertEqual(done.returncode, 2)
            self.assertIn(b"the name of the current directory is not UTF-8", done.stderr)
        self.assertEqual(os.listdir(there), [])

    def raw(self, *words, text=b"", cwd=None):
        return subprocess.run([PAWL, *words], cwd=cwd or self.place, env=self.environment, input=text,
                              capture_output=True, timeout=PATIENCE)

    def test_closed_descriptors_are_not_taken_for_files(self):
        for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
            done = subprocess.run(["/bin/sh", "-c", f'"{PAWL}" each "echo {{}}" {closed}'], cwd=self.place,
                                  env=self.environment, input=b"a\n", capture_output=True, timeout=PATIENCE)
            if "<" in closed:
                self.assertEqual(done.returncode, 2, closed)
                self.assertEqual(b"Bad file descriptor" in done.stderr, "2>" not in closed)
            elif closed == ">&-":
                self.assertIn(b"standard output cannot be written", done.stderr)
            else:
                self.assertEqual((done.returncode, done.stdout), (0, b"a\n"))

    def test_a_workflow_of_that_name_is_not_resumed(self):
        self.write("each.yaml", "name: each\nnodes: {one: {run: exit 1}, two: {run: exit 1}}\n")
        self.pawl("run", "each.yaml", code=1)
        self.assertIn("no `pawl each`", self.pawl("each", "--resume", code=1).stderr)

    def test_a_long_item_is_cut_in_the_list_of_failures(self):
        done = self.pawl("each", "test {} = b", text="a" * 100000, code=1)
        self.assertLess(len(done.stderr), 2000)

    def test_usage(self):
        self.assertIn("a command is missing", self.pawl("each", code=2).stderr)
        self.assertIn("--timeout", self.pawl("each", "--timeout", "soon", "true", ":::", "a", code=2).stderr)


if __name__ == "__main__":
    unittest.main()
