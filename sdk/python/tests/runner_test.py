"""Launches without a server: what happens between a grant and its report."""

import json
import queue
import signal
import tempfile
import threading
import unittest
from pathlib import Path
from unittest import mock

import tasks_for_tests as tasks
from sdk_case import PATIENCE

from pawl.tasks import spec_of
from pawl.worker.definition import NodeDefinition, WorkflowDefinition
from pawl.worker.messages import AttemptReport, BlobRef, FailureKind, Grant, RunContext, TaskRange
from pawl.worker.payloads import PayloadError
from pawl.worker.process import Hand
from pawl.worker.runner import Runner
from pawl.worker.session import Launch


class Payloads:
    """Gives 0 for every payload, once it is told to."""

    def __init__(self):
        self.asked = threading.Semaphore(0)
        self.go = threading.Event()
        self.errors = []  # of what is put

    def get(self, ref):
        self.asked.release()
        assert self.go.wait(PATIENCE)
        return b"0"

    def put(self, ref, data):
        self.asked.release()
        if (error := self.errors.pop(0)) is not None:
            raise error


class RunnerTest(unittest.TestCase):
    def setUp(self):
        self.payloads = Payloads()
        self.news = queue.Queue()
        functions = {spec_of(function).name: spec_of(function) for function in tasks.ALL}
        self.runner = Runner(functions, 100, self.payloads, lambda launch, news: self.news.put(news))
        self.addCleanup(self.runner.close)
        self.launches = 0
        self.pause = threading.Event()

    def start(self, function, input=b"null"):
        node = NodeDefinition("a", 2, False, 0, 0, 5, function, ())
        run = RunContext(1, WorkflowDefinition("w", (node,)), 0, input, b"", {}, 1, None, (1, 2))
        self.launches += 1
        self.runner.start(Launch(self.launches, Grant(17, TaskRange(1, 0, 0, 1), 1, 99, run)))
        return self.launches

    def report(self):
        while not isinstance(news := self.news.get(timeout=PATIENCE), AttemptReport):
            pass
        return news

    def test_what_is_stopped_while_its_input_comes_does_not_begin(self):
        for function in ("square", "sleep_async", "process_id"):
            self.payloads.go.clear()
            launch = self.start(function, BlobRef(1, 1, 1, 0, 0))
            self.assertTrue(self.payloads.asked.acquire(timeout=PATIENCE))
            self.runner.stop(launch)
            self.payloads.go.set()
            self.assertEqual(self.report().kind, FailureKind.DECLINED, function)

    def test_a_result_that_finds_no_room_is_held_and_one_that_nobody_takes_is_declined(self):
        text = json.dumps("x" * 70_000).encode()
        with mock.patch("pawl.worker.runner.ROOM_PAUSE", 0.01):
            self.payloads.errors = [PayloadError("full", no_room=True)] * 3 + [None]
            self.start("echo", text)
            self.assertIsNone(self.report().kind)
            self.payloads.errors = [PayloadError("nobody is there", passes=True)]
            self.start("echo", text)
            self.assertEqual(self.report().kind, FailureKind.DECLINED)
            self.payloads.errors = [PayloadError("damaged")]
            self.start("echo", text)
            self.assertEqual(self.report().kind, FailureKind.OUTPUT)

    def test_ctrl_c_does_not_reach_a_process_that_is_only_starting(self):
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        hand = Hand()
        self.addCleanup(hand.close)
        with mock.patch("pawl.worker.process.serve", tasks.tell_blocked_signals):
            ended = hand.call(
                tasks.square, [1], {}, mock.Mock(identity=None, late=lambda: None, time_left=lambda: None)
            )
        self.assertEqual(ended.output, b"true")
        self.assertEqual(signal.pthread_sigmask(signal.SIG_BLOCK, ()), before)

    def test_inputs_on_their_way_do_not_take_the_threads_of_tasks(self):
        with tempfile.TemporaryDirectory() as folder:
            self.start("gate_then_thread", json.dumps(folder).encode())
            while not Path(folder, "began").exists():
                self.pause.wait(0.01)
            for number in range(40):  # more than the threads that asyncio has by itself
                self.start("sleep_async", BlobRef(1, number, 1, 0, 0))
            Path(folder, "go").touch()
            self.assertEqual(self.report().outputs, (b"1",))
        self.payloads.go.set()


if __name__ == "__main__":
    unittest.main()
