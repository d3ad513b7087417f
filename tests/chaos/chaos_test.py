"""The harness itself: that the proxy does what it says, that each check can fail, that a run in which nothing happened
fails, and that a server without fencing is found out."""

import contextlib
import copy
import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
from datetime import datetime, timedelta
from pathlib import Path

import chaos
import machine
from checks import check_execution
from client import Journal
from proxy import Proxy
from rig import FAKETIME, Rig, wait_for
from workload import EFFECT, KINDS, OWN, Kind

PATIENCE = 30  # seconds until a hanging test is given up


class Echo(threading.Thread):
    """Sends back what it is sent, until it is closed."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.serve, args=(self.listener.accept()[0],), daemon=True).start()

    def serve(self, end):
        with contextlib.suppress(OSError), end:
            while piece := end.recv(4096):
                end.sendall(piece)


class ProxyTest(unittest.TestCase):
    def setUp(self):
        self.echo = Echo()
        self.proxy = Proxy(seed=1)
        self.addCleanup(self.echo.listener.close)
        self.addCleanup(self.proxy.close)
        self.link = self.proxy.link("bad", lambda: self.echo.address)

    def connect(self, link):
        host, port = link.address.split(":")
        end = socket.create_connection((host, int(port)), PATIENCE)
        self.addCleanup(end.close)
        return end

    def said_back(self, end, text):
        end.sendall(text)
        return self.take(end, len(text))

    def take(self, end, size):
        found = b""
        while len(found) < size:
            piece = end.recv(size - len(found))
            self.assertTrue(piece, "it hung up")
            found += piece
        return found

    def test_bytes_arrive_in_order_however_slow(self):
        text = bytes(range(256)) * 8
        for changes in ({}, {"delay": 0.001, "jitter": 0.001}, {"rate": 100_000}):
            self.link.set(**changes)
            self.assertEqual(self.said_back(self.connect(self.link), text), text)

    def test_a_closed_way_passes_neither_data_nor_the_end(self):
        other = self.connect(self.proxy.link("good", lambda: self.echo.address))
        for way in ("up", "down"):
            end = self.connect(self.link)
            self.assertEqual(self.said_back(end, b"before"), b"before")
            self.link.set(**{way: False})
            end.sendall(b"held")
            end.shutdown(socket.SHUT_WR)
            self.assertEqual(self.said_back(other, b"meanwhile"), b"meanwhile")
            end.setblocking(False)
            with self.assertRaises(BlockingIOError):
                end.recv(1)
            end.settimeout(PATIENCE)
            self.link.heal()
            self.assertEqual(self.take(end, 4), b"held")
            self.assertEqual(end.recv(1), b"")

    def test_a_reset_breaks_every_connection(self):
        ends = [self.connect(self.link) for _ in range(3)]
        for end in ends:
            self.said_back(end, b"hello")
        self.assertEqual(self.link.reset(), 3)
        for end in ends:
            with self.assertRaises(ConnectionResetError):
                end.recv(1)
        self.assertEqual(self.said_back(self.connect(self.link), b"again"), b"again")

    def test_newcomers_are_refused_until_it_is_healed(self):
        self.link.set(refuse=True)
        with self.assertRaises(ConnectionError):
            self.said_back(self.connect(self.link), b"hello")
        self.link.heal()
        self.assertEqual(self.said_back(self.connect(self.link), b"hello"), b"hello")

    def test_a_server_that_is_away_breaks_the_connection(self):
        away = self.proxy.link("away", lambda: None)
        with self.assertRaises(ConnectionError):
            self.said_back(self.connect(away), b"hello")

    def test_a_change_that_no_link_knows_is_an_error(self):
        with self.assertRaises(ValueError):
            self.link.set(dealy=1)


def entry(place, event, **body):
    return {"position": place, "index": 0, "clock_ns": place * 1000, "time": "", "event": event, "with": body}


def granted(place, node, attempt, begin=0, end=1):
    return entry(place, "attempts_granted", session=1, node_index=node, begin=begin, end=end, attempt=attempt,
                 nonce=str(place))


def succeeded(place, node, attempt, value):
    return entry(place, "attempts_succeeded", node_index=node, begin=0, end=1, attempt=attempt,
                 outputs=[{"json": value}])


def lost(place, node, attempt, kind="lost"):
    return entry(place, "attempt_failed", node_index=node, begin=0, end=1, attempt=attempt, kind=kind, error="gone")


A, B, C = "r/a/0/2", "r/b/0/1:r/a/0/2", "r/c/0/1:r/b/0/1:r/a/0/2"
HISTORY = [
    entry(1, "execution_submitted", request_id="r"),
    granted(2, 0, 1), lost(3, 0, 1), granted(4, 0, 2), succeeded(5, 0, 2, A),
    granted(6, 1, 1), succeeded(7, 1, 1, B),
    granted(8, 2, 1), succeeded(9, 2, 1, C),
    entry(10, "execution_ended", status="succeeded", error=""),
]
EFFECTS = [("a", 0, 1), ("a", 0, 2), ("b", 0, 1), ("c", 0, 1)]


class ChecksTest(unittest.TestCase):
    def faults(self, history, effects=None, output=C):
        return list(check_execution("r", "chain", "e1", output, history, EFFECTS if effects is None else effects))

    def changed(self, place, **body):
        history = copy.deepcopy(HISTORY)
        history[place - 1]["with"].update(body)
        return self.faults(history)

    def without(self, place):
        return self.faults([one for one in HISTORY if one["position"] != place])

    def after(self, place, event):
        event["index"] = 1
        event["position"] = place
        return self.faults(HISTORY[:place] + [event] + HISTORY[place:])

    def assertFault(self, faults, words):
        self.assertTrue(any(words in fault for fault in faults), faults)

    def test_a_history_as_it_should_be(self):
        self.assertEqual(self.faults(HISTORY), [])

    def test_another_value(self):
        self.assertFault(self.changed(5, outputs=[{"json": "r/a/0/1"}]), "attempt 2 is recorded with 'r/a/0/1'")
        self.assertFault(self.faults(HISTORY, output="else"), "its output is 'else'")

    def test_attempts_have_gaps_or_repeat(self):
        self.assertFault(self.changed(4, attempt=3), "attempt 3 is granted after 1")
        self.assertFault(self.changed(4, attempt=1), "attempt 1 is granted after 1")
        self.assertFault(self.without(3), "attempt 2 is granted while attempt 1 is open")

    def test_a_result_of_an_older_attempt(self):
        self.assertFault(self.changed(5, attempt=1), "a result of attempt 1 counts after attempt 2 was granted")

    def test_a_second_end(self):
        self.assertFault(self.after(5, succeeded(5, 0, 2, A)), "it succeeds with attempt 2 after attempt 2 did")
        self.assertFault(self.after(5, lost(5, 0, 2)), "attempt 2 ends twice")
        self.assertFault(self.after(5, granted(5, 0, 3)), "granted after the success")

    def test_a_failure_that_is_not_the_programs(self):
        self.assertFault(self.changed(3, kind="exit_code"), "attempt 1 fails with exit_code")

    def test_the_order_of_a_chain(self):
        history = copy.deepcopy(HISTORY)
        history[4], history[5] = ({**history[5], "position": 5}, {**history[4], "position": 6})
        self.assertFault(self.faults(history), "granted before a[0] has succeeded")

    def test_a_task_without_an_end(self):
        self.assertFault(self.without(9), "c[0]: never succeeded")
        self.assertFault(self.without(10), "does not end with its one end")

    def test_effects(self):
        self.assertFault(self.faults(HISTORY, EFFECTS[:-1]), "attempt 1 succeeded and has no effect")
        self.assertFault(self.faults(HISTORY, [*EFFECTS, ("c", 0, 2)]), "attempt 2 ran, 1 were granted")
        self.assertFault(self.faults(HISTORY, [*EFFECTS, ("c", 0, 1)]), "attempt 1 ran 2 times")

    def test_places(self):
        self.assertFault(self.faults(HISTORY[:2] + HISTORY[1:]), "places of its history do not ascend")
        history = copy.deepcopy(HISTORY)
        history[5]["clock_ns"] = 0
        self.assertFault(self.faults(history), "clock of its history goes back")

    def test_another_request(self):
        self.assertFault(self.changed(1, request_id="other"), "submitted as 'other'")


class JournalTest(unittest.TestCase):
    def test_a_torn_line_says_nothing(self):
        with tempfile.NamedTemporaryFile("w", suffix=".journal") as file:
            file.write("ask r-1 chain\nack r-1 e1\nask r-2 chain\nack r-2 e")
            file.flush()
            journal = Journal(file.name)
            self.assertEqual(journal.read(), ["r-1"])
            self.assertEqual(journal.asked, {"r-1": "chain", "r-2": "chain"})
            file.write("2\n")
            file.flush()
            self.assertEqual(journal.read(), ["r-2"])
            self.assertEqual(journal.acknowledged, {"r-1": ["e1"], "r-2": ["e2"]})


# Sends numbered datagrams to a host and port, and "end" until nobody listens any more.
SPEAKER = """
import socket, sys
end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
end.connect((sys.argv[1], int(sys.argv[2])))
for number in range(500):
    end.send(b"%d" % number)
print("said", flush=True)
sys.stdin.readline()
end.send(b"end")
"""


@unittest.skipIf(machine.missing(), "SKIPPED LOUDLY: no machine of our own")
class MachineTest(unittest.TestCase):
    def setUp(self):
        self.place = Path(tempfile.mkdtemp(prefix="pawl-chaos-"))

    def heard(self, network, **bad):
        """The numbers that arrived, in the order of their arrival."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            end.bind((machine.HUB, 0))
            end.settimeout(PATIENCE)
            network.worsen(**bad)
            speaker = subprocess.Popen([*network.inside(), sys.executable, "-c", SPEAKER, machine.HUB,
                                        str(end.getsockname()[1])], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            speaker.stdout.readline()
            network.heal()
            speaker.communicate(b"\n", PATIENCE)
            return list(iter(lambda: end.recv(100), b"end"))

    def test_packets_are_lost_and_overtaken(self):
        network = machine.Network("host", 7)
        whole = [b"%d" % number for number in range(500)]
        self.assertEqual(self.heard(network, lost=0, late=0), whole)
        lossy = self.heard(network, lost=20, late=0)
        self.assertLess(len(lossy), len(whole))
        self.assertEqual(lossy, sorted(lossy, key=int))
        overtaken = self.heard(network, lost=0, late=20)
        self.assertNotEqual(overtaken, sorted(overtaken, key=int))

    def test_a_power_cut_forgets_what_was_not_synced(self):
        disk = machine.SmallDisk(self.place / "disk")
        self.addCleanup(disk.end)
        for name in ("synced", "forgotten"):
            with open(disk.place / name, "w", encoding="utf-8") as file:
                file.write(name)
                file.flush()
                if name == "synced":
                    os.fsync(file.fileno())
        disk.power_off()
        disk.unplug()
        disk.power_on()
        self.assertEqual((disk.place / "synced").read_text(), "synced")
        self.assertFalse((disk.place / "forgotten").exists())


@unittest.skipUnless(FAKETIME, "SKIPPED LOUDLY: no libfaketime (package faketime)")
class WrongClockTest(unittest.TestCase):
    def test_the_server_believes_it(self):
        place = Path(tempfile.mkdtemp(prefix="pawl-chaos-"))
        rig = Rig(place, 1, chaos.PROGRAMS, workers=0)
        self.addCleanup(rig.remove)
        self.addCleanup(rig.end)
        rig.start_server()
        definition = json.dumps({"name": "one", "nodes": {"a": {"run": "true"}}})

        def submitted_at():
            with rig.connect() as client:
                answer = client.call("submit", definition=definition, file_name="one.yaml")
                time = client.call("read_history", execution=answer["execution"])["entries"][0]["time"]
            return datetime.fromisoformat(time[:19])

        day = timedelta(days=1)
        now = submitted_at()
        rig.set_clock(7 * 86_400)
        wait_for("time a week from now", lambda: submitted_at() > now + 6 * day)
        rig.set_clock(-7 * 86_400)
        wait_for("time a week ago", lambda: submitted_at() < now - 6 * day)


class IdleTest(unittest.TestCase):
    def test_a_run_in_which_nothing_happened_fails(self):
        run = chaos.Run(chaos.arguments(["--seconds", "0.1", "--faults", "none", "--clients", "0", "--seed", "1"]))
        with contextlib.redirect_stdout(io.StringIO()):
            faults = run.do()
            self.assertIn("too little happened: 0 executions, at least 1 wanted", faults)
            self.assertIn("too little happened: no fault was asked for", faults)
            run.given.keep = False
            run.auditor.faults = []
            run.close()


# An attempt says that it runs, and ends once its gate is open.
GATED = Kind(
    nodes={"gate": {"run": "\n".join([
        EFFECT, 'until [ -e ${ .input.gates }/$PAWL_ATTEMPT ]; do sleep 0.05; done', f"echo {OWN}"])}},
    output="${ .nodes.gate.output }",
    result=lambda outputs: outputs["gate"],
)


class FencingTest(unittest.TestCase):
    """A result that was held up in the network until another attempt had been granted, and ran."""

    def setUp(self):
        self.place = Path(tempfile.mkdtemp(prefix="pawl-chaos-"))
        KINDS["gated"] = GATED
        self.addCleanup(KINDS.pop, "gated")

    def gate(self, attempt):
        (self.place / f"{attempt}").touch()

    def late_result(self, program):
        rig = Rig(self.place, 1, chaos.PROGRAMS, program, workers=2)
        self.addCleanup(rig.remove)
        self.addCleanup(rig.end)
        first, second = rig.seats
        rig.start_server()
        rig.start_worker(first)
        first.worker.said("working for")
        with rig.connect() as client:
            definition = {"name": "gated", "input": {"request": None, "effects": None, "gates": None},
                          "nodes": GATED.nodes, "output": GATED.output}
            answer = client.call("submit", definition=json.dumps(definition), file_name="gated.yaml",
                                 input={"request": "r", "effects": str(rig.effects), "gates": str(self.place)},
                                 request_id="r")
            execution = answer["execution"]
            ran = lambda attempt: ("gate", 0, attempt) in rig.effect_lines().get(execution, [])
            wait_for("first attempt", lambda: ran(1))
            sent = first.link.bytes["up"]
            first.link.set(up=False, down=False)
            self.gate(1)  # it reports, and is not heard
            rig.start_worker(second)
            wait_for("second attempt", lambda: ran(2))
            first.link.heal()  # now it is heard
            wait_for("what was held up", lambda: first.link.bytes["up"] > sent)
            wait_for("new session", lambda: first.worker.times("working for") == 2)
            self.gate(2)
            client.call("await", execution=execution)
            detail = client.call("get_execution", execution=execution)
            entries = client.call("read_history", execution=execution)["entries"]
            output = client.payload(detail["output"])
        return list(check_execution("r", "gated", execution, output, entries, rig.effect_lines()[execution]))

    def test_pawl_refuses_it(self):
        self.assertEqual(self.late_result("pawl"), [])

    def test_a_server_without_fencing_is_found_out(self):
        faults = self.late_result("pawl-unfenced")
        self.assertTrue(any("attempt 2 is recorded with 'r/gate/0/1'" in fault for fault in faults), faults)


if __name__ == "__main__":
    machine.enter(sys.argv[1:])
    sys.exit(unittest.main())
