"""The verbs at a server, over HTTP, with workers of its own."""

import json
import unittest

from pawl_case import PawlCase

# A task that says it runs and waits until the file `go` is there.
GATED = """\
name: gated
input: {fifo: null}
nodes:
  gate:
    run: |
      echo $$ > ${ .input.fifo }
      until [ -e go ]; do sleep 0.05; done
      echo open
output: ${ .nodes.gate.output }
"""
FLAKY = """\
name: flaky
nodes: {a: {for_each: 3, run: 'test ${ .item } != 1 -o -e mended'}}
"""


class RemoteTest(PawlCase):
    def setUp(self):
        super().setUp()
        self.home = self.place / "elsewhere"  # where no state directory is
        self.home.mkdir()

    def serve(self, http="127.0.0.1:0", listen="127.0.0.1:0"):
        """A server with clients at `self.url`."""
        server = self.start("server", "--state", "held", "--listen", listen, "--http", http)
        self.url = self.said(server, "clients at").rsplit(" ", 1)[1].strip()
        self.workers_at = self.said(server, "workers at").rsplit(" ", 1)[1].strip()
        self.environment["PAWL_SERVER"] = self.url
        return server

    def at_home(self, *words, **options):
        return self.pawl(*words, cwd=self.home, **options)

    def run_gated(self):
        self.write("gated.yaml", GATED)
        fifo = self.fifo()
        run = self.start("run", "gated.yaml", "-i", f"fifo={fifo}")
        self.heard(fifo)
        self.said(run, "running")  # it knows by now what it watches
        return run

    def test_verbs_go_to_the_server(self):
        self.serve()
        self.worker(self.workers_at)
        self.write("elsewhere/pwd.yaml", "name: pwd\nnodes: {a: {run: pwd, directory: .}}\n"
                                         "output: ${ .nodes.a.output }\n")
        self.assertEqual(self.at_home("run", "pwd.yaml").stdout, f"{self.home}\n")
        self.assertEqual(self.at_home("each", "echo", "{}", ":::", "b", "a").stdout, "b\na\n")
        self.assertIn("pwd", self.at_home("list").stdout)
        self.assertIn("succeeded", self.at_home("show", "e1").stdout)
        self.assertIn("e1", self.at_home("why", "e1").stdout)
        self.assertIn("submitted", self.at_home("history", "e1").stdout)
        self.assertIn(str(self.home), self.at_home("logs", "e1").stdout)
        self.assertEqual(self.at_home("forget", "e2").stdout, "forgot 1\n")
        self.at_home("show", "e2", code=1)
        self.assertIn("nothing is unfinished", self.at_home("resume").stderr)
        self.assertEqual(list(self.home.iterdir()), [self.home / "pwd.yaml"])  # nothing was made

    def test_what_is_detached_goes_on(self):
        self.serve()
        self.worker(self.workers_at)
        self.write("gated.yaml", GATED)
        fifo = self.fifo()
        words = ["run", "gated.yaml", "-i", f"fifo={fifo}", "--detach", "--request-id", "once"]
        self.assertEqual(self.pawl(*words).stdout, "e1\n")
        self.heard(fifo)
        self.assertEqual(json.loads(self.pawl(*words, "--output", "json").stdout),
                         {"event": "started", "execution": "e1"})
        (self.place / "go").touch()
        self.assertEqual(self.pawl("resume", "e1").stdout, "open\n")
        alone = self.pawl("run", "gated.yaml", "-i", "fifo=x", "--detach", "--state", "alone", code=1)
        self.assertIn("nothing would run it", alone.stderr)
        self.assertIn("no executions", self.pawl("list", "--state", "alone").stderr)

    def test_dead_letters_are_told_and_redriven(self):
        self.serve()
        self.worker(self.workers_at)
        self.write("flaky.yaml", FLAKY)
        parked = self.pawl("run", "flaky.yaml", "--server", self.url, code=1)
        self.assertIn("pawl dead-letters redrive e1 && pawl resume e1", parked.stderr)
        self.assertIn("e1/a[1]", self.at_home("dead-letters").stdout)
        (self.place / "mended").touch()
        self.assertEqual(self.at_home("dead-letters", "redrive", "e1").stdout, "redriven 1\n")
        self.at_home("resume", "e1")
        failed = self.at_home("each", "test {} = a", ":::", "a", "b", code=1)
        self.assertIn("pawl each --resume e2", failed.stderr)
        self.assertIn("everybody", self.at_home("each", "--resume", code=1).stderr)
        self.assertEqual(self.at_home("dead-letters", "discard", "e2").stdout, "discarded 1\n")

    def test_ctrl_c_detaches_and_cancel_ends(self):
        self.serve()
        self.worker(self.workers_at)
        run = self.run_gated()
        self.interrupt(run)
        self.assertIn(f"e1 goes on at {self.url}", self.finish(run, 130)[1])
        self.assertIn("running", self.at_home("list").stdout)
        self.assertEqual(self.at_home("cancel", "e1", "--reason", "enough").stdout, "cancelled 1\n")
        self.at_home("resume", "e1", code=1)

    def test_a_watcher_goes_on_when_the_server_is_killed_and_comes_back(self):
        for words in (("run", "gated.yaml"), ("each", "-q", "until [ -e go ]; do sleep 0.05; done; "
                                              "echo said > {}; echo open", ":::")):
            with self.subTest(words[0]):
                server = self.serve()
                self.worker(self.workers_at)
                self.write("gated.yaml", GATED)
                fifo = self.fifo(words[0] + ".fifo")
                more = ("-i", f"fifo={fifo}") if words[0] == "run" else ("/dev/null",)
                watcher = self.start(*words, *more)
                if words[0] == "run":
                    self.heard(fifo)
                else:
                    self.running("e2")
                server.kill()
                server.wait()
                self.said(watcher, "trying again")
                self.serve(self.url.removeprefix("http://"), self.workers_at)
                self.said(watcher, "again")
                (self.place / "go").touch()
                self.assertEqual(self.finish(watcher, 0)[0], "open\n")
                (self.place / "go").unlink()
                self.stop(self.started[-1])

    def running(self, execution):
        while True:
            listed = json.loads(self.at_home("list", "--output", "json").stdout)["executions"]
            if any(one["id"] == execution and one["tasks"]["running"] > 0 for one in listed):
                return

    def test_who_waits_for_a_server_may_leave(self):
        server = self.serve()
        self.worker(self.workers_at)
        run = self.run_gated()
        server.kill()
        server.wait()
        self.said(run, "trying again")
        self.interrupt(run)
        self.assertIn("pawl resume e1", self.finish(run, 130)[1])
        (self.place / "go").touch()

    def test_contexts_name_servers(self):
        self.serve()
        del self.environment["PAWL_SERVER"]
        self.pawl("context", "add", "dev", "--server", self.url)
        self.pawl("context", "add", "dev", "--server", self.url, code=2)
        kept = self.place / ".config/pawl/config.json"
        self.assertEqual(kept.stat().st_mode & 0o777, 0o600)
        self.at_home("list", code=3)  # .pawl, and there is none
        self.at_home("list", "--context", "dev")
        self.pawl("context", "use", "dev")
        self.assertIn("*  dev", self.pawl("context", "list").stdout)
        self.assertEqual(self.json("context", "list")["current"], "dev")
        self.at_home("list")
        self.at_home("list", "--context", "local", code=3)
        self.environment["PAWL_CONTEXT"] = "nobody"
        self.assertIn("only local, dev", self.at_home("list", code=3).stderr)
        del self.environment["PAWL_CONTEXT"]
        self.pawl("context", "remove", "dev")
        self.at_home("list", code=3)
        self.pawl("context", "add", "bad", "--server", "pawl.example.org", code=2)
        self.pawl("context", "add", "bad", "--server", self.url, "--token-file", "none", code=2)

    def test_errors_say_what_to_do(self):
        self.serve()
        del self.environment["PAWL_SERVER"]
        port = self.url.rsplit(":", 1)[1]
        for words, code, said in (
                (("list", "--server", "127.0.0.1:" + port), 2, "http://127.0.0.1:8080"),
                (("list", "--server", "http://127.0.0.1:1"), 3, "does `pawl server --http` run"),
                (("list", "--server", "http://nowhere.invalid"), 3, "nowhere.invalid"),
                (("list", "--server", "https://127.0.0.1:" + port), 3, "http:// is meant"),
                (("list", "--server", self.url + "/below"), 3, "as new as this pawl"),
                (("list", "--server", "http://" + self.workers_at), 3, "http"),
                (("list", "--server", self.url, "--state", "held"), 2, "give one of them"),
                (("verify", "--server", self.url), 2, "this machine alone"),
                (("server", "--context", "dev"), 2, "this machine alone"),
                (("bench", "--server", self.url), 2, "this machine alone")):
            with self.subTest(words):
                self.assertIn(said, self.pawl(*words, code=code).stderr)
        self.environment.update(PAWL_STATE="held", PAWL_SERVER=self.url)
        self.assertIn("more than one", self.pawl("list", code=2).stderr)


if __name__ == "__main__":
    unittest.main()
