"""Bad input and bad days: each gets a clear error or does what is documented, and nothing accepted is lost."""

import os
import shutil
import subprocess
import sys
import unittest

from pawl_case import PAWL, PATIENCE, PawlCase, alive

ONE = "name: one\nnodes: {a: {run: echo fine}}\noutput: ${ .nodes.a.output }\n"
ROOT = os.geteuid() == 0


class BadDaysTest(PawlCase):
    def refused(self, text, *parts, name="bad.yaml"):
        self.write(name, text)
        errors = self.pawl("run", name, code=2).stderr
        for part in parts:
            self.assertIn(part, errors)

    def test_malformed_yaml(self):
        self.refused("name: x\nnodes:\n  a: {run: [\n", "bad.yaml:")
        self.refused("\x00\x01\x02", "bad.yaml:1:")
        self.refused("", "bad.yaml:1:1")
        self.refused('{"name": "x", "nodes": {"a": {"run": 1}}', "bad.json:", name="bad.json")

    def test_unknown_nodes_and_cycles(self):
        self.refused("name: x\nnodes:\n  list: {run: ls}\n  b: {needs: [lst], run: ls}\n",
                     'bad.yaml:4:', 'did you mean "list"?')
        self.refused("name: x\nnodes:\n  a: {needs: [b], run: ls}\n  b: {needs: [a], run: ls}\n", "a", "b")

    def test_a_definition_of_100_mb(self):
        path = self.place / "huge.yaml"
        with open(path, "w") as file:
            file.write(ONE + "#")
            file.truncate(100 << 20)
        errors = self.pawl("run", path, code=2).stderr
        self.assertIn("larger than the limit of 1048576 bytes", errors)

    def test_a_missing_file(self):
        self.assertIn("No such file", self.pawl("run", "none.yaml", code=2).stderr)

    def test_a_node_printing_a_gigabyte(self):
        self.write("flood.yaml", "name: flood\nnodes:\n  a: {run: head -c 1G /dev/zero, output: none}\n")
        self.pawl("run", "flood.yaml")
        kept = sum(file.stat().st_size for file in (self.place / ".pawl/output").rglob("*") if file.is_file())
        self.assertLess(kept, 80 << 20)
        self.write("flood.yaml", "name: flood\nnodes:\n  a: {run: head -c 200M /dev/zero}\n")
        self.assertIn("output: none", self.pawl("run", "flood.yaml", code=1).stderr)

    def test_a_program_that_ignores_term(self):
        self.write("stubborn.yaml", "name: x\nnodes:\n  a:\n    timeout: 100ms\n    run: |\n"
                                    "      trap '' TERM; echo $$ > pid; while :; do sleep 0.1; done\n")
        self.assertIn("timeout", self.pawl("run", "stubborn.yaml", code=1).stderr)
        self.assertFalse(alive((self.place / "pid").read_text().strip()))

    def test_no_state_directory(self):
        for verb in (["list"], ["show", "e1"], ["resume"], ["verify"], ["logs", "e1"], ["why", "e1"],
                     ["cancel", "e1"], ["dead-letters"], ["history", "e1"]):
            errors = self.pawl(*verb, code=3).stderr
            self.assertIn("there is no state directory .pawl", errors, verb)
        self.assertFalse((self.place / ".pawl").exists())

    def test_a_state_directory_that_cannot_be_made(self):
        self.write("one.yaml", ONE)
        self.write("file", "")
        self.assertIn("file", self.pawl("run", "one.yaml", "--state", "file/x", code=3).stderr)

    @unittest.skipUnless(ROOT, "SKIPPED LOUDLY: needs root to mount")
    def test_a_read_only_directory(self):
        self.write("one.yaml", ONE)
        self.pawl("run", "one.yaml")
        shutil.copytree(self.place / ".pawl", self.place / "copy", ignore=shutil.ignore_patterns("*.sock"))
        self.in_mount_namespace("mount -t tmpfs none mnt && cp -r copy mnt/s && mount -o remount,ro mnt", """
            "$PAWL" run one.yaml --state mnt/s; test $? = 3
        """, "read-only")

    @unittest.skipUnless(ROOT, "SKIPPED LOUDLY: needs root to mount")
    def test_a_full_disk(self):
        self.write("one.yaml", ONE)
        out = self.in_mount_namespace("truncate -s 900M image && mkfs.ext4 -q image && mount -o loop image mnt", """
            "$PAWL" run one.yaml --state mnt/s || exit 1
            fallocate -l $(( $(df --output=avail -B1 mnt | tail -n 1) - 4096 )) mnt/ballast
            "$PAWL" run one.yaml --state mnt/s 2> said & run=$!
            until grep -q "waiting for room: .*almost full" said; do kill -0 $run || exit 1; done
            rm mnt/ballast
            wait $run || exit 1
            "$PAWL" verify --state mnt/s
        """, "")
        self.assertIn("verified: no problems", out)

    def test_what_cannot_be_mounted_is_skipped_and_says_why(self):
        """As in a chroot, whose / is no mount point."""
        unshare = self.write("bin/unshare", "#!/bin/sh\necho 'cannot change root propagation' >&2; exit 1\n")
        unshare.chmod(0o755)
        self.environment["PATH"] = f"{unshare.parent}:{self.environment['PATH']}"
        with self.assertRaisesRegex(unittest.SkipTest, "SKIPPED LOUDLY: .*cannot change root propagation"):
            self.in_mount_namespace("true", "true", "")

    def in_mount_namespace(self, mount, script, message):
        probe = subprocess.run(["unshare", "-m", "true"], env=self.environment, capture_output=True, text=True)
        if probe.returncode != 0:
            self.skipTest("SKIPPED LOUDLY: no mount namespace of its own here: " + probe.stderr.strip())
        (self.place / "mnt").mkdir()
        done = subprocess.run(["unshare", "-m", "sh", "-c", f"{mount} || exit 77\n{script}"], cwd=self.place,
                              env={**self.environment, "PAWL": PAWL}, capture_output=True, text=True,
                              timeout=PATIENCE)
        if done.returncode == 77:
            self.skipTest("SKIPPED LOUDLY: cannot mount here: " + done.stderr)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(message, (done.stdout + done.stderr).lower())
        return done.stdout

    def log_file(self):
        return max((self.place / ".pawl/log").glob("segment-*"), key=lambda path: path.name)

    def run_one(self, times=3):
        self.write("one.yaml", ONE)
        for _ in range(times):
            self.pawl("run", "one.yaml")

    def test_a_corrupt_log(self):
        self.run_one()
        with open(self.log_file(), "r+b") as file:
            file.seek(8192 + 100)
            byte = file.read(1)
            file.seek(8192 + 100)
            file.write(bytes([byte[0] ^ 1]))
        for verb, code in ((["run", "one.yaml"], 3), (["list"], 3), (["verify"], 1)):
            done = self.pawl(*verb, code=code)
            self.assertRegex(done.stdout + done.stderr, r"log/segment-\d+ at offset \d+")

    def test_a_truncated_log(self):
        self.run_one()
        os.truncate(self.log_file(), 8192)
        self.assertIn("log/segment-", self.pawl("list", code=3).stderr)
        self.assertIn("problem", self.pawl("verify", code=1).stdout)

    def test_a_missing_log_file(self):
        self.run_one()
        self.log_file().unlink()
        self.assertIn("log", self.pawl("list", code=3).stderr)

    def test_a_newer_format(self):
        self.run_one(1)
        view = self.place / ".pawl/view/gen-00000000000000000001"
        view.mkdir(parents=True)
        (view / "FORMAT").write_text("pawl-view 99\n")
        self.assertIn("newer", self.pawl("list", code=3).stderr)

    def test_a_payload_that_was_changed(self):
        self.write("big.yaml", "name: big\nnodes: {a: {run: head -c 100000 /dev/zero | tr '\\\\0' x}}\n")
        self.pawl("run", "big.yaml")
        blob = next(path for path in (self.place / ".pawl/blob").rglob("*") if path.is_file())
        text = bytearray(blob.read_bytes())
        text[500] ^= 1
        blob.write_bytes(bytes(text))
        self.assertIn("blob", self.pawl("verify", code=1).stdout)

    def test_20000_processes_wanted_at_once(self):
        done = subprocess.run([PAWL, "each", "-j", "20000", "echo"], input="".join(f"{i}\n" for i in range(2000)),
                              cwd=self.place, env=self.environment, capture_output=True, text=True, timeout=PATIENCE,
                              preexec_fn=few_descriptors)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.split(), [str(i) for i in range(2000)])

    def test_a_program_that_does_not_exist(self):
        self.write("none.yaml", "name: x\nnodes: {a: {command: [no-such-program]}}\n")
        self.assertIn("no-such-program", self.pawl("run", "none.yaml", code=1).stderr)


def few_descriptors():
    import resource
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))


if __name__ == "__main__":
    if not ROOT:
        print("SKIPPED LOUDLY: the tests that mount need root", file=sys.stderr)
    unittest.main()
