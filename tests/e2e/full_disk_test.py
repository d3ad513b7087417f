"""A state directory whose disk is full: what was accepted goes on, and no result that was made is lost.

The disk is a small file system in memory, in a mount namespace of the test's own.
"""

import errno
import subprocess
import unittest

from pawl_case import PawlCase, mount_alone

LARGE = """\
name: large
input: {begun: null, go: null, ran: null}
nodes:
  a:
    run: |
      echo $PAWL_ATTEMPT >> ${ .input.ran }
      if [ $PAWL_ATTEMPT = 1 ]; then
        echo $$ > ${ .input.begun }
        cat ${ .input.go } > /dev/null
      fi
      head -c 200000 /dev/zero | tr '\\0' x
"""


class FullDiskTest(PawlCase):
    @classmethod
    def setUpClass(cls):
        mount_alone()

    def setUp(self):
        super().setUp()
        self.mount = self.place / "mnt"
        self.mount.mkdir()
        self.ballast = self.mount / "ballast"
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=800M", "none", self.mount])
        if mounted.returncode != 0:
            self.skipTest("SKIPPED LOUDLY: cannot mount here")
        self.addCleanup(subprocess.run, ["umount", "-l", str(self.mount)])
        self.write("large.yaml", LARGE)
        self.begun, self.go, self.ran = self.fifo("begun"), self.fifo("go"), self.place / "ran"

    def fill(self):
        with open(self.ballast, "wb", buffering=0) as ballast:
            for piece in (1 << 20, 4096):
                try:
                    while ballast.write(bytes(piece)):
                        pass
                except OSError as full:
                    self.assertEqual(full.errno, errno.ENOSPC)

    def while_it_runs_the_disk_fills_up(self, *where):
        """Starts the large one, and lets its program go on once nothing more can be written."""
        given = {"begun": self.begun, "go": self.go, "ran": self.ran}
        watcher = self.start("run", "-q", "large.yaml", *where,
                             *(f"--input={name}={value}" for name, value in given.items()))
        self.heard(self.begun)
        self.fill()
        self.go.write_text("now")
        with self.assertRaises(subprocess.TimeoutExpired):
            watcher.wait(2)  # its result finds no room
        return watcher

    def test_a_large_result_waits_for_room(self):
        _, address = self.server("--state", self.mount / "state")
        self.worker(address)
        watcher = self.while_it_runs_the_disk_fills_up("--state", self.mount / "state")
        self.ballast.unlink()
        out, _ = self.finish(watcher, 0)
        self.assertIn("x" * 200_000, out)
        self.assertEqual(self.ran.read_text(), "1\n", "it had succeeded, and ran once")

    def test_what_a_program_printed_and_found_no_room_here_is_no_failure_of_its_own(self):
        watcher = self.while_it_runs_the_disk_fills_up("--state", self.mount / "state")
        self.ballast.unlink()
        out, _ = self.finish(watcher, 0)
        self.assertIn("x" * 200_000, out)


if __name__ == "__main__":
    unittest.main()
