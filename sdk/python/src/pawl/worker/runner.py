"""Runs launches: plain functions on threads, async ones on an event loop, `process=True` ones in processes.

    runner = Runner(tasks, slots, payloads, news)
    runner.start(launch)            # news(Ended...) once, from any thread; news(progress) before it
    runner.stop(launch.id)          # asks: cancelled() is True, an async call gets CancelledError
    runner.kill(launch.id)          # ends its process; a thread goes on until it returns

Timeouts of the node: an async call is cancelled and a process killed when its time is up. A thread learns of
it by cancelled(), and fails as `timeout` when it returns late.
Threading: start, stop and kill from one thread.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Optional, Union

from pawl import loops
from pawl.tasks import TaskSpec, set_current_task
from pawl.values import Json
from pawl.worker.context import Context, Payloads
from pawl.worker.evaluator import Evaluator
from pawl.worker.expressions import ExpressionError
from pawl.worker.hashing import hash128, idempotency_key, output_sequence, span_of
from pawl.worker.messages import (
    PAYLOAD_INLINE_MAX,
    AttemptProgress,
    AttemptReport,
    BlobRef,
    FailureKind,
    Payload,
    RunContext,
)
from pawl.worker.payloads import PayloadError
from pawl.worker.process import Ended, Hand, Identity, failed, guarded, progress_of, said_by, to_json
from pawl.worker.session import Launch

log = logging.getLogger("pawl")

CONTEXTS_MAX = 64
ROOM_PAUSE = 1.0  # seconds before a store that had no room is asked again
ERROR_MAX = 4096  # characters of what went wrong
STOPPED = Ended(kind=FailureKind.DECLINED, error="stopped")  # before it began
News = Callable[[int, Union[AttemptReport, AttemptProgress]], None]


def traceparent(run: RunContext, item: int, attempt: int) -> str:
    """The execution's trace with a span for this attempt, as W3C Trace Context writes it; "" without one."""
    low, high = run.trace_id
    if low == high == 0:
        return ""
    span = span_of(run.cluster, run.execution, run.node, item, attempt)
    return f"00-{high:016x}{low:016x}-{span:016x}-{run.trace_flags:02x}"


def failure_of(error: Exception, own: FailureKind) -> FailureKind:
    """Whose failure it is: the task's own, or nobody's, so that it is granted again."""
    return FailureKind.DECLINED if isinstance(error, PayloadError) and error.passes else own


class Job:
    """One launch while it runs; what current_task() gives."""

    def __init__(self, launch: Launch, context: Context, news: News) -> None:
        grant = launch.grant
        self.launch = launch
        self.context = context
        self.hand: Optional[Hand] = None
        self.coroutine: Optional[asyncio.Task[Ended]] = None
        self.stopped = threading.Event()
        self._news = news
        run = context.run
        node = run.definition
        key = idempotency_key(run.cluster, run.execution, run.node, launch.item)
        self.identity = Identity(
            f"e{run.execution}", node.id, launch.item, grant.attempt, key, traceparent(run, launch.item, grant.attempt)
        )
        self._run_timeout = node.run_timeout
        self._heartbeat_timeout = node.heartbeat_timeout
        self._began = self._heard = time.monotonic()
        self._silent = False

    @property
    def execution(self) -> str:
        return self.identity.execution

    @property
    def node(self) -> str:
        return self.identity.node

    @property
    def item(self) -> int:
        return self.identity.item

    @property
    def attempt(self) -> int:
        return self.identity.attempt

    @property
    def idempotency_key(self) -> str:
        return self.identity.idempotency_key

    @property
    def traceparent(self) -> str:
        return self.identity.traceparent

    def begin(self) -> None:
        """Its time runs from here."""
        self._began = self._heard = time.monotonic()

    def cancelled(self) -> bool:
        return self.stopped.is_set() or self.late() is not None

    def progress(self, fraction: float, message: str = "") -> None:
        done, said = progress_of(fraction, message)
        self._silent = self._silent or self._is_silent(time.monotonic())
        self._heard = time.monotonic()
        run = self.context.run
        self._news(
            self.launch.id,
            AttemptProgress(run.execution, run.node, self.item, self.attempt, round(done * 1000), said),
        )

    def late(self) -> Optional[str]:
        now = time.monotonic()
        if self._run_timeout > 0 and now - self._began > self._run_timeout:
            return "ran longer than timeout.run"
        if self._silent or self._is_silent(now):
            return "no progress within timeout.heartbeat"
        return None

    def time_left(self) -> Optional[float]:
        ends = []
        if self._run_timeout > 0:
            ends.append(self._began + self._run_timeout)
        if self._heartbeat_timeout > 0:
            ends.append(self._heard + self._heartbeat_timeout)
        return max(0.0, min(ends) - time.monotonic()) + 0.001 if ends else None

    def _is_silent(self, now: float) -> bool:
        return self._heartbeat_timeout > 0 and now - self._heard > self._heartbeat_timeout


class Runner:
    def __init__(self, tasks: Mapping[str, TaskSpec], slots: int, payloads: Payloads, news: News) -> None:
        self._tasks = tasks
        self._payloads = payloads
        self._evaluator = Evaluator()
        self._news = news
        self._contexts: OrderedDict[RunContext, Context] = OrderedDict()
        self._jobs: dict[int, Job] = {}
        self._work: queue.SimpleQueue[Optional[tuple[Job, TaskSpec]]] = queue.SimpleQueue()
        self._slots = slots
        self._threads: list[threading.Thread] = []
        self._hands: list[Hand] = []
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._loop_over = threading.Event()
        self._aside = ThreadPoolExecutor(slots, "pawl-aside")  # payloads of async calls
        self._lock = threading.Lock()

    def start(self, launch: Launch) -> None:
        run = launch.grant.context
        job = Job(launch, self._context(run), self._news)
        spec = self._tasks.get(run.definition.function)
        if spec is None:
            why = run.workflow.error or f'no task "{run.definition.function}" in this worker'
            self._end(job, Ended(kind=FailureKind.SPAWN, error=why))
            return
        with self._lock:
            self._jobs[launch.id] = job
        if spec.is_async:
            asyncio.run_coroutine_threadsafe(self._run_async(job, spec), self._event_loop())
            return
        if len(self._threads) < min(self._slots, len(self._jobs)):
            thread = threading.Thread(target=self._serve, name=f"pawl-task-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._work.put((job, spec))

    def stop(self, launch: int) -> None:
        with self._lock:
            job = self._jobs.get(launch)
        if job is None:
            return
        job.stopped.set()
        if (hand := job.hand) is not None:
            hand.cancel(job)
        if job.coroutine is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(job.coroutine.cancel)

    def kill(self, launch: int) -> None:
        with self._lock:
            job = self._jobs.get(launch)
        if job is not None and (hand := job.hand) is not None:
            hand.kill(job)

    def close(self) -> None:
        """Ends what can be ended; threads that still run are left to end with the process."""
        for _ in self._threads:
            self._work.put(None)
        for hand in self._hands:
            hand.close()
        self._evaluator.close()
        self._aside.shutdown(wait=False)
        self._loop_over.set()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)

    def _context(self, run: RunContext) -> Context:
        context = self._contexts.get(run)
        if context is None:
            context = self._contexts[run] = Context(run, self._payloads, self._evaluator)
            if len(self._contexts) > CONTEXTS_MAX:
                self._contexts.popitem(last=False)
        self._contexts.move_to_end(run)
        return context

    # --- on threads ---

    def _serve(self) -> None:
        hand: Optional[Hand] = None
        while (work := self._work.get()) is not None:
            job, spec = work
            if spec.process and hand is None:
                hand = Hand()
                self._hands.append(hand)
            self._end(job, self._run(job, spec, hand if spec.process else None))
        if hand is not None:
            hand.close()

    def _run(self, job: Job, spec: TaskSpec, hand: Optional[Hand]) -> Ended:
        try:
            return self._call(job, spec, hand)
        except BaseException as error:  # the slot is free again whatever happens
            log.exception("%s/%s[%d] could not be run", job.execution, job.node, job.item)
            return failed(error)

    def _call(self, job: Job, spec: TaskSpec, hand: Optional[Hand]) -> Ended:
        prepared = self._prepare(job, spec)
        if isinstance(prepared, Ended):
            return prepared
        args, kwargs = prepared
        job.begin()
        if hand is not None:
            job.hand = hand
            try:
                return hand.call(spec.function, args, kwargs, job)
            finally:
                job.hand = None
        set_current_task(job)
        ended = guarded(spec.function, args, kwargs)
        late = job.late()
        return ended if late is None else Ended(kind=FailureKind.TIMEOUT, error=late)

    def _prepare(self, job: Job, spec: TaskSpec) -> Union[Ended, tuple[list[Any], dict[str, Any]]]:
        if job.stopped.is_set():
            return STOPPED
        try:
            value: Json = job.context.input_of(job.item)
        except (ExpressionError, PayloadError, ValueError, RecursionError) as error:
            return Ended(kind=failure_of(error, FailureKind.EXPRESSION), error=str(error))
        try:
            return STOPPED if job.stopped.is_set() else spec.unpack(value)
        except TypeError as error:
            return failed(error)

    def _end(self, job: Job, ended: Ended) -> None:
        """Keeps a large output before it is reported."""
        if ended.kind is FailureKind.FUNCTION:
            log.info("%s/%s[%d]: %s", job.execution, job.node, job.item, ended.error)
        grant = job.launch.grant
        outputs: tuple[Payload, ...] = ()
        if ended.kind is None and ended.output != b"null":
            try:
                outputs = (self._keep(job, ended.output),)
            except Exception as error:
                kind = failure_of(error, FailureKind.OUTPUT)
                ended = Ended(kind=kind, error=said_by(error) or type(error).__name__)
        with self._lock:
            self._jobs.pop(job.launch.id, None)
        report = AttemptReport(
            grant.range, grant.attempt, grant.nonce, outputs, ended.kind, ended.exit_code, ended.error[:ERROR_MAX]
        )
        self._news(job.launch.id, report)

    def _keep(self, job: Job, output: bytes) -> Payload:
        if len(output) <= PAYLOAD_INLINE_MAX:
            return output
        range_ = job.launch.grant.range
        sequence = output_sequence(range_.node, range_.begin, job.attempt)
        ref = BlobRef(range_.execution, sequence, len(output), *hash128(output))
        while True:
            try:
                self._payloads.put(ref, output)
                return ref
            except PayloadError as error:  # a full disk loses no result
                if not error.no_room or job.stopped.wait(ROOM_PAUSE):
                    raise

    # --- on the event loop ---

    def _event_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=serve, args=(self._loop, self._loop_over), name="pawl-async", daemon=True).start()
        return self._loop

    async def _run_async(self, job: Job, spec: TaskSpec) -> None:
        loop = asyncio.get_running_loop()
        try:
            prepared = await loop.run_in_executor(self._aside, self._prepare, job, spec)
            ended = prepared if isinstance(prepared, Ended) else await self._await(job, spec, *prepared)
        except Exception as error:
            log.exception("%s/%s[%d] could not be run", job.execution, job.node, job.item)
            ended = failed(error)
        await loop.run_in_executor(self._aside, self._end, job, ended)

    async def _await(self, job: Job, spec: TaskSpec, args: list[Any], kwargs: dict[str, Any]) -> Ended:
        async def call() -> Ended:
            set_current_task(job)
            try:
                value = await spec.function(*args, **kwargs)
            except BaseException as error:  # one that is let through ends the event loop
                return failed(error)
            return to_json(value)

        job.begin()
        job.coroutine = asyncio.get_running_loop().create_task(call())
        late: Optional[str] = None
        while not job.coroutine.done():
            over = late is not None or job.stopped.is_set()
            if over:
                job.coroutine.cancel()
            await asyncio.wait({job.coroutine}, timeout=None if over else job.time_left())
            late = late or job.late()
        if late is not None:
            return Ended(kind=FailureKind.TIMEOUT, error=late)
        if job.coroutine.cancelled():
            return STOPPED
        return job.coroutine.result()


def serve(loop: asyncio.AbstractEventLoop, over: threading.Event) -> None:
    """Until it is stopped: what a task beside a call raises does not stop it."""
    try:
        while not over.is_set():
            try:
                loop.run_forever()
            except BaseException as error:
                log.warning("a task on the event loop raised %s", failed(error).error)
    finally:
        loops.close(loop)
