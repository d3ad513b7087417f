"""The worker's side of the protocol: says hello, takes grants, says how they ended. No I/O, no clock.

    session = Session(spec, address, now)
    session.receive(message, now)             # for each that arrived
    session.ended(launch.id, report, now)     # for each that ended
    turn = session.turn(now)                  # what is to be sent, started and stopped
    ... not later than session.deadline()

The rules are those of src/pawl/worker/worker.h, with launches of one item each:

* At most `spec.slots` launches run, by priority, then in order of arrival.
* A stopped item that still waits is dropped; one that runs is asked to end, then killed STOP_GRACE later.
  Neither is reported.
* What a recall names and still waits is not started any more and comes back; each is answered, if only with
  nothing.
* Each word about progress goes, in its order and before the report of its attempt; of more than
  WORDS_WAITING_MAX that wait the oldest are left out.
* A heartbeat goes out every third of the lease. The lease runs from before the sending of what the
  coordinator last acknowledged; when it is over, so is the session, here as there.
* When the coordinator has come back, hello is said with the session and what is held of it; what runs goes
  on, and what the old one may not have kept is reported again.
* When a session is over its attempts are stopped unreported, and hello is said again at once. (Threads
  cannot be killed: one that does not listen keeps its slot until it ends.)
* drain(): starts nothing more, lets what runs end, says goodbye. abandon(): asks what runs to end, too.

Threading: one thread.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import islice
from typing import Optional

from pawl.worker.link import Link
from pawl.worker.messages import (
    AttemptProgress,
    AttemptReport,
    AttemptTimes,
    Body,
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
    RunningAttempts,
    Stops,
    TaskRange,
    Welcome,
    WorkerSpec,
    progress_bytes,
    report_bytes,
)

COORDINATOR = 1
STOP_GRACE = 5.0
PROGRESS_INTERVAL = 0.1
HELLO_INTERVAL = 1.0  # after a refused hello
LOOK_INTERVAL = 1.0  # between words about how long what runs has run
LOOKED_AT_MAX = 256  # of those that have run longest
PROGRESS_BYTES_MAX = 1 << 20  # of messages in one
WORDS_WAITING_MAX = 16_384  # about progress; of more the oldest are left out
REPORT_BYTES_MAX = 4 << 20  # of outputs in one message
JOINED_OUTPUTS_MAX = 256  # in one report
JOINED_BYTES_MAX = 256  # of the one that joins
PRIORITIES = 10


class Phase(Enum):
    APART = "apart"  # hello when its time has come
    GREETING = "greeting"
    SERVING = "serving"
    LEAVING = "leaving"  # goodbye sent
    GONE = "gone"


@dataclass(frozen=True)
class Launch:
    """One item to be run. `id` is unique for the life of the worker."""

    id: int
    grant: Grant

    @property
    def item(self) -> int:
        return self.grant.range.begin


@dataclass
class Turn:
    messages: list[Message] = field(default_factory=list)
    start: list[Launch] = field(default_factory=list)
    stop: list[int] = field(default_factory=list)  # launches to be asked to end
    kill: list[int] = field(default_factory=list)  # and to be ended


@dataclass
class _Run:
    launch: Launch
    since: float
    said: Optional[AttemptProgress] = None  # last
    wanted: bool = True  # somebody waits for its report
    kill_at: float = math.inf


class Slots:
    """What may run at once, and the numbers of launches: shared by the sessions of a worker."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._launches = 0

    @property
    def free(self) -> int:
        return self._free

    def take(self) -> int:
        """The number of the launch that has the slot."""
        self._free -= 1
        self._launches += 1
        return self._launches

    def give_back(self) -> None:
        self._free += 1


class Session:
    def __init__(
        self, spec: WorkerSpec, address: int, now: float, engine: int = COORDINATOR, slots: Optional[Slots] = None
    ) -> None:
        self.spec = spec
        self.partitions = 1  # of the coordinator, as its welcome says
        self._slots = slots or Slots(spec.slots)
        self.id = 0  # of the session; 0: none
        self.notices: list[str] = []  # lines for people, to be taken by whoever logs
        self._link = Link(address, engine, incarnation=1)
        self._phase = Phase.APART
        self._draining = False
        self._hello_at = now
        self._greeted_at = now
        self._lease_from = now
        self._heartbeat_at = math.inf
        self._heartbeat_sequence = 0  # of the one in flight; 0: none
        self._heartbeat_sent = now
        self._queue: list[deque[Grant]] = [deque() for _ in range(PRIORITIES)]
        self._queued_items = 0
        self._runs: dict[int, _Run] = {}
        self._returned: Optional[list[HeldAttempts]] = None  # waiting for the link
        self._said_leaving = False
        self._reports: list[AttemptReport] = []
        self._words: deque[AttemptProgress] = deque(maxlen=WORDS_WAITING_MAX)  # to be said
        self._again: dict[tuple[int, int, int], AttemptProgress] = {}  # what was, with how long it has run
        self._progress_at = now
        self._look_at = math.inf
        self._said_running: tuple[RunningAttempts, ...] = ()  # in this session
        self._turn = Turn()

    @property
    def gone(self) -> bool:
        return self._phase is Phase.GONE

    @property
    def connected(self) -> bool:
        return self._phase is Phase.SERVING

    @property
    def draining(self) -> bool:
        return self._draining

    @property
    def running(self) -> int:
        return sum(run.wanted for run in self._runs.values())

    # --- what happens to it ---

    def receive(self, message: Message, now: float) -> None:
        first_contact = self._link.peer_incarnation == 0
        delivery = self._link.deliver(message, now)
        if first_contact and self._link.peer_incarnation != 0:
            self._greeted_at = now  # a hello that waited for the coordinator is on its way only now
        if delivery.peer_restarted:
            self._resume(delivery.undelivered, now)
        for body in delivery.bodies:
            self._take(body, now)

    def ended(self, launch: int, report: AttemptReport, now: float) -> None:
        run = self._runs.pop(launch, None)
        if run is None:
            return
        self._slots.give_back()
        if not run.wanted:
            return
        where = report.range
        self._again.pop((where.execution, where.node, where.begin), None)
        times = AttemptTimes(queued=run.since - run.launch.grant.arrived, ran=now - run.since)
        self._report(replace(report, times=times))

    def progressed(self, launch: int, progress: AttemptProgress, now: float) -> None:
        run = self._runs.get(launch)
        if run is not None and run.wanted:
            run.said = progress
            self._words.append(replace(progress, running=now - run.since))

    def drain(self) -> None:
        self._draining = True

    def abandon(self, now: float) -> None:
        self.drain()
        for run in self._runs.values():
            self._let_go(run, now)

    def leave(self) -> None:
        """Without waiting for anybody to hear the goodbye."""
        self._phase = Phase.GONE

    # --- turns ---

    def turn(self, now: float) -> Turn:
        if not self.gone:
            self._keep_session(now)
            self._look(now)
            self._launch(now)
            self._flush(now)
            self._greet_or_leave(now)
            for run in self._runs.values():
                if run.kill_at <= now:
                    self._turn.kill.append(run.launch.id)
                    run.kill_at = math.inf
            self._turn.messages += self._link.poll(now)
        turn, self._turn = self._turn, Turn()
        return turn

    def deadline(self) -> float:
        if self.gone:
            return math.inf
        at = min([self._link.deadline(), *(run.kill_at for run in self._runs.values())])
        if self.id:
            at = min(at, self._lease_from + self.spec.lease)
        if self._phase is Phase.GREETING and self._link.idle:
            at = min(at, self._greeted_at + self.spec.lease)
        at = min(at, self._look_at)
        if self._link.full:
            return at
        if self._phase is Phase.APART:
            at = min(at, self._hello_at)
        if self._phase is Phase.SERVING:
            at = min(at, self._heartbeat_at)
            if self._link.room > 0 and (self._words or self._again or self._counted() != self._said_running):
                at = min(at, self._progress_at)
        return at

    # --- messages ---

    def _take(self, body: Body, now: float) -> None:
        if isinstance(body, Welcome):
            self._take_welcome(body, now)
        elif isinstance(body, Grants):
            for grant in body.grants:
                self._take_grant(replace(grant, arrived=now))
        elif isinstance(body, Stops):
            for stop in body.stops:
                self._take_stop(stop, now)
        elif isinstance(body, Recall):
            self._take_recall(body)
        elif isinstance(body, Closed):
            self.notices.append(f"session closed by the coordinator: {body.reason}")
            # In greeting it refuses our hello, or is about a session that we have given up: no hurry.
            self._end_session(now, hello_at=now if self.id else now + HELLO_INTERVAL)

    def _take_welcome(self, welcome: Welcome, now: float) -> None:
        if self._phase in (Phase.LEAVING, Phase.GONE):
            return
        # It has heard two hellos of ours: the session of the first was over when it opened this one.
        if self.id and welcome.session != self.id:
            self._end_session(now, hello_at=now)
        self._phase = Phase.SERVING
        self._lease_from = self._greeted_at
        self.id = welcome.session
        self.partitions = welcome.partitions
        self._heartbeat_sequence = 0
        self._heartbeat_at = now + self.spec.lease / 3
        self._said_leaving = False
        self._said_running = ()  # a coordinator that has come back knows nothing of it

    def _take_grant(self, grant: Grant) -> None:
        if self._phase is not Phase.SERVING or grant.session != self.id:
            return
        room = max(0, self.spec.credit - self._queued_items - self.running)
        range_ = grant.range
        if range_.size > room:
            excess = range_.part(range_.begin + room, range_.end)
            why = f"worker {self.spec.name} holds its credit of {self.spec.credit} items"
            self._report(AttemptReport(excess, grant.attempt, grant.nonce, kind=FailureKind.DECLINED, error=why))
            range_ = range_.part(range_.begin, range_.begin + room)
        if range_.size > 0:
            level = min(grant.context.definition.priority, PRIORITIES - 1)
            self._queue[level].append(replace(grant, range=range_))
            self._queued_items += range_.size

    def _take_stop(self, stop: HeldAttempts, now: float) -> None:
        if self._phase is not Phase.SERVING:
            return
        self._drop(stop)
        for run in self._runs.values():
            grant = run.launch.grant
            if run.wanted and concerns(stop, grant) and not without(grant.range, stop.range):
                self._let_go(run, now)

    def _take_recall(self, recall: Recall) -> None:
        if self._phase is Phase.SERVING:
            dropped = [part for named in recall.attempts for part in self._drop(named)]
            self._returned = (self._returned or []) + dropped

    def _drop(self, named: HeldAttempts) -> list[HeldAttempts]:
        """What of it waits does so no longer."""
        dropped = []
        for level in self._queue:
            for _ in range(len(level)):
                grant = level.popleft()
                rest = without(grant.range, named.range) if concerns(named, grant) else [grant.range]
                gone = grant.range.size - sum(part.size for part in rest)
                if gone > 0:
                    self._queued_items -= gone
                    begin = max(grant.range.begin, named.range.begin)
                    dropped.append(replace(named, range=grant.range.part(begin, begin + gone)))
                level.extend(replace(grant, range=part) for part in rest)
        return dropped

    # --- its session ---

    def _resume(self, unkept: list[Body], now: float) -> None:
        """The coordinator has come back; of what the old one was told, `unkept` may have died with it."""
        if not self.id or self._phase is Phase.LEAVING:
            self._end_session(now, hello_at=now)
            return
        lost = [report for body in unkept if isinstance(body, Reports) for report in body.reports]
        self._reports = lost + self._reports
        said = [word for body in unkept if isinstance(body, Progress) for word in body.items]
        self._words = deque([*said, *self._words], maxlen=WORDS_WAITING_MAX)
        self._returned = None  # it is no longer held, and so goes to others
        self._heartbeat_at, self._heartbeat_sequence = math.inf, 0
        self._hello_at = now
        self._phase = Phase.APART

    def _end_session(self, now: float, hello_at: float) -> None:
        for run in self._runs.values():
            self._let_go(run, now)
        for level in self._queue:
            level.clear()
        self._queued_items = 0
        self._returned = None
        self._reports.clear()
        self._words.clear()
        self._again.clear()
        self._said_running = ()
        self.id = 0
        self._heartbeat_at, self._heartbeat_sequence = math.inf, 0
        self._hello_at = hello_at
        if self._phase is not Phase.GONE:
            self._phase = Phase.GONE if self._phase is Phase.LEAVING else Phase.APART

    def _keep_session(self, now: float) -> None:
        lease = self.spec.lease
        if self._phase is Phase.GREETING and self._link.idle and now - self._greeted_at >= lease:
            self._end_session(now, hello_at=now)  # whoever took our hello is gone
        if not self.id:
            return
        if self._heartbeat_sequence and self._link.acknowledged >= self._heartbeat_sequence:
            self._lease_from, self._heartbeat_sequence = self._heartbeat_sent, 0
        if now - self._lease_from >= lease:
            self.notices.append(f"no word from the coordinator for a lease ({lease:g} s); stopping its attempts")
            self._end_session(now, hello_at=now)

    def _let_go(self, run: _Run, now: float) -> None:
        if run.wanted:
            run.wanted = False
            run.kill_at = now + STOP_GRACE
            self._turn.stop.append(run.launch.id)

    def _held(self) -> tuple[HeldAttempts, ...]:
        waiting = [HeldAttempts(g.range, g.attempt, g.nonce) for level in self._queue for g in level]
        grants = [run.launch.grant for run in self._runs.values() if run.wanted]
        running = [HeldAttempts(g.range, g.attempt, g.nonce) for g in grants]
        ended = [HeldAttempts(r.range, r.attempt, r.nonce) for r in self._reports]
        return tuple(waiting + running + ended)

    # --- what a turn does ---

    def _launch(self, now: float) -> None:
        while self._phase is Phase.SERVING and not self._draining and self._slots.free > 0:
            level = next((level for level in reversed(self._queue) if level), None)
            if level is None:
                return
            grant = level[0]
            begin, end = grant.range.begin, grant.range.end
            launch = Launch(self._slots.take(), replace(grant, range=grant.range.part(begin, begin + 1)))
            self._queued_items -= 1
            if begin + 1 == end:
                level.popleft()
            else:
                level[0] = replace(grant, range=grant.range.part(begin + 1, end))
            self._runs[launch.id] = _Run(launch, now)
            self._turn.start.append(launch)
            self._look_at = min(self._look_at, now + LOOK_INTERVAL)

    def _look(self, now: float) -> None:
        if now < self._look_at:
            return
        self._look_at = now + LOOK_INTERVAL if self._runs else math.inf
        for run in islice(self._runs.values(), LOOKED_AT_MAX):
            if run.wanted and now - run.since >= LOOK_INTERVAL:
                where, attempt = run.launch.grant.range, run.launch.grant.attempt
                said = run.said or AttemptProgress(where.execution, where.node, where.begin, attempt, 0, "")
                self._again[where.execution, where.node, where.begin] = replace(said, running=now - run.since)

    def _report(self, report: AttemptReport) -> None:
        last = self._reports[-1] if self._reports else None
        joined = join(last, report) if last is not None else None
        if joined is not None:
            self._reports[-1] = joined
        else:
            self._reports.append(report)

    def _flush(self, now: float) -> None:
        if self._phase is not Phase.SERVING:
            return
        if self._draining and not self._link.full:
            self._give_back(now)
        if self._returned is not None and not self._link.full:
            self._link.send(Returned(tuple(self._returned)))
            self._returned = None
        while self._reports and self._words and self._link.room > 0:
            self._send_progress(now)  # those of what has ended are among them
        while self._reports and not self._words and self._link.room > 0:
            self._link.send(Reports(tuple(self._next_reports(min(self._link.room, REPORT_BYTES_MAX)))))
        self._say_progress(now)
        if now >= self._heartbeat_at and not self._link.full:
            self._say_heartbeat(now)

    def _say_heartbeat(self, now: float) -> None:
        self._heartbeat_at = now + self.spec.lease / 3
        if self._heartbeat_sequence == 0:  # one on its way is enough
            self._heartbeat_sequence = self._link.send(Heartbeat(self.running, self._draining))
            self._heartbeat_sent = now

    def _give_back(self, now: float) -> None:
        """What has not begun, once the coordinator has been told not to grant it again."""
        if not self._said_leaving and self._heartbeat_sequence == 0:
            self._say_heartbeat(now)
            self._said_leaving = True
        if not self._said_leaving or self._queued_items == 0:
            return
        queued = [grant for level in self._queue for grant in level]
        held = [HeldAttempts(grant.range, grant.attempt, grant.nonce) for grant in queued]
        self._returned = (self._returned or []) + held
        for level in self._queue:
            level.clear()
        self._queued_items = 0

    def _counted(self) -> tuple[RunningAttempts, ...]:
        nodes = (run.launch.grant.range for run in self._runs.values() if run.wanted)
        counts = Counter((range_.execution, range_.node) for range_ in nodes)
        return tuple(RunningAttempts(*node, count) for node, count in sorted(counts.items()))

    def _say_progress(self, now: float) -> None:
        if not self._words and not self._again and self._counted() == self._said_running:
            return
        if now >= self._progress_at and self._link.room > 0:
            self._send_progress(now)

    def _send_progress(self, now: float) -> None:
        self._said_running = self._counted()
        self._link.send(Progress(tuple(self._next_progress(PROGRESS_BYTES_MAX)), self._said_running))
        self._progress_at = now + PROGRESS_INTERVAL

    def _next_progress(self, room: int) -> list[AttemptProgress]:
        """What was said first; the rest has its turn later, and what was said before only once that has gone."""
        taken: list[AttemptProgress] = []
        while (self._words or self._again) and room > 0:
            taken.append(self._words.popleft() if self._words else self._again.pop(next(iter(self._again))))
            room -= progress_bytes(taken[-1])
        return taken

    def _next_reports(self, room: int) -> list[AttemptReport]:
        size = count = 0
        while count < len(self._reports) and size < room:
            size += report_bytes(self._reports[count])
            count += 1
        taken, self._reports = self._reports[:count], self._reports[count:]
        return taken

    def _greet_or_leave(self, now: float) -> None:
        if self._phase is Phase.LEAVING and self._link.idle:
            self._phase = Phase.GONE
        if self._link.full or self._phase in (Phase.LEAVING, Phase.GONE):
            return
        if self._draining and self.running == 0 and not self._reports:
            known = self._phase in (Phase.SERVING, Phase.GREETING) and self._link.peer_incarnation != 0
            self._phase = Phase.LEAVING if known else Phase.GONE
            if known:
                self._link.send(Goodbye())
        elif self._phase is Phase.APART and (not self._draining or self.id) and now >= self._hello_at:
            self._phase = Phase.GREETING
            self._greeted_at = now
            self._link.send(Hello(self.spec, self.id, self._held() if self.id else ()))


def concerns(named: HeldAttempts, grant: Grant) -> bool:
    """Whether it speaks of this grant's attempts, of whichever items."""
    same = (named.range.execution, named.range.node) == (grant.range.execution, grant.range.node)
    return same and (named.attempt, named.nonce) == (grant.attempt, grant.nonce)


def without(range_: TaskRange, hole: TaskRange) -> list[TaskRange]:
    """What is left of it: none, one or two ranges."""
    before = range_.part(range_.begin, min(range_.end, max(hole.begin, range_.begin)))
    after = range_.part(max(before.end, min(hole.end, range_.end)), range_.end)
    return [part for part in (before, after) if part.size > 0]


def join(a: AttemptReport, b: AttemptReport) -> Optional[AttemptReport]:
    """Two neighbouring successes as one, when that says the same."""
    if a.kind is not None or b.kind is not None or (a.attempt, a.nonce) != (b.attempt, b.nonce):
        return None
    neighbours = (a.range.execution, a.range.node, a.range.end) == (b.range.execution, b.range.node, b.range.begin)
    if not neighbours or bool(a.outputs) != bool(b.outputs) or len(a.outputs) >= JOINED_OUTPUTS_MAX:
        return None
    if report_bytes(b) > JOINED_BYTES_MAX:
        return None
    if (a.times is None) != (b.times is None):
        return None
    times = a.times
    if a.times is not None and b.times is not None:
        times = AttemptTimes(a.times.queued + b.times.queued, a.times.ran + b.times.ran)
    range_ = a.range.part(a.range.begin, b.range.end)
    return replace(a, range=range_, outputs=a.outputs + b.outputs, times=times)
