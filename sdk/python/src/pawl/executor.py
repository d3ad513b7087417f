"""`concurrent.futures.Executor` over durable tasks.

    with pawl.Executor(client) as pool:
        print(list(pool.map(square, range(100))))

Each call is an item of an execution that workers with the task run. Calls that come while a request is on
its way travel together in the next one, as the items of one execution; its event stream says how each ends,
as it ends. A call that fails for good raises `TaskFailed` from its future; its dead letter is discarded, or
kept with `keep_failures=True`. Arguments and results travel as JSON; arguments are read when they are submitted.

Leaving the `with` block waits for all calls. A program that ends without it sends what waits, and waits for nothing
else: what was sent runs whether the program is there or not.
Limits: `batch_items_max` calls and about `batch_bytes_max` bytes in one execution, `batches_max` executions at the
same time, `depth_max` lists and objects inside each other in an argument.
Threading: submit from any thread; futures are completed on a thread of the executor.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import functools
import json
import logging
import threading
import weakref
from concurrent.futures import thread as _before_us  # noqa: F401  its hook at exit comes after ours
from typing import Any, Callable, NamedTuple, Optional, TypeVar

from pawl import loops
from pawl.aio import AsyncClient
from pawl.client import Client
from pawl.errors import PawlError, ServerError, TaskFailed
from pawl.tasks import TaskSpec, spec_of
from pawl.values import Blob, Event, Json, payload

T = TypeVar("T")
Future = concurrent.futures.Future[Any]

log = logging.getLogger("pawl")

batch_items_max = 10_000
batch_bytes_max = 8 << 20
batches_max = 64
depth_max = 250  # the server takes 256 in a request, of which a few are ours


class Waiting(NamedTuple):
    """A call that has not been sent; its value as JSON."""

    spec: TaskSpec
    text: str
    future: Future


def as_json(spec: TaskSpec, value: Json) -> str:
    """TypeError or ValueError on what is no JSON: the call's own fault, and of no other in its execution."""
    try:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    except RecursionError:
        raise ValueError(f"{spec.name}: its arguments are nested too deeply") from None
    except (TypeError, ValueError) as error:
        raise type(error)(f"{spec.name}: its arguments are no JSON: {error}") from None
    if text.count("[") + text.count("{") > depth_max and depth(value) > depth_max:
        raise ValueError(f"{spec.name}: its arguments are nested deeper than {depth_max} levels")
    return text


def depth(value: Json) -> int:
    levels, level = 0, [value]
    while level := [one for one in level if isinstance(one, (list, tuple, dict))]:
        levels += 1
        level = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one)]
    return levels


class Executor(concurrent.futures.Executor):
    def __init__(
        self, client: Client, *, keep_failures: bool = False, labels: Optional[dict[str, Json]] = None
    ) -> None:
        """`client` says where the server is, and what is shown to it; the executor opens connections of its own."""
        self._settings = client.settings
        self._keep_failures = keep_failures
        self._labels = labels
        self._lock = threading.Lock()
        self._waiting: list[Waiting] = []
        self._futures: set[Future] = set()
        self._closed = False
        self._leaving = False  # the program ends: nobody waits for results any more
        self._loop = asyncio.new_event_loop()
        self._wake: Optional[asyncio.Event] = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="pawl-executor", daemon=True)
        self._thread.start()
        self._ready.wait()
        _all.add(self)

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> concurrent.futures.Future[T]:
        """`fn` is a `@pawl.task`; TypeError when it is not, or when the arguments do not fit it; that or ValueError
        when they are no JSON."""
        spec = spec_of(fn)
        text = as_json(spec, spec.pack(args, kwargs))
        future: concurrent.futures.Future[T] = concurrent.futures.Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("cannot submit after shutdown")
            self._waiting.append(Waiting(spec, text, future))
            self._futures.add(future)
        future.add_done_callback(self._forget)
        self._nudge()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        with self._lock:
            self._closed = True
            open_futures = list(self._futures)
        if cancel_futures:
            for future in open_futures:
                future.cancel()
        self._nudge()
        if wait:
            self._thread.join()

    def _leave(self) -> None:
        """The program ends: what waits is sent, and no result is waited for."""
        with self._lock:
            self._closed = self._leaving = True
        self._nudge()
        self._thread.join()

    def _forget(self, future: Future) -> None:
        with self._lock:
            self._futures.discard(future)

    def _nudge(self) -> None:
        wake = self._wake
        if wake is not None and not self._loop.is_closed():
            with contextlib.suppress(RuntimeError):  # it has just closed: nothing waits there any more
                self._loop.call_soon_threadsafe(wake.set)

    # --- on the executor's thread ---

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._run())
        finally:
            loops.close(self._loop)

    async def _run(self) -> None:
        self._wake = asyncio.Event()
        self._ready.set()
        running: set[asyncio.Task[None]] = set()
        async with AsyncClient(
            self._settings.server,
            token=self._settings.token,
            timeout=self._settings.timeout,
            retries=self._settings.retries,
            ca=self._settings.ca,
            certificate=self._settings.certificate,
            key=self._settings.key,
        ) as client:
            while True:
                self._wake.clear()
                for calls in self._take(batches_max - len(running)):
                    batch = Batch(client, calls, self._keep_failures, self._labels)
                    one = self._loop.create_task(batch.run())
                    running.add(one)
                    one.add_done_callback(running.discard)
                    one.add_done_callback(lambda _: self._nudge())
                    await batch.submitted.wait()  # what comes meanwhile travels together
                    if self._leaving and not batch.sent:
                        log.warning("%d calls of %s could not be sent", len(calls), calls[0].spec.name)
                if self._closed and not self._waiting and (self._leaving or not running):
                    break
                if not self._waiting or len(running) >= batches_max:
                    await self._wake.wait()
            for one in list(running):
                one.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _take(self, batches: int) -> list[list[Waiting]]:
        """What waits, by task; what was cancelled meanwhile is left out."""
        by_task: dict[TaskSpec, list[Waiting]] = {}
        sizes: dict[TaskSpec, int] = {}
        with self._lock:
            waiting, self._waiting = self._waiting, []
            for place, call in enumerate(waiting):
                calls, size = by_task.get(call.spec, []), sizes.get(call.spec, 0) + len(call.text)
                full = len(calls) >= batch_items_max or size > batch_bytes_max if calls else len(by_task) >= batches
                if full:
                    self._waiting = waiting[place:]
                    break
                if call.future.cancelled():
                    call.future.set_running_or_notify_cancel()  # for who waits for it
                    continue
                by_task.setdefault(call.spec, calls).append(call)
                sizes[call.spec] = size
        return list(by_task.values())


_all: weakref.WeakSet[Executor] = weakref.WeakSet()


def _leave_all() -> None:
    for executor in list(_all):
        executor._leave()


# As concurrent.futures does it: while threads can still be started, which atexit is too late for.
threading._register_atexit(_leave_all)  # type: ignore[attr-defined]


class Batch:
    """One execution, whose items are calls of one task."""

    def __init__(
        self,
        client: AsyncClient,
        calls: list[Waiting],
        keep_failures: bool,
        labels: Optional[dict[str, Json]],
    ) -> None:
        self.submitted = asyncio.Event()
        self._client = client
        self._spec = calls[0].spec
        self._texts = [call.text for call in calls]
        self._futures = [call.future for call in calls]
        self._open = set(range(len(calls)))
        self._keep_failures = keep_failures
        self._labels = labels
        self._failed = False
        self._id = ""

    async def run(self) -> None:
        try:
            handle = await self._client.submit(
                None, {"items": self._items()}, definition=self._definition(), labels=self._labels
            )
            self._id = handle.id
            self.submitted.set()
            self._watch_cancellations()
            events = handle.events()
            try:
                async for event in events:
                    await self._hear(event)
                    if not self._open:
                        break
            finally:
                await events.aclose()
            for item in list(self._open):
                self._fail(item, TaskFailed(f"{self._id} ended without it", "lost", self._id, item))
            if self._failed and not self._keep_failures:
                await self._give_up()
        except Exception as error:
            for item in list(self._open):
                self._fail(item, error)
        finally:
            self.submitted.set()

    @property
    def sent(self) -> bool:
        return bool(self._id)

    def _items(self) -> list[Json]:
        texts, self._texts = self._texts, []
        return [json.loads(text) for text in texts]

    def _definition(self) -> dict[str, Any]:
        node: dict[str, Any] = {"function": self._spec.name, "for_each": "${ .input.items }"}
        if self._spec.retry is not None:
            node["retry"] = self._spec.retry
        if self._spec.timeout is not None:
            node["timeout"] = self._spec.timeout
        return {"name": f"pool-{self._spec.name}", "nodes": {"call": node}, "output": True}

    async def _hear(self, event: Event) -> None:
        if event.kind != "history":
            return
        data = event.data
        items = range(data.get("begin", 0), data.get("end", 0))
        if event.name == "attempts_granted":
            for item in items:
                self._start(item)
        elif event.name == "attempts_succeeded":
            outputs = data.get("outputs") or [None] * len(items)
            for item, output in zip(items, outputs):
                await self._succeed(item, payload(output))
        elif event.name == "attempt_failed" and data.get("disposition") == "park":
            self._failed = True
            for item in items:
                self._fail(item, TaskFailed(data.get("error", ""), data.get("kind", ""), self._id, item))
        elif event.name == "task_cancelled":
            self._cancel(data.get("item", 0))
        elif event.name == "execution_cancelled":
            for item in list(self._open):
                self._cancel(item)
        elif event.name == "node_parked":
            self._failed = True
            for item in list(self._open):
                self._fail(item, TaskFailed(data.get("error", ""), "expression", self._id, item))

    def _start(self, item: int) -> None:
        future = self._futures[item]
        if item in self._open and not future.running() and not future.set_running_or_notify_cancel():
            self._open.discard(item)  # cancelled before it ran

    async def _succeed(self, item: int, output: Any) -> None:
        value = await self._client.fetch(output) if isinstance(output, Blob) else output
        if item in self._open:
            self._open.discard(item)
            self._futures[item].set_result(value)

    def _fail(self, item: int, error: BaseException) -> None:
        if item in self._open:
            self._open.discard(item)
            if self._futures[item].running() or self._futures[item].set_running_or_notify_cancel():
                self._futures[item].set_exception(error)

    def _cancel(self, item: int) -> None:
        self._fail(item, concurrent.futures.CancelledError(f"{self._id}: item {item} was cancelled"))

    def _watch_cancellations(self) -> None:
        """A future that is cancelled before it runs takes its item with it."""
        loop = asyncio.get_running_loop()
        tasks: set[asyncio.Task[None]] = set()

        def cancel(item: int) -> None:
            one = loop.create_task(self._cancel_there(item))
            tasks.add(one)
            one.add_done_callback(tasks.discard)

        def watch(item: int, future: Future) -> None:
            if future.cancelled() and item in self._open:
                with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits for it any more
                    loop.call_soon_threadsafe(cancel, item)

        for item, future in enumerate(self._futures):
            future.add_done_callback(functools.partial(watch, item))

    async def _cancel_there(self, item: int) -> None:
        with contextlib.suppress(ServerError):  # it has ended meanwhile: what it gave is not wanted
            await self._client.cancel(self._id, "call", item, reason="its future was cancelled")

    async def _give_up(self) -> None:
        with contextlib.suppress(PawlError):  # else they stay as dead letters, which is safe
            await self._client.discard(self._id)
