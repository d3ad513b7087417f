"""A disk that fails and then works again: nothing is acknowledged after the first error, and nobody hangs.

An ext4 image lies on a memory file system that fills up underneath: the loop device cannot write back,
and writes of the log answer EIO (newer kernels pass ENOSPC on for direct ones). Once there is room again the same write would succeed, and forget what was
lost in between; a holder that went on would acknowledge work that is not there.
"""

import errno
import json
import os
import re
import socket
import struct
import subprocess
import sys
import unittest

from pawl_case import PATIENCE, PawlCase, alive, mount_alone

ONE = "name: one\nnodes: {a: {run: echo fine}}\noutput: ${ .nodes.a.output }\n"
GATED = """\
name: gated
input: {fifo: null}
nodes:
  gate:
    run: |
      echo $$ > ${ .input.fifo }
      while :; do sleep 0.05; done
"""


class Caller:
    """The protocol of docs/api.md, on a connection that stays."""

    def __init__(self, directory):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(directory / "pawl.sock"))
        self.send({"pawl": 1})
        assert self.receive() == {"pawl": 1}

    def send(self, value):
        data = json.dumps(value).encode()
        self.socket.sendall(struct.pack("<I", len(data)) + data)

    def bytes(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                return None
            data += more
        return data

    def receive(self):
        """The next frame; None once the other side has hung up."""
        header = self.bytes(4)
        return header and json.loads(self.bytes(struct.unpack("<I", header)[0]))

    def submit(self, ticket, request_id):
        self.send({"ticket": ticket, "call": "submit", "with": {
            "definition": ONE, "file_name": "one.yaml", "request_id": request_id}})


class FailingDiskTest(PawlCase):
    @classmethod
    def setUpClass(cls):
        mount_alone()

    def setUp(self):
        super().setUp()
        self.small, self.mount = self.place / "small", self.place / "mnt"
        self.image, self.ballast = self.small / "image", self.small / "ballast"
        self.state = self.mount / "state"
        self.small.mkdir()
        self.mount.mkdir()
        self.must("mount", "-t", "tmpfs", "-o", "size=256M", "none", self.small)
        self.addCleanup(subprocess.run, ["umount", "-l", str(self.small)])
        with open(self.image, "wb") as image:
            image.truncate(900 << 20)
        self.must("mkfs.ext4", "-q", self.image)
        self.attach()
        self.addCleanup(subprocess.run, ["umount", "-l", str(self.mount)], stderr=subprocess.DEVNULL)
        self.write("one.yaml", ONE)
        self.write("gated.yaml", GATED)

    def must(self, *command):
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
        if done.returncode != 0 and command[0] == "mount":
            self.skipTest(f"SKIPPED LOUDLY: cannot mount here: {done.stderr}")
        self.assertEqual(done.returncode, 0, done.stderr)

    def attach(self):
        self.must("mount", "-o", "loop", self.image, self.mount)

    def detach(self):
        self.must("umount", self.mount)

    def break_disk(self):
        """From here on no block can be written that holds only zeros: the log's next one is such."""
        self.must("sync", "-f", self.mount)
        self.must("fallocate", "--dig-holes", self.image)
        with open(self.ballast, "wb", buffering=0) as ballast:
            try:
                while ballast.write(bytes(64 << 10)):
                    pass
            except OSError as full:
                self.assertEqual(full.errno, errno.ENOSPC)

    def mend_disk(self):
        self.ballast.unlink()

    def run_one(self, request_id, **options):
        return self.pawl("run", "one.yaml", "--state", self.state, "--request-id", request_id, **options)

    def caller(self):
        caller = Caller(self.state)
        self.addCleanup(caller.socket.close)
        return caller

    def hold(self):
        """A holder that works at a task without end, and its process id."""
        fifo = self.fifo()
        holder = self.start("run", "gated.yaml", "-i", f"fifo={fifo}", "--state", self.state)
        return holder, int(self.heard(fifo))

    def test_a_server_whose_partition_stops_ends_as_a_whole(self):
        server, _ = self.server("--state", self.state, "--partitions", "2", "--jobs", "1")
        requests = [f"before-{number}" for number in range(6)]
        for request in requests:
            self.run_one(request)
        caller = self.caller()
        self.break_disk()
        caller.submit(1, "lost")
        answer = caller.receive()  # none: another partition stopped first, and the server hung up
        self.assertTrue(answer is None or answer["error"]["code"] == "UNKNOWN", answer)
        _, errors = self.finish(server, 3)
        self.assertIn("can take nothing more", errors)
        self.mend_disk()
        self.detach()
        self.attach()
        self.assertIn("verified: no problems", self.pawl("verify", "--state", self.state).stdout)
        known = self.json("list", "--state", self.state)["executions"]
        self.assertEqual(sum(one["status"] == "succeeded" for one in known), len(requests))

    def test_nothing_is_acknowledged_after_a_failed_sync(self):
        self.run_one("before")
        holder, task = self.hold()
        caller = self.caller()
        self.break_disk()
        caller.submit(1, "lost")
        answer = caller.receive()
        self.assertEqual(answer["error"]["code"], "UNKNOWN", answer)
        self.assertIn("the partition has stopped", answer["error"]["message"])
        self.mend_disk()
        try:  # a write would succeed again; whoever took it would lie
            caller.submit(2, "later")
            later = caller.receive()
        except OSError:
            later = None
        self.assertTrue(later is None or later["error"]["code"] == "UNKNOWN", later)
        _, errors = self.finish(holder, 3)  # although a client is still connected
        self.assertRegex(errors, r"(?s)partition has stopped.*log/segment-\d+: (Input/output|No space)")
        self.assertFalse(alive(task))
        self.detach()
        self.attach()
        self.assertIn("verified: no problems", self.pawl("verify", "--state", self.state).stdout)
        known = self.json("list", "--state", self.state)["executions"]
        self.assertIn(("e1", "succeeded"), [(one["id"], one["status"]) for one in known])
        self.assertIn(("e2", "running"), [(one["id"], one["status"]) for one in known])
        before = len(known)
        self.run_one("before")  # known: nothing new
        self.run_one("later")   # never accepted: new
        self.assertEqual(len(self.json("list", "--state", self.state)["executions"]), before + 1)

    def test_whoever_waits_is_told_and_no_verb_hangs(self):
        self.run_one("before")
        holder, _ = self.hold()
        watchers = [self.start(*words, "--state", self.state)
                    for words in (["resume", "e2"], ["logs", "e2", "-f"])]
        caller = self.caller()
        for ticket, call in enumerate(("await", "get_execution"), 1):
            caller.send({"ticket": ticket, "call": call, "with": {"execution": "e2"}})
        self.assertEqual(caller.receive()["ticket"], 2)
        for watcher in watchers[:1]:
            self.assertIn("e2", watcher.stderr.readline())
        self.break_disk()
        self.assertRegex(self.run_one("lost", code=1).stderr, "partition has stopped|has gone")
        self.assertEqual(caller.receive()["error"]["code"], "UNKNOWN")
        self.finish(holder, 3)
        for watcher in watchers:
            _, errors = watcher.communicate(timeout=PATIENCE)
            self.assertIn(watcher.returncode, (1, 3), errors)
            self.assertRegex(errors, "partition has stopped|has gone|cannot|Input/output error")
        for verb in (["list"], ["show", "e1"], ["history", "e1"], ["why", "e2/gate"], ["logs", "e2"],
                     ["cancel", "e2"], ["dead-letters"], ["dead-letters", "redrive", "e1"], ["resume"],
                     ["run", "one.yaml"], ["each", "echo", ":::", "x"]):
            errors = self.pawl(verb[0], "--state", self.state, *verb[1:], code=3).stderr
            self.assertTrue(re.search(r"Input/output error|Read-only file system|No space left", errors), f"{verb}: {errors}")


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("SKIPPED LOUDLY: the tests that mount need root", file=sys.stderr)
    unittest.main()
