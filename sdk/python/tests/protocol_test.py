"""The protocol without a network: every kind of loss, and what the bytes mean."""

import random
import unittest
from collections import deque

from pawl.tasks import spec_of, task
from pawl.worker.definition import NodeDefinition, WorkflowDefinition, decode_workflow, item_at
from pawl.worker.expressions import ExpressionError, follow, plain_path
from pawl.worker.hashing import hash128, idempotency_key, span_of
from pawl.worker.link import Link
from pawl.worker.messages import (
    AttemptProgress,
    AttemptReport,
    AttemptTimes,
    Closed,
    FailureKind,
    Goodbye,
    Grant,
    Grants,
    Heartbeat,
    HeldAttempts,
    Hello,
    Message,
    Progress,
    Recall,
    Reports,
    Returned,
    RunContext,
    RunningAttempts,
    Stops,
    TaskRange,
    Welcome,
    WorkerSpec,
    carried_bytes,
)
from pawl.worker.session import Session, join, without

WORKER, COORDINATOR = 7, 1


class LinkTest(unittest.TestCase):
    def test_nothing_is_lost_or_doubled_on_a_lossy_way(self):
        for seed in range(50):
            dice = random.Random(seed)
            ends = [Link(WORKER, COORDINATOR, 1), Link(COORDINATOR, WORKER, 1)]
            sent, got, under_way = [[], []], [[], []], []
            now = 0.0
            while now < 200 and not (now > 20 and all(end.idle for end in ends) and not under_way):
                now += dice.random() * 0.2
                for side, end in enumerate(ends):
                    if now < 10 and dice.random() < 0.7:
                        body = Welcome(len(sent[side]))
                        end.send(body)
                        sent[side].append(body)
                    for message in end.poll(now):
                        for _ in range(dice.choice([0, 1, 1, 2])):
                            under_way.append((side, message))
                dice.shuffle(under_way)
                for _ in range(len(under_way) // 2 + 1 if under_way else 0):
                    side, message = under_way.pop()
                    got[1 - side] += ends[1 - side].deliver(message, now).bodies
            with self.subTest(seed=seed):
                self.assertGreater(len(sent[0]), 20)
                self.assertEqual((got[1], got[0]), (sent[0], sent[1]))

    def test_what_is_slow_is_not_sent_twice_and_a_heartbeat_behind_it_is_not_late(self):
        for rate in (80_000, 1_000_000):
            ends = [Link(WORKER, COORDINATOR, 1), Link(COORDINATOR, WORKER, 1)]
            ends[0].send(Heartbeat())
            for _ in range(3):  # they get to know each other
                for side in (0, 1):
                    for message in ends[side].poll(0.0):
                        ends[1 - side].deliver(message, 0.0)
            output = b'"' + b"x" * 30_000 + b'"'
            left = [AttemptReport(TaskRange(1, 0, i, i + 1), 1, 9, (output,)) for i in range(100)]
            now = free = carried = heartbeat = heartbeat_at = longest = 0.0
            way = deque()
            while (left or not ends[0].idle) and now < 300:
                now += 0.001
                while way and way[0][0] <= now:
                    ends[1].deliver(way.popleft()[1], now)
                if heartbeat and ends[0].acknowledged >= heartbeat:
                    longest, heartbeat = max(longest, now - heartbeat_at), 0
                while left and ends[0].room > 0:
                    ends[0].send(Reports((left.pop(),)))
                if not heartbeat and now > heartbeat_at + 3:
                    heartbeat, heartbeat_at = ends[0].send(Heartbeat()), now
                for message in ends[0].poll(now):
                    size = carried_bytes(message.body) if message.body else 48
                    carried += size
                    free = max(free, now) + size / rate
                    way.append((free, message))
                for message in ends[1].poll(now):
                    ends[0].deliver(message, now)
            with self.subTest(rate=rate):
                self.assertTrue(ends[0].idle)
                self.assertLess(carried, 1.15 * 100 * 30_000)
                self.assertLess(longest, 3.0)

    def test_a_restarted_peer_gets_nothing_of_the_old_life(self):
        link = Link(WORKER, COORDINATOR, 1)
        link.send(Heartbeat())
        (probe,) = link.poll(0.0)
        self.assertEqual((probe.sequence, probe.peer_incarnation), (0, 0))
        link.deliver(Message(COORDINATOR, WORKER, 4, 1), 0.1)
        (first,) = link.poll(0.1)
        self.assertEqual((first.sequence, first.peer_incarnation), (1, 4))
        delivery = link.deliver(Message(COORDINATOR, WORKER, 5, 1, 1, 0, Welcome(3)), 0.2)
        self.assertTrue(delivery.peer_restarted)
        self.assertEqual((delivery.undelivered, delivery.bodies), ([Heartbeat()], [Welcome(3)]))
        self.assertEqual(link.deliver(Message(COORDINATOR, WORKER, 4, 1, 2, 0, Welcome(9)), 0.3).bodies, [])


def context(*, priority=5):
    node = NodeDefinition("a", 1, True, 0, 0, priority, "f", ())
    return RunContext(1, WorkflowDefinition("w", (node,)), 0, None, b"", {}, 100, None, (1, 2))


class SessionTest(unittest.TestCase):
    """A session against a coordinator that the test plays."""

    def setUp(self):
        self.now = 0.0
        self.session = Session(WorkerSpec("w", 2, 4, ("f",), 9.0), WORKER, self.now)
        self.sequence = 0
        self.incarnation = 1
        self.heard = 0

    def tell(self, body):
        self.sequence += 1
        message = Message(COORDINATOR, WORKER, self.incarnation, 1, self.sequence, self.heard, body)
        self.session.receive(message, self.now)
        return self.turn()

    def turn(self, acknowledge=True):
        turn = self.session.turn(self.now)
        bodies = [m.body for m in turn.messages if m.sequence > self.heard]
        if acknowledge:
            self.heard = max([self.heard, *(m.sequence for m in turn.messages)])
            self.session.receive(Message(COORDINATOR, WORKER, self.incarnation, 1, 0, self.heard), self.now)
        return turn, bodies

    def greet(self):
        self.session.turn(self.now)
        self.session.receive(Message(COORDINATOR, WORKER, self.incarnation, 1), self.now)
        _, (hello,) = self.turn()
        self.assertIsInstance(hello, Hello)
        self.tell(Welcome(17))
        self.assertTrue(self.session.connected)
        return hello

    def grant(self, begin, end, **options):
        return Grant(17, TaskRange(1, 0, begin, end), 1, 99, context(**options))

    def report(self, launch):
        return AttemptReport(launch.grant.range, 1, 99, (b"1",))

    def told(self, begin, end, queued=0.0, ran=0.0):
        outputs = (b"1",) * (end - begin)
        return AttemptReport(TaskRange(1, 0, begin, end), 1, 99, outputs, times=AttemptTimes(queued, ran))

    def test_slots_credit_and_priority(self):
        self.greet()
        turn, _ = self.tell(Grants((self.grant(0, 3),)))
        self.assertEqual([launch.item for launch in turn.start], [0, 1])
        _, bodies = self.tell(Grants((self.grant(10, 12, priority=9),)))
        (declined,) = bodies[-1].reports
        self.assertEqual((declined.range.begin, declined.range.end, declined.kind), (11, 12, FailureKind.DECLINED))
        self.session.ended(turn.start[0].id, self.report(turn.start[0]), self.now)
        turn, bodies = self.turn()
        self.assertEqual([launch.item for launch in turn.start], [10])
        self.assertEqual(bodies, [Reports((self.told(0, 1),))])

    def test_it_says_how_long_tasks_waited_here_and_ran(self):
        self.greet()
        turn, _ = self.tell(Grants((self.grant(0, 3),)))
        self.now += 2
        self.session.ended(turn.start[0].id, self.report(turn.start[0]), self.now)
        second = turn.start[1]
        turn, bodies = self.turn()
        self.assertIn(Reports((self.told(0, 1, queued=0, ran=2),)), bodies)
        self.now += 0.5
        self.session.ended(second.id, self.report(second), self.now)
        self.session.ended(turn.start[0].id, self.report(turn.start[0]), self.now)
        _, bodies = self.turn()
        self.assertIn(Reports((self.told(1, 3, queued=0 + 2, ran=2.5 + 0.5),)), bodies)

    def test_it_says_how_many_run_and_not_what_waits(self):
        self.greet()
        turn, bodies = self.tell(Grants((self.grant(0, 3),)))
        self.assertEqual(bodies, [Progress((), (RunningAttempts(1, 0, 2),))])
        self.session.ended(turn.start[0].id, self.report(turn.start[0]), self.now)
        self.now += 0.2
        _, bodies = self.turn()
        self.assertEqual([b for b in bodies if isinstance(b, Progress)], [], "a slot that is filled again is not new")
        _, bodies = self.tell(Stops((HeldAttempts(TaskRange(1, 0, 1, 3), 1, 99),)))
        self.assertEqual(bodies, [Progress((), ())])

    def test_it_says_how_long_what_runs_has_run(self):
        self.greet()
        turn, _ = self.tell(Grants((self.grant(0, 2),)))
        self.session.progressed(turn.start[1].id, AttemptProgress(1, 0, 1, 1, 250, "a quarter"), self.now)
        self.now += 1.5
        _, bodies = self.turn()
        (progress,) = [body for body in bodies if isinstance(body, Progress)]
        self.assertEqual(
            progress.items,
            (
                AttemptProgress(1, 0, 1, 1, 250, "a quarter"),  # as it was said
                AttemptProgress(1, 0, 0, 1, 0, "", running=1.5),
                AttemptProgress(1, 0, 1, 1, 250, "a quarter", running=1.5),
            ),
        )

    def test_every_word_is_said_in_its_order_and_before_the_report(self):
        self.greet()
        turn, _ = self.tell(Grants((self.grant(0, 1),)))
        launch = turn.start[0]
        said = []
        for batch in range(3):
            for i in range(50):
                word = AttemptProgress(1, 0, 0, 1, 500, f"{batch}-{i}")
                self.session.progressed(launch.id, word, self.now)
            if batch == 2:
                self.session.ended(launch.id, self.report(launch), self.now)
            else:
                self.now += 0.1
            _, bodies = self.turn()
            said += [one for body in bodies if isinstance(body, Progress) for one in body.items]
        self.assertEqual([one.message for one in said], [f"{batch}-{i}" for batch in range(3) for i in range(50)])
        kinds = [type(body) for body in bodies]
        self.assertLess(kinds.index(Progress), kinds.index(Reports))

    def test_much_progress_takes_several_messages(self):
        self.session = Session(WorkerSpec("w", 1000, 1000, ("f",), 9.0), WORKER, self.now)
        self.greet()
        turn, _ = self.tell(Grants((self.grant(0, 600),)))
        for launch in turn.start:
            said = AttemptProgress(1, 0, launch.item, 1, 500, "x" * 4096)
            self.session.progressed(launch.id, said, self.now)
        seen = []
        while len(seen) < 600:
            self.now += 0.1
            _, bodies = self.turn()
            (progress,) = [body for body in bodies if isinstance(body, Progress)]
            self.assertLess(carried_bytes(progress), 1.1 * (1 << 20))
            seen += [one.item for one in progress.items]
        self.assertEqual(seen, list(range(600)))

    def test_stops_reach_what_waits_and_what_runs(self):
        self.greet()
        turn, _ = self.tell(Grants((self.grant(0, 4),)))
        running = turn.start[1].id
        turn, _ = self.tell(Stops((HeldAttempts(TaskRange(1, 0, 1, 4), 1, 99),)))
        self.assertEqual(turn.stop, [running])
        self.now += 6
        self.assertEqual(self.turn()[0].kill, [running])
        self.session.ended(running, AttemptReport(TaskRange(1, 0, 1, 2), 1, 99), self.now)
        turn, bodies = self.turn()
        self.assertEqual((turn.start, [b for b in bodies if isinstance(b, Reports)]), ([], []))

    def test_a_recall_brings_back_what_waits_and_nothing_that_runs(self):
        self.greet()
        turn, _ = self.tell(Grants((self.grant(0, 4),)))
        self.assertEqual([launch.item for launch in turn.start], [0, 1])
        turn, bodies = self.tell(Recall((HeldAttempts(TaskRange(1, 0, 1, 9), 1, 99),)))
        self.assertEqual(bodies, [Returned((HeldAttempts(TaskRange(1, 0, 2, 4), 1, 99),))])
        self.assertEqual((turn.start, turn.stop, self.session.running), ([], [], 2))
        _, bodies = self.tell(Recall((HeldAttempts(TaskRange(1, 0, 0, 9), 1, 99),)))
        self.assertEqual(bodies, [Returned(())], "answered, so that the coordinator knows")
        _, bodies = self.tell(Grants((self.grant(10, 13),)))
        (declined,) = bodies[-1].reports
        self.assertEqual(declined.range, TaskRange(1, 0, 12, 13), "what came back is credit again")

    def test_a_new_life_of_the_coordinator_is_told_what_is_held(self):
        self.greet()
        turn, _ = self.tell(Grants((self.grant(0, 3),)))
        self.session.ended(turn.start[0].id, self.report(turn.start[0]), self.now)
        self.turn(acknowledge=False)  # its report is lost with the old life
        self.incarnation, self.sequence, self.heard = 2, 0, 0
        self.session.receive(Message(COORDINATOR, WORKER, 2, 1), self.now)
        _, (hello,) = self.turn()
        self.assertEqual(hello.session, 17)
        held = sorted((h.range.begin, h.range.end) for h in hello.held)
        self.assertEqual(held, [(0, 1), (1, 2), (2, 3)])
        _, bodies = self.tell(Welcome(17))
        self.assertEqual(bodies, [Reports((self.told(0, 1),))])
        self.assertEqual(self.session.running, 2)

    def test_silence_ends_the_session(self):
        self.greet()
        turn, _ = self.tell(Grants((self.grant(0, 2),)))
        started = [launch.id for launch in turn.start]
        self.now += 3.1
        self.assertIn(Heartbeat(running=2), self.turn(acknowledge=False)[1])
        self.now += 6
        self.assertEqual(self.turn()[0].stop, started)
        self.assertFalse(self.session.connected)
        self.assertEqual(self.session.running, 0)
        self.assertTrue(self.session.notices)

    def test_heartbeats_keep_it(self):
        self.greet()
        for _ in range(20):
            self.now = self.session.deadline() if self.session.deadline() > self.now else self.now + 0.01
            self.turn()
            self.session.receive(Message(COORDINATOR, WORKER, 1, 1, 0, self.heard), self.now)
            self.turn()
        self.assertGreater(self.now, 9)
        self.assertTrue(self.session.connected)

    def test_drain_says_goodbye_last(self):
        self.greet()
        turn, _ = self.tell(Grants((self.grant(0, 3),)))
        self.session.drain()
        for launch in turn.start:
            self.session.ended(launch.id, self.report(launch), self.now)
        turn, bodies = self.turn()
        self.assertEqual(turn.start, [])
        self.assertEqual([type(body) for body in bodies if isinstance(body, (Reports, Goodbye))], [Reports, Goodbye])
        self.assertEqual(bodies[-1], Goodbye())
        self.session.receive(Message(COORDINATOR, WORKER, 1, 1, 0, self.heard), self.now)
        self.turn()
        self.assertTrue(self.session.gone)

    def test_whoever_drains_says_so_and_then_gives_back_what_has_not_begun(self):
        self.greet()
        self.tell(Grants((self.grant(0, 4),)))
        self.session.drain()
        _, bodies = self.turn()
        said = [body for body in bodies if isinstance(body, (Heartbeat, Returned))]
        back = Returned((HeldAttempts(TaskRange(1, 0, 2, 4), 1, 99),))
        self.assertEqual(said, [Heartbeat(running=2, leaving=True), back])
        _, bodies = self.tell(Grants((self.grant(5, 6),)))
        crossed = Returned((HeldAttempts(TaskRange(1, 0, 5, 6), 1, 99),))
        self.assertEqual(bodies, [crossed])
        self.assertEqual(self.session.running, 2)

    def test_a_closed_session_is_opened_again(self):
        self.greet()
        turn, _ = self.tell(Grants((self.grant(0, 1),)))
        closed, bodies = self.tell(Closed("away too long"))
        self.assertEqual(closed.stop, [turn.start[0].id])
        self.assertEqual([b.session for b in bodies if isinstance(b, Hello)], [0])


class RangesTest(unittest.TestCase):
    def test_without(self):
        range_ = TaskRange(1, 0, 2, 8)
        for hole, rest in (((0, 2), [(2, 8)]), ((4, 5), [(2, 4), (5, 8)]), ((0, 9), []), ((7, 9), [(2, 7)])):
            left = without(range_, TaskRange(1, 0, *hole))
            self.assertEqual([(r.begin, r.end) for r in left], rest, hole)

    def test_join(self):
        def report(begin, end, outputs=(), **more):
            return AttemptReport(TaskRange(1, 0, begin, end), 1, 5, outputs, **more)

        self.assertEqual(join(report(0, 1), report(1, 2)), report(0, 2))
        self.assertEqual(join(report(0, 1, (b"1",)), report(1, 2, (b"2",))), report(0, 2, (b"1", b"2")))
        self.assertIsNone(join(report(0, 1), report(1, 2, (b"2",))))
        self.assertIsNone(join(report(0, 1), report(2, 3)))
        self.assertIsNone(join(report(0, 1), report(1, 2, kind=FailureKind.FUNCTION)))
        self.assertIsNone(join(report(0, 1), report(1, 2, times=AttemptTimes(1, 2))))


class BytesTest(unittest.TestCase):
    def test_hashes_are_those_of_the_server(self):
        known = {  # of src/pawl/base/hash_test.cc
            b"": "b6063502737bf40f4797f462c217f924",
            b"a": "bdbe845fb43354b8cbccf1956372149d",
            b"12345678": "168bcdea8e8205427216030b952d2e66",
            b"The pawl never slips back.": "35d694bb23a98edb61a2afbf77ba20e9",
        }
        for data, hash_ in known.items():
            low, high = hash128(data)
            self.assertEqual(f"{high:016x}{low:016x}", hash_)
        # of src/pawl/model/trace_test.cc
        self.assertEqual(span_of((1, 2), execution=17, node=2, item=42, attempt=3), 0xE8FC7C2C67769381)
        self.assertEqual(len(idempotency_key((1, 2), 3, 4, 5)), 32)

    def test_damaged_bytes_are_refused(self):
        for data in (b"", b"\x00", b"\x01", b"\x01\x05ab", b"\x7f"):
            with self.assertRaises(ValueError):
                decode_workflow(data)
        with self.assertRaises(ValueError):
            item_at(b"\x05" + bytes(7), 0)

    def test_plain_paths(self):
        paths = {
            ".input": ("input",),
            " .nodes.x.output[3] ": ("nodes", "x", "output", "3"),
            '.nodes["my-node"].output': ("nodes", "my-node", "output"),
            '."a b".c': ("a b", "c"),
            ".": None,
            ".a | .b": None,
            '.a"b"': None,
            ".a[-1]": None,
            ".a[01]": None,
            '.["1"]': None,
            "input": None,
        }
        for text, path in paths.items():
            self.assertEqual(plain_path(text), path, text)

    def test_steps(self):
        self.assertIsNone(follow({"a": None}, ["a", "b", "c"]))
        self.assertEqual(follow({"a": [1, 2]}, ["a", "1"]), 2)
        self.assertIsNone(follow([1], ["7"]))
        with self.assertRaises(ExpressionError):
            follow({"a": [1]}, ["a", "b"])
        with self.assertRaises(ExpressionError):
            follow(True, ["b"])
        with self.assertRaisesRegex(ExpressionError, "cannot index object with number 0"):
            follow({"a": {"0": 1}}, ["a", "0"])


class ArgumentsTest(unittest.TestCase):
    def test_pack_and_unpack_are_inverse(self):
        @task
        def none(): ...
        @task
        def one(a): ...
        @task
        def two(a, b=2, *, c=3): ...
        @task
        def any_(*args): ...
        @task
        def open_(a, /, **more): ...

        calls = [(none, (), {}), (one, ({"x": 1},), {}), (two, (1,), {}), (two, (1, 5), {"c": 7}), (any_, (1, 2), {})]
        for function, args, kwargs in [*calls, (open_, (1,), {"z": 2})]:
            spec = spec_of(function)
            back = spec.unpack(spec.pack(args, kwargs))
            bound = [spec.pack(tuple(back[0]), back[1]), spec.pack(args, kwargs)]
            self.assertEqual(bound[0], bound[1], spec.name)

    def test_what_does_not_fit_is_said(self):
        @task
        def two(a, b): ...

        spec = spec_of(two)
        for value in (1, {"a": 1}, [1, 2, 3], {"a": 1, "b": 2, "c": 3}, None):
            with self.assertRaises(TypeError) as raised:
                spec.unpack(value)
            self.assertIn("two", str(raised.exception))

    def test_async_functions_do_not_run_in_processes(self):
        with self.assertRaises(TypeError):

            @task(process=True)
            async def wrong(): ...


if __name__ == "__main__":
    unittest.main()
