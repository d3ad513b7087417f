"""A server and its workers, in processes of their own."""

import json
import os
import signal
import time
import unittest
import urllib.request

from pawl_case import PATIENCE, PawlCase, alive

# A task that says it runs and waits until the file `go` is there.
GATED = """\
name: gated
input: {fifo: null}
nodes:
  gate:
    run: |
      echo $PAWL_ATTEMPT $$ > ${ .input.fifo }
      until [ -e go ]; do sleep 0.05; done
      echo open
output: ${ .nodes.gate.output }
"""

# A large value made by one task and read by others.
LARGE = """\
name: large
nodes:
  make: {run: seq 100000, output: lines}
  pick: {needs: [make], for_each: 3, transform: ".nodes.make.output[41 + .item]"}
  again: {needs: [make], transform: ".nodes.make.output"}
output: '${ {count: (.nodes.again.output | length), pick: .nodes.pick.output} }'
"""


class ServerTest(PawlCase):
    def test_a_workflow_runs_on_the_workers(self):
        server, address = self.server()
        one = self.worker(address, "--name", "one")
        two = self.worker(address, "--name", "two")
        self.write("many.yaml", "name: many\nnodes: {a: {for_each: 40, run: 'echo $PPID'}}\n"
                                "output: ${ .nodes.a.output | unique | length }\n")
        self.assertEqual(self.pawl("run", "many.yaml").stdout, "2\n")
        self.assertEqual(self.pawl("each", "echo", "{}", ":::", "a", "b").stdout, "a\nb\n")
        self.stop(one)
        self.stop(two)
        self.stop(server)
        self.pawl("verify")

    def test_tasks_run_where_they_may(self):
        _, address = self.server()
        self.worker(address, "--name", "plain", "--queue", "other")
        gpu = self.worker(address, "--name", "gpu", "--label", "disk=ssd", "--zone", "eu-1",
                          "--capacity", "gpu=1", "--capacity", "cpu=2", "--weight", "3")
        self.write("placed.yaml", "name: placed\nnodes:\n  a:\n    run: echo here\n"
                                  "    resources: {cpu: 0.5, gpu: 1}\n"
                                  "    affinity: {require: {disk: ssd, zone: eu-1}}\n")
        self.assertEqual(json.loads(self.pawl("run", "placed.yaml").stdout), {"a": "here"})
        workers = {one["worker"]["name"]: one for one in self.json("workers")["workers"]}
        self.assertEqual(workers["plain"]["worker"]["queues"], ["other"])
        self.assertEqual(workers["gpu"]["worker"]["zone"], "eu-1")
        free = {one["name"]: one["amount"] for one in workers["gpu"]["free"]}
        self.assertEqual((free["cpu"], free["gpu"]), (2000, 1))
        self.stop(gpu)

    def test_large_payloads_reach_a_worker_and_come_back(self):
        _, address = self.server()
        self.worker(address)
        self.write("large.yaml", LARGE)
        self.assertEqual(json.loads(self.pawl("run", "large.yaml").stdout),
                         {"count": 100000, "pick": ["42", "43", "44"]})

    def test_clients_of_http_reach_the_same_executions(self):
        server = self.start("server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0")
        url = self.said(server, "clients at").rsplit(" ", 1)[1].strip()
        self.worker(self.said(server, "workers at").rsplit(" ", 1)[1].strip())
        body = {"definition": "name: one\nnodes: {a: {run: echo there}}\noutput: ${ .nodes.a.output }\n"}
        request = urllib.request.Request(url + "/v1/executions?wait=30s", json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            told = json.load(answer)
        self.assertEqual((told["status"], told["output"]["json"]), ("succeeded", "there"))
        self.assertEqual(self.json("show", told["id"])["Status"], "succeeded")
        with urllib.request.urlopen(url + "/readyz", timeout=PATIENCE) as answer:
            self.assertEqual(answer.status, 200)

    def test_what_programs_print_at_a_worker_is_read_at_the_server(self):
        _, address = self.server()
        self.environment["TMPDIR"] = str(self.place / "tmp")
        os.mkdir(self.place / "tmp")
        worker = self.worker(address)
        fifo = self.fifo()
        self.write("loud.yaml", "name: loud\ninput: {fifo: null}\nnodes:\n  a:\n    run: |\n"
                                "      seq 20000; echo warned >&2; sleep 0.5; echo up > ${ .input.fifo }\n"
                                "      until [ -e go ]; do sleep 0.05; done\n")
        run = self.start("run", "loud.yaml", "-i", f"fifo={fifo}")
        self.heard(fifo)
        follower = self.start("logs", "e1", "--follow")
        (self.place / "go").touch()
        self.finish(run, 0)
        out, _ = self.finish(follower, 0)
        self.assertIn("warned", out)
        self.assertIn("19999\n20000", out)
        self.stop(worker)
        self.assertEqual(os.listdir(self.place / "tmp"), [])

    def test_a_worker_waits_for_its_server(self):
        first, address = self.server()
        self.stop(first)
        early = self.start("worker", "--server", address)
        self.said(early, "no connection")
        self.server(listen=address)
        self.said(early, "working for")

    def test_sigterm_lets_a_worker_finish(self):
        _, address = self.server()
        worker = self.worker(address, "--name", "leaving")
        fifo = self.fifo()
        self.write("gated.yaml", GATED)
        run = self.start("run", "gated.yaml", "-i", f"fifo={fifo}")
        self.assertEqual(self.heard(fifo).split()[0], "1")
        worker.terminate()
        self.said(worker, "finishing 1")
        (self.place / "go").touch()
        self.finish(worker, 0)
        self.assertEqual(self.finish(run, 0)[0], "open\n")

    def test_a_second_signal_hands_over_what_runs(self):
        _, address = self.server()
        worker = self.worker(address)
        fifo = self.fifo()
        self.write("gated.yaml", GATED)
        run = self.start("run", "gated.yaml", "-i", f"fifo={fifo}")
        attempt, pid = self.heard(fifo).split()
        self.assertEqual(attempt, "1")
        worker.terminate()
        self.said(worker, "finishing 1")
        worker.terminate()
        self.finish(worker, 1)
        self.assertFalse(alive(int(pid)))
        self.worker(address)
        self.assertEqual(self.heard(fifo).split()[0], "2")
        (self.place / "go").touch()
        self.assertEqual(self.finish(run, 0)[0], "open\n")

    def test_after_its_time_a_leaving_worker_hands_over_what_runs(self):
        _, address = self.server()
        worker = self.worker(address, "--drain", "100ms")
        fifo = self.fifo()
        self.write("gated.yaml", GATED)
        run = self.start("run", "gated.yaml", "-i", f"fifo={fifo}")
        attempt, pid = self.heard(fifo).split()
        self.assertEqual(attempt, "1")
        worker.terminate()  # once
        self.finish(worker, 1)
        self.assertFalse(alive(int(pid)))
        self.worker(address)
        self.assertEqual(self.heard(fifo).split()[0], "2")
        (self.place / "go").touch()
        self.assertEqual(self.finish(run, 0)[0], "open\n")

    def test_a_worker_finds_its_server_by_name(self):
        _, address = self.server()
        self.worker("localhost:" + address.rsplit(":", 1)[1], "--name", "named")
        self.assertEqual([one["worker"]["name"] for one in self.json("workers")["workers"]], ["named"])
        self.assertEqual(self.pawl("each", "echo", "{}", ":::", "a").stdout, "a\n")

    def test_what_runs_goes_on_while_the_server_is_killed_and_comes_back(self):
        for signal_name in ("kill", "terminate"):
            with self.subTest(signal_name):
                server, address = self.server("--state", signal_name)
                worker = self.worker(address)
                fifo = self.fifo(signal_name + ".fifo")
                self.write("gated.yaml", GATED)
                self.environment["PAWL_STATE"] = signal_name
                run = self.start("run", "gated.yaml", "-i", f"fifo={fifo}", "--request-id", "once")
                attempt, pid = self.heard(fifo).split()
                run.kill()
                getattr(server, signal_name)()
                server.wait()
                self.server("--state", signal_name, listen=address)
                self.said(worker, "trying again")
                self.said(worker, "working for")
                self.assertTrue(alive(int(pid)))
                (self.place / "go").touch()
                again = self.pawl("run", "gated.yaml", "-i", f"fifo={fifo}", "--request-id", "once")
                self.assertEqual(again.stdout, "open\n")
                gate = self.json("show")["NodeStates"][0]
                self.assertEqual(gate["Attempts"], 1)
                (self.place / "go").unlink()

    def test_what_was_cancelled_while_its_worker_was_away_is_stopped(self):
        server, address = self.server()
        worker = self.worker(address, "--jobs", "1")
        fifo = self.fifo()
        self.write("gated.yaml", GATED)
        run = self.start("run", "gated.yaml", "-i", f"fifo={fifo}", "--request-id", "once")
        _, pid = self.heard(fifo).split()
        run.kill()
        worker.send_signal(signal.SIGSTOP)
        self.addCleanup(worker.send_signal, signal.SIGCONT)
        server.kill()
        server.wait()
        self.server(listen=address)
        self.pawl("cancel", self.json("list")["executions"][0]["id"])
        self.assertTrue(alive(int(pid)))
        worker.send_signal(signal.SIGCONT)
        self.assertEqual(self.pawl("each", "echo", "{}", ":::", "a").stdout, "a\n")  # its only slot is free
        self.assertFalse(alive(int(pid)))

    def test_what_a_killed_worker_ran_runs_elsewhere(self):
        _, address = self.server()
        worker = self.worker(address, "--name", "doomed")
        fifo = self.fifo()
        self.write("gated.yaml", GATED)
        run = self.start("run", "gated.yaml", "-i", f"fifo={fifo}")
        self.assertEqual(self.heard(fifo).split()[0], "1")
        worker.kill()
        worker.wait()
        self.worker(address, "--name", "heir")
        self.assertEqual(self.heard(fifo).split()[0], "2")
        (self.place / "go").touch()
        self.assertEqual(self.finish(run, 0)[0], "open\n")
        self.assertIn("connection broke", self.pawl("history", "e1").stdout)
        self.assertEqual([one["worker"]["name"] for one in self.json("workers")["workers"]], ["heir"])

    def test_a_worker_that_stands_still_is_suspect_and_given_nothing(self):
        _, address = self.server()
        frozen = self.worker(address, "--name", "frozen", "--jobs", "4")
        self.worker(address, "--name", "awake", "--jobs", "1")
        self.write("who.yaml", "name: who\nnodes: {a: {for_each: 12, run: 'echo $PPID'}}\n"
                               "output: ${ .nodes.a.output | unique }\n")
        frozen.send_signal(signal.SIGSTOP)
        self.addCleanup(frozen.send_signal, signal.SIGCONT)
        self.workers_become({"frozen": True, "awake": False})
        ran = json.loads(self.pawl("run", "who.yaml").stdout)
        self.assertEqual(len(ran), 1, "the suspect one was given tasks")
        frozen.send_signal(signal.SIGCONT)
        self.workers_become({"frozen": False, "awake": False})
        self.assertEqual(len(json.loads(self.pawl("run", "who.yaml").stdout)), 2)

    def test_a_worker_that_stands_still_past_its_lease_stops_what_it_ran_and_works_on(self):
        _, address = self.server()
        frozen = self.worker(address, "--name", "frozen", "--jobs", "1")
        fifo = self.fifo()
        self.write("gated.yaml", GATED)
        run = self.start("run", "gated.yaml", "-i", f"fifo={fifo}")
        attempt, first = self.heard(fifo).split()
        self.assertEqual(attempt, "1")
        frozen.send_signal(signal.SIGSTOP)
        self.addCleanup(frozen.send_signal, signal.SIGCONT)
        heir = self.worker(address, "--name", "heir", "--jobs", "1")
        attempt, second = self.heard(fifo).split()
        self.assertEqual(attempt, "2")
        self.assertTrue(alive(int(first)), "its program does not stand still")
        frozen.send_signal(signal.SIGCONT)
        self.wait_for(lambda: not alive(int(first)))
        self.assertTrue(alive(int(second)))
        (self.place / "go").touch()
        self.assertEqual(self.finish(run, 0)[0], "open\n")
        self.stop(heir)
        self.assertEqual(self.pawl("each", "echo", "{}", ":::", "on").stdout, "on\n")  # by the one that stood still
        self.assertIsNone(frozen.poll())

    def workers_become(self, suspects):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            told = {one["worker"]["name"]: one["suspect"] for one in self.json("workers")["workers"]}
            if told == suspects:
                return
        self.fail(f"the workers are {told}, not {suspects}")

    def test_a_worker_leaves_nothing_behind(self):
        _, address = self.server()
        self.environment["TMPDIR"] = str(self.place / "tmp")
        os.mkdir(self.place / "tmp")
        worker = self.worker(address)
        self.pawl("each", "seq", ":::", "1", "2", "3")
        self.stop(worker)
        self.assertEqual(os.listdir(self.place / "tmp"), [])

    def test_errors_say_what_to_do(self):
        self.assertIn("HOST:PORT", self.pawl("worker", "--server", "nonsense", code=2).stderr)
        self.assertIn("HOST:PORT", self.pawl("server", "--listen", ":x", code=2).stderr)
        server, address = self.server()
        self.assertIn(f"in use by process {server.pid}",
                      self.pawl("server", "--listen", "127.0.0.1:0", code=3).stderr)
        busy = self.pawl("server", "--state", "other", "--listen", address, code=3).stderr
        self.assertIn(f"cannot listen on {address}", busy)


if __name__ == "__main__":
    unittest.main()
