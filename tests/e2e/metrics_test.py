"""What a server says about itself: figures that are the engine's own, and whether it is ready."""

import json
import os
import re
import shutil
import subprocess
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from pawl_case import PATIENCE, REPOSITORY, PawlCase

SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")
DOCUMENT = (REPOSITORY / "docs/operations.md").read_text()
OF_THE_SERVER, OF_A_WORKER = DOCUMENT.split("### A worker's own page")


def documented(text):
    return dict(re.findall(r"^\| `((?:pawl|process)_\w+)` \| (\w+) \|", text, re.M))


def announced(page):
    return dict(re.findall(r"^# TYPE (\w+) (\w+)$", page, re.M))


# Twenty tasks that wait for the file `go`; the first that runs says so.
GATED = """\
name: gated
input: {fifo: null}
nodes:
  gate:
    for_each: 20
    run: '[ $PAWL_ITEM != 0 ] || echo up > ${ .input.fifo }; until [ -e go ]; do sleep 0.05; done'
"""


def used(pid):
    """Seconds of processor time and resident bytes."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK"), int(fields[21]) * os.sysconf("SC_PAGESIZE")


class MetricsTest(PawlCase):
    def serve(self, *words):
        server = self.start("server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", *words)
        self.url = self.said(server, "clients at").rsplit(" ", 1)[1].strip()
        return server, self.said(server, "workers at").rsplit(" ", 1)[1].strip()

    def ask(self, path):
        try:
            with urllib.request.urlopen(self.url + path, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def page(self):
        status, text = self.ask("/metrics")
        self.assertEqual(status, 200, text)
        return text

    def figures(self):
        """Every sample by its name and labels, as they stand in the page."""
        samples = {}
        for line in self.page().splitlines():
            if not line.startswith("#"):
                name, labels, value = SAMPLE.match(line).groups()
                samples[f"{name}{{{labels}}}" if labels else name] = float(value)
        return samples

    def test_figures_are_those_of_the_engine(self):
        _, address = self.serve()
        self.write("mixed.yaml", """\
name: mixed
nodes:
  good: {for_each: 30, run: 'true'}
  bad: {for_each: 4, run: exit 3, retry: {max_attempts: 2, backoff: 1ms}}
""")
        self.pawl("queue", "set", "default", "--pause")
        run = self.start("run", "mixed.yaml", "--quiet")
        self.worker(address)
        self.wait_for(lambda: self.json("queue")["queues"][0].get("ready") == 34)
        before = self.figures()
        self.assertEqual(before['pawl_queue_depth{queue="default",priority="5"}'], 34)
        self.assertEqual(before["pawl_executions_open"], 1)
        self.assertEqual(before["pawl_workers"], 1)
        self.pawl("queue", "set", "default", "--resume")
        self.finish(run, 1)
        after = self.figures()
        self.assertEqual(after["pawl_tasks_succeeded_total"], 30)
        self.assertEqual(after['pawl_task_failures_total{kind="exit_code"}'], 8)
        self.assertEqual(after["pawl_task_retries_total"], 4)
        self.assertEqual(after["pawl_dead_letters_total"], 4)
        self.assertEqual(after['pawl_queue_dead_letters{queue="default"}'], 4)
        self.assertEqual(after["pawl_task_wait_seconds_count"], 34)
        held, queued, ran = (after[f"pawl_task_{name}_seconds_sum"] for name in ("held", "queued", "run"))
        for name in ("held", "queued", "run"):
            self.assertEqual(after[f"pawl_task_{name}_seconds_count"], 38)
        self.assertGreater(ran, 0)
        self.assertLessEqual(queued + ran, held, "what the worker measured lies between grant and report")
        self.assertEqual(after['pawl_tasks_granted_total{reason="only"}'], 38)
        self.assertEqual(after['pawl_keyed_tasks_granted_total{worker="favourite"}'], 0)
        self.write("keyed.yaml", "name: keyed\ninput: {customer: x}\nnodes: {a: {for_each: 5, command: ['true'], "
                                 "affinity: {key: '${ .input.customer }'}}}\n")
        self.pawl("run", "keyed.yaml")
        self.assertEqual(self.figures()['pawl_keyed_tasks_granted_total{worker="favourite"}'], 5)
        self.assertEqual(after['pawl_queue_depth{queue="default",priority="5"}'], 0)
        self.assertEqual(after["pawl_worker_credit_outstanding"], 0)
        self.assertGreater(after["pawl_commit_seconds_count"], 0)
        self.assertGreater(after["process_resident_memory_bytes"], 1 << 20)
        self.assertIn('pawl_http_requests_total{method="GET",route="/metrics",status="200"}', after)

    def test_tasks_are_counted_as_whoever_drives_them_sees_them_end(self):
        _, address = self.serve()
        self.worker(address, "--jobs", "2")
        self.pawl("each", "true", ":::", "warm")  # what was there before is not of this round
        for items, failing, transforms in ((1, 0, 0), (7, 2, 1), (40, 0, 3)):
            before = self.figures()
            self.write("round.yaml", f"name: round\nnodes:\n"
                                     f"  good: {{for_each: {items}, run: 'echo $PAWL_ITEM'}}\n"
                                     f"  bad: {{for_each: {failing}, run: exit 3}}\n"
                                     f"  jq: {{for_each: {transforms}, transform: .item}}\n")
            done = self.pawl("run", "round.yaml", "--output", "json", code=1 if failing else 0)
            execution = json.loads(done.stdout.splitlines()[0])["execution"]
            tasks = next(one["tasks"] for one in self.json("list")["executions"] if one["id"] == execution)
            self.assertEqual((tasks["succeeded"], tasks["parked"]), (items + transforms, failing))
            after = self.figures()
            grown = {name: after[name] - before[name] for name in (
                "pawl_tasks_succeeded_total", "pawl_dead_letters_total", "pawl_executions_submitted_total")}
            self.assertEqual(grown, {"pawl_tasks_succeeded_total": tasks["succeeded"],
                                     "pawl_dead_letters_total": failing, "pawl_executions_submitted_total": 1})

    def test_figures_of_what_waits_what_runs_and_what_comes_again(self):
        server, address = self.serve()
        worker = self.worker(address, "--name", "w", "--jobs", "2")
        self.write("bad.yaml", "name: bad\nnodes:\n"
                               "  a: {run: exit 3, retry: {max_attempts: 3, backoff: 1ms}}\n")
        self.pawl("run", "bad.yaml", "--quiet", code=1)
        fifo = self.fifo()
        self.write("gated.yaml", GATED)
        run = self.start("run", "gated.yaml", "-i", f"fifo={fifo}", "--quiet")
        self.heard(fifo)
        self.wait_for(lambda: self.figures()["pawl_worker_running"] == 2)
        during = self.figures()
        of_queue = {name: during[f'pawl_queue_{name}{{queue="default"}}'] for name in (
            "granted", "backing_off", "dead_letters", "redelivered_total", "workers")}
        self.assertEqual(of_queue, {"granted": 16, "backing_off": 0, "dead_letters": 1,
                                    "redelivered_total": 2, "workers": 1})
        self.assertEqual(during['pawl_queue_depth{queue="default",priority="5"}'], 4)
        self.assertGreater(during['pawl_queue_oldest_seconds{queue="default"}'], 0)
        self.assertEqual((during["pawl_worker_slots"], during["pawl_worker_slots_busy"]), (2, 2))
        self.assertEqual((during["pawl_worker_credit"], during["pawl_worker_credit_outstanding"]), (16, 16))
        self.wait_for(lambda: self.usage().get("running") == 2)  # with the next heartbeat
        usage = self.usage()
        self.assertIn(usage["version"], self.pawl("--version").stdout)
        self.near(usage["memory_bytes"], used(worker.pid)[1])
        cpu_before, resident = used(server.pid)
        figures = self.figures()
        tick = 0.02
        self.assertTrue(cpu_before - tick <= figures["process_cpu_seconds_total"] <= used(server.pid)[0] + tick)
        self.near(figures["process_resident_memory_bytes"], resident)
        (self.place / "go").touch()
        self.finish(run, 0)
        after = self.figures()
        for name in ("pawl_worker_slots_busy", "pawl_worker_credit_outstanding",
                     'pawl_queue_granted{queue="default"}', 'pawl_queue_oldest_seconds{queue="default"}'):
            self.assertEqual(after[name], 0, name)

    def usage(self):
        """Of the only worker, as its last heartbeat said."""
        return self.json("workers")["workers"][0].get("usage", {})

    def near(self, told, seen):
        self.assertTrue(seen * 0.7 < told < seen * 1.3, (told, seen))

    def test_the_document_names_every_metric(self):
        self.serve()
        self.assertEqual(documented(OF_THE_SERVER), announced(self.page()))

    @unittest.skipUnless(shutil.which("promtool"), "promtool (Debian package prometheus) is missing")
    def test_promtool_finds_nothing_to_object_to(self):
        self.serve("--jobs", "1")
        self.pawl("each", "echo", "{}", ":::", "a", "b")
        self.check_by_promtool(self.page())

    def check_by_promtool(self, page):
        done = subprocess.run(["promtool", "check", "metrics"], input=page, text=True,
                              capture_output=True, timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_readiness_ends_before_the_server_does(self):
        server, _ = self.serve("--drain", "1h")
        for path in ("/livez", "/readyz", "/startupz"):
            self.assertEqual(self.ask(path)[0], 200)
        server.terminate()
        self.said(server, "not ready any more")
        status, text = self.ask("/readyz")
        self.assertEqual(status, 503)
        self.assertEqual(json.loads(text)["error"]["code"], "UNAVAILABLE")
        for path in ("/livez", "/startupz", "/v1/overview"):
            self.assertEqual(self.ask(path)[0], 200)
        self.stop(server)

    def test_who_comes_before_readiness_is_known_to_have_ended_is_served(self):
        server, _ = self.serve("--drain", "1h", "--jobs", "1")
        server.terminate()
        self.said(server, "not ready any more")
        self.assertEqual(self.ask("/readyz")[0], 503)
        self.assertEqual(self.pawl("each", "echo", "{}", ":::", "late").stdout, "late\n")
        self.stop(server)

    @unittest.skipUnless(os.geteuid() == 0, "SKIPPED LOUDLY: needs root to mount")
    def test_a_full_disk_ends_readiness_until_there_is_room(self):
        (self.place / "mnt").mkdir()
        server = self.start("server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--state", "mnt/s",
                            below=["unshare", "-m", "sh", "-c",
                                   'mount -t tmpfs -o size=700m none mnt && exec "$0" "$@"'])
        self.url = self.said(server, "clients at").rsplit(" ", 1)[1].strip()
        self.said(server, "workers at")
        self.assertEqual(self.ask("/readyz")[0], 200)
        ballast = f"/proc/{server.pid}/root{self.place}/mnt/ballast"
        with open(ballast, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, 200 << 20)  # less is left than soft_free_bytes
        self.wait_for(lambda: self.ask("/readyz")[0] == 503)
        self.assertIn("almost full", self.ask("/readyz")[1])
        self.assertEqual(self.figures()["pawl_takes_work"], 0)
        self.assertEqual(self.ask("/livez")[0], 200)
        os.unlink(ballast)
        self.wait_for(lambda: self.ask("/readyz")[0] == 200)
        self.stop(server)

    def worker_with_page(self, address, *words):
        worker = self.start("worker", "--server", address, "--name", "w", "--metrics", "127.0.0.1:0", *words)
        self.url = "http://" + self.said(worker, "metrics at").rsplit(" ", 1)[1].strip()
        return worker

    def test_a_worker_says_how_it_is(self):
        _, address = self.server()
        self.worker_with_page(address, "--jobs", "2")
        self.wait_for(lambda: self.ask("/readyz")[0] == 200)
        fifo = self.fifo()
        self.write("mixed.yaml", """\
name: mixed
input: {fifo: null}
nodes:
  good: {for_each: 30, run: 'true'}
  bad: {for_each: 4, run: exit 3}
  gate:
    needs: [good]
    for_each: 5
    run: '[ $PAWL_ITEM != 0 ] || echo up > ${ .input.fifo }; until [ -e go ]; do sleep 0.05; done'
""")
        run = self.start("run", "mixed.yaml", "-i", f"fifo={fifo}", "--quiet")
        self.heard(fifo)
        self.wait_for(lambda: self.figures()['pawl_worker_running{worker="w"}'] == 2)
        during = self.figures()
        self.assertEqual(during['pawl_worker_slots{worker="w"}'], 2)
        self.assertEqual(during['pawl_worker_credit{worker="w"}'], 16)
        self.assertEqual(during['pawl_worker_queued{worker="w"}'], 3)
        self.assertEqual(during['pawl_worker_credit_outstanding{worker="w"}'], 5)
        self.assertEqual(during['pawl_worker_attempts_total{worker="w",outcome="succeeded"}'], 30)
        (self.place / "go").touch()
        self.finish(run, 1)
        after = self.figures()
        self.assertEqual(after['pawl_worker_attempts_total{worker="w",outcome="succeeded"}'], 35)
        self.assertEqual(after['pawl_worker_attempts_total{worker="w",outcome="exit_code"}'], 4)
        self.assertEqual(after['pawl_task_run_seconds_count{worker="w"}'], 39)
        self.assertEqual(after['pawl_task_queued_seconds_count{worker="w"}'], 39)
        self.assertEqual(after['pawl_worker_credit_outstanding{worker="w"}'], 0)
        self.assertEqual(after["pawl_worker_connections_total"], 1)
        self.assertEqual(documented(OF_A_WORKER), announced(self.page()))
        if shutil.which("promtool"):
            self.check_by_promtool(self.page())

    def test_a_worker_is_ready_while_it_has_a_session(self):
        server, address = self.server()
        worker = self.worker_with_page(address)
        self.wait_for(lambda: self.ask("/readyz")[0] == 200)
        self.stop(server)
        self.wait_for(lambda: self.ask("/readyz")[0] == 503)
        self.assertIn(f"no session at {address}", self.ask("/readyz")[1])
        self.assertEqual(self.ask("/livez")[0], 200)
        self.assertEqual(self.ask("/v1/executions")[0], 404)
        self.server(listen=address)
        self.wait_for(lambda: self.ask("/readyz")[0] == 200)
        self.assertEqual(self.figures()["pawl_worker_connections_total"], 2)
        self.stop(worker)

    def test_a_worker_shows_nothing_in_plain_text_to_other_machines(self):
        refused = self.pawl("worker", "--metrics", "0.0.0.0:0", code=3).stderr
        self.assertIn("plain text", refused)

    def test_a_time_that_is_none_is_refused(self):
        self.assertIn("--drain", self.pawl("server", "--drain", "soon", code=2).stderr)


if __name__ == "__main__":
    unittest.main()
