"""A server whose `view/` was deleted: the log brings back everything while it begins at its beginning; once it has been
trimmed, a backup does, and nothing is served without one (docs/operations.md)."""

import shutil
import unittest

from pawl_case import IN_MEMORY, PATIENCE, PawlCase

FLOWS = {
    "fine": "name: fine\nnodes: {a: {for_each: 3, run: 'echo $PAWL_ITEM'}}\noutput: ${ .nodes.a.output }\n",
    "broken": "name: broken\nnodes: {a: {for_each: 3, run: 'test $PAWL_ITEM != 1 -o -e mended'}}\noutput: mended\n",
    "waiting": "name: waiting\nnodes: {a: {queue: held, run: echo at last}}\noutput: ${ .nodes.a.output }\n",
    "unwanted": "name: unwanted\nnodes: {a: {queue: held, run: echo never}}\n",
    # 36 MB of results: a checkpoint is taken on the way, and with the second one the log is trimmed.
    "big": "name: big\ninput: {text: x}\nnodes: {a: {for_each: 600, transform: '.input.text * 60000'}}\noutput: done\n",
}


class LostViewTest(PawlCase):
    folder = IN_MEMORY

    def live_a_little(self):
        for name, text in FLOWS.items():
            self.write(f"{name}.yaml", text)
        self.state = self.place / ".pawl"
        self.serve()
        self.pawl("queue", "set", "held", "--pause", "--concurrency", "3")
        self.pawl("run", "fine.yaml", "--label", "team=blue", "--request-id", "once")
        self.pawl("run", "broken.yaml", code=1)
        self.pawl("run", "waiting.yaml", "--detach")
        self.pawl("run", "unwanted.yaml", "--detach")
        self.pawl("cancel", "e4", "--reason", "enough")

    def serve(self):
        self.serving, _ = self.server("--jobs", "2")

    def run_big(self):
        self.pawl("run", "big.yaml", timeout=3 * PATIENCE)

    def checkpoints(self):
        return sorted(path.name for path in (self.state / "view").iterdir() if path.name.startswith("gen-"))

    def told(self):
        """All that the verbs say of every execution, and of what was configured."""
        listed = self.json("list", "--limit", "1000")
        ids = [one["id"] for one in listed["executions"]]
        queues = {one["queue"]: [one[name] for name in ("paused", "concurrency_max", "ready", "parked")]
                  for one in self.json("queue")["queues"]}
        return {"list": listed, "queues": queues, "dead letters": self.json("dead-letters", "list"),
                "show": {id: self.json("show", id) for id in ids},
                # Without outputs of megabytes.
                "history": {id: self.json("history", id, "--limit", "2" if id > "e4" else "1000") for id in ids}}

    def what_waits_goes_on(self):
        self.pawl("queue", "set", "held", "--resume")
        self.assertEqual(self.pawl("resume", "e3").stdout, "at last\n")
        (self.place / "mended").touch()
        self.pawl("dead-letters", "redrive", "e2")
        self.assertEqual(self.pawl("resume", "e2").stdout, "mended\n")
        again = self.pawl("run", "fine.yaml", "--label", "team=blue", "--request-id", "once", "--detach")
        self.assertEqual(again.stdout, "e1\n")
        self.stop(self.serving)
        self.assertIn("verified: no problems", self.pawl("verify").stdout)

    def without_view(self):
        """Stopped, and deleted; what was told before."""
        before = self.told()
        self.stop(self.serving)
        shutil.copytree(self.state, self.place / "backup")
        shutil.rmtree(self.state / "view")
        return before

    def test_the_log_brings_everything_back_and_once_it_was_trimmed_a_backup(self):
        self.live_a_little()
        self.run_big()
        self.wait_for(lambda: len(self.checkpoints()) == 1)
        before = self.without_view()
        self.serve()
        self.assertEqual(self.told(), before)
        self.assertEqual([one["status"] for one in before["list"]["executions"]],
                         ["succeeded", "cancelled", "running", "parked", "succeeded"])
        shutil.rmtree(self.place / "backup")

        self.run_big()
        self.wait_for(lambda: not (self.state / "log/segment-000000000001").exists())
        before = self.without_view()
        for verb in (["server", "--listen", "127.0.0.1:0"], ["list"], ["run", "fine.yaml"]):
            self.assertIn("groups between them are missing", self.pawl(*verb, code=3).stderr)
        shutil.rmtree(self.state)
        shutil.copytree(self.place / "backup", self.state)
        self.serve()
        self.assertEqual(self.told(), before)
        self.what_waits_goes_on()


if __name__ == "__main__":
    unittest.main()
