"""Files of a newer Pawl, and checkpoints that do not fit to their log: named, and never served."""

import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from log_bytes import LogBytes
from pawl_case import IN_MEMORY, PAWL, PATIENCE, PawlCase

ONE = "name: one\nnodes: {a: {run: echo fine}}\noutput: ${ .nodes.a.output }\n"
# Some 40 MB of results: a checkpoint is taken on the way.
BIG = """\
name: big
input: {text: x}
nodes:
  a: {for_each: 700, transform: '.input.text * 60000'}
output: done
"""
# A group changed by hand has a checksum that is right, and a place in the hash chain that is not.
CHAIN = ("log/segment-000000000001 at offset", "the chain is broken")


def mounts_are_to_be_had():
    return subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0


class ReadOnlyTest(PawlCase):
    @unittest.skipUnless(mounts_are_to_be_had(), "needs a mount namespace")
    def test_a_read_only_directory_is_verified(self):
        self.write("one.yaml", ONE)
        self.pawl("run", "one.yaml")
        script = f'mount --bind .pawl .pawl && mount -o remount,ro,bind .pawl && exec "{PAWL}" verify'
        done = subprocess.run(["unshare", "-m", "sh", "-c", script], cwd=self.place, env=self.environment,
                              capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("verified: no problems", done.stdout)


class NewerTest(PawlCase):
    folder = IN_MEMORY

    def setUp(self):
        super().setUp()
        self.write("one.yaml", ONE)
        self.pawl("run", "one.yaml")
        self.log = self.place / ".pawl/log"
        self.segment = LogBytes(self.log / "segment-000000000001")

    def refused_and_left_alone(self, *parts, verified=None):
        before = {path: path.read_bytes() for path in self.log.iterdir()}
        for verb, code in ((["run", "one.yaml"], 3), (["list"], 3), (["show", "e1"], 3), (["verify"], 1)):
            done = self.pawl(*verb, code=code)
            for part in (verified if verified and verb == ["verify"] else parts):
                self.assertIn(part, done.stdout + done.stderr, verb)
        self.assertEqual(before, {path: path.read_bytes() for path in self.log.iterdir()})

    def test_a_newer_superblock(self):
        superblock = LogBytes(self.log / "superblock")
        superblock.set_superblock(9, b"pawl 7.1.0")
        superblock.save()
        self.refused_and_left_alone("log/superblock", "pawl 7.1.0", "format 9", "use the newer program")

    def test_a_newer_record(self):
        at = self.segment.groups()[1]
        self.segment.set_format(at, 7)
        self.segment.save()
        self.refused_and_left_alone(f"log/segment-000000000001 at offset {at}", "format 7", "use the newer program")

    def test_a_newer_segment(self):
        self.segment.set_format(0, 7)
        self.segment.save()
        self.refused_and_left_alone("log/segment-000000000001", "format 7", "use the newer program")

    def test_a_newer_group(self):
        at = self.segment.groups()[2]
        payload = self.segment.payload(at)
        payload[0] = 5
        self.segment.set_payload(at, payload)
        self.segment.save()
        self.refused_and_left_alone("log: group 3", "format 5", "newer Pawl; use that one", verified=CHAIN)

    def test_a_newer_kind_of_event(self):
        at = self.segment.groups()[0]
        payload = self.segment.payload(at)
        epoch_started, first_epoch = 1, 1
        payload[payload.index(bytes([epoch_started, 17, first_epoch]))] = 99
        self.segment.set_payload(at, payload)
        self.segment.save()
        self.refused_and_left_alone("log: group 1, event 1", "kind 99", "newer Pawl; use that one", verified=CHAIN)

    def test_a_newer_checkpoint(self):
        view = self.place / ".pawl/view/gen-00000000000000000001"
        view.mkdir(parents=True)
        (view / "FORMAT").write_text("pawl-view 99\n")
        self.refused_and_left_alone("view/gen-00000000000000000001/FORMAT", "format 99", "run the newer pawl")

    def test_an_unchanged_copy_is_served(self):
        """The helper's checksums are the log's: writing the same bytes again changes nothing."""
        for at in self.segment.groups():
            self.segment.set_payload(at, self.segment.payload(at))
        self.segment.save()
        self.assertIn("verified: no problems", self.pawl("verify").stdout)


class CheckpointTest(PawlCase):
    """What `pawl verify` compares, on a directory with a checkpoint."""

    folder = IN_MEMORY

    @classmethod
    def setUpClass(cls):
        cls.made = tempfile.TemporaryDirectory(prefix="pawl-e2e-", dir=IN_MEMORY)
        (Path(cls.made.name) / "big.yaml").write_text(BIG)
        subprocess.run([PAWL, "run", "big.yaml"], cwd=cls.made.name, check=True, capture_output=True,
                       timeout=4 * PATIENCE)

    @classmethod
    def tearDownClass(cls):
        cls.made.cleanup()

    def setUp(self):
        super().setUp()
        self.write("one.yaml", ONE)
        self.write("big.yaml", BIG)
        shutil.copytree(f"{self.made.name}/.pawl", self.place / ".pawl",
                        ignore=shutil.ignore_patterns("live", "ballast", "spare-*"))
        self.view = self.place / ".pawl/view"
        self.environment["TMPDIR"] = str(self.place)
        self.assertEqual(len(self.generations()), 1)

    def generations(self, state=".pawl"):
        return sorted(path for path in (self.place / state / "view").iterdir() if path.name.startswith("gen-"))

    def flip(self, path, at):
        data = bytearray(path.read_bytes())
        data[at] ^= 1
        path.write_bytes(bytes(data))

    def problem(self, *parts):
        out = self.pawl("verify", code=1).stdout
        for part in parts:
            self.assertIn(part, out)

    def test_a_clean_directory(self):
        out = self.pawl("verify").stdout
        self.assertIn("every block matches its checksum", out)
        self.assertRegex(out, r"2 ways .* give the same state")
        self.pawl("run", "big.yaml")
        out = self.pawl("verify").stdout
        self.assertIn("the log begins at group", out)
        self.assertRegex(out, r"2 ways .* give the same state")

    def test_a_checkpoint_of_another_state_directory(self):
        """One whose position the log happens to have."""
        foreign = self.place / "foreign"
        (self.place / ".pawl").rename(foreign)
        position = int(self.generations("foreign")[0].name.removeprefix("gen-"))
        self.pawl("run", "big.yaml")
        groups = 0
        while groups <= position:
            self.pawl("run", "one.yaml")
            out = self.pawl("verify").stdout
            groups = int(re.search(r"log: ([\d,]+) groups", out)[1].replace(",", ""))
        shutil.rmtree(self.view)
        shutil.copytree(foreign / "view", self.view)
        self.problem("the checkpoint is of another state directory than the log")
        self.assertIn("do not belong together", self.pawl("list", code=3).stderr)

    def test_a_changed_row(self):
        table = max(self.generations()[0].glob("*.sst"), key=lambda path: path.stat().st_size)
        self.flip(table, table.stat().st_size // 2)
        self.problem("checkpoint at group", table.name)

    def test_a_missing_table(self):
        table = next(self.generations()[0].glob("*.sst"))
        table.unlink()
        self.problem("checkpoint at group", f"{table.stem}.")

    def test_an_older_checkpoint_under_a_newer_name(self):
        older = self.generations()[0]
        older.rename(older.parent / "gen-00000000000000000040")
        self.problem("gen-00000000000000000040", "holds position")

    def test_a_checkpoint_that_the_log_does_not_reach(self):
        self.pawl("run", "one.yaml", "--state", "short")
        shutil.copytree(self.generations()[0], self.place / "short/view" / self.generations()[0].name)
        out = self.pawl("verify", "--state", "short", code=1).stdout
        self.assertIn("does not join the log", out)
        errors = self.pawl("list", "--state", "short", code=3).stderr
        self.assertIn("do not belong together", errors)
        self.assertIn("bring both back from one copy", errors)


if __name__ == "__main__":
    unittest.main()
