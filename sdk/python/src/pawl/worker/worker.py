"""A worker: runs the tasks of a program for a `pawl server`.

    worker = pawl.Worker("127.0.0.1:7070", tasks=[square], concurrency=8)
    worker.run()                                   # until SIGTERM or Ctrl-C, which drain it

    with pawl.Worker("127.0.0.1:7070", tasks=[square]):     # or beside something else
        ...

At most `concurrency` calls run at once; up to `credit` items are held, so that no slot waits for the
network. When the connection breaks, what runs goes on and is reported over the next one; when there has been
no word for `lease` seconds the coordinator gives the work to others, and this worker stops it.
Lines for people go to the logger "pawl".
Threading: run() in the main thread, or start() and stop() from any.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import queue
import random
import signal
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from types import FrameType, TracebackType
from typing import Any, Callable, Optional, Union

import grpc

from pawl.access import check_travels, token_of
from pawl.worker.messages import AttemptProgress, AttemptReport, Message, WorkerSpec
from pawl.worker.offer import CREDIT_MAX, PRICE_MAX, amounts, by_name, number, pairs, seconds, text, texts
from pawl.worker.payloads import RemotePayloads
from pawl.worker.runner import Runner
from pawl.worker.sessions import Sessions
from pawl.worker.stream import OPTIONS, Stream

log = logging.getLogger("pawl")

CREDIT_PER_SLOT = 8
TURN_MAX = 1.0  # seconds between two looks at the clock

Letter = Union[Message, tuple[int, Union[AttemptReport, AttemptProgress]], Callable[[], None]]
Mailbox = queue.SimpleQueue[Letter]


def check_not_imported_by_a_process() -> None:
    """A process of a task imports the program, which would start a worker in it, and so on without end."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):  # as multiprocessing itself asks
        raise RuntimeError(
            "the process of a task imports this program, and that starts a worker: put what the program does "
            'behind `if __name__ == "__main__":`'
        )


class Worker:
    def __init__(
        self,
        server: Optional[str] = None,
        *,
        tasks: Iterable[Callable[..., Any]],
        concurrency: int = 8,
        name: Optional[str] = None,
        credit: Optional[int] = None,
        drain: float = 30.0,
        lease: float = 10.0,
        queues: Iterable[str] = (),
        capacity: Optional[Mapping[str, float]] = None,
        labels: Optional[Mapping[str, str]] = None,
        zone: str = "",
        price: int = 0,
        token: Optional[str] = None,
        credentials: Optional[grpc.ChannelCredentials] = None,
    ) -> None:
        """`server`: HOST:PORT of `pawl server --listen`, else PAWL_WORKERS, else 127.0.0.1:7070. `drain`:
        seconds for what runs to end. `queues`: those that it serves (all). `capacity`: what nodes with
        `resources` may use here: {"cpu": 2.5, "memory": 8 << 30, "gpu": 1}; what is not named it has none of.
        `labels` and `zone`: for `affinity`. `price` per hour, in any unit: of equals the cheapest gets a task.
        `credentials`: for TLS."""
        self.server = server or os.environ.get("PAWL_WORKERS") or "127.0.0.1:7070"
        if "://" in self.server:
            raise ValueError(f"a worker connects to HOST:PORT, not to {self.server!r}")
        self.tasks = by_name(tasks)
        slots = number("concurrency", concurrency, 1, CREDIT_MAX)
        self.spec = WorkerSpec(
            name=text("name", name or f"{socket.gethostname()}-{os.getpid()}"),
            slots=slots,
            credit=number("credit", credit or min(slots * CREDIT_PER_SLOT, CREDIT_MAX), 1, CREDIT_MAX),
            functions=tuple(sorted(self.tasks, key=str.encode)),
            lease=seconds("lease", lease),
            queues=texts("queues", queues),
            capacity=amounts(capacity or {}),
            labels=pairs("labels", labels or {}),
            zone=text("zone", zone),
            price=number("price", price, 0, PRICE_MAX),
        )
        self._drain_limit = drain
        shown = token_of(token)
        if credentials is None and not self.server.startswith("unix:"):
            check_travels(shown, self.server.rpartition(":")[0].strip("[]"), self.server)
        self._metadata = [("authorization", f"Bearer {shown}")] if shown else []
        self._credentials = credentials
        self._new_mailbox()
        self._drain_until: Optional[float] = None
        self._abandoned = False
        self._connected = threading.Event()
        self._thread: Optional[threading.Thread] = None

    def __enter__(self) -> Worker:
        self.start()
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.stop()

    def run(self) -> None:
        """Serves until it is drained. In the main thread SIGTERM and SIGINT drain it, a second one ends what
        still runs. A coordinator that does not want it is asked again and again, with a warning in the log."""
        check_not_imported_by_a_process()
        mailbox = self._new_mailbox()
        with self._signals():
            self._serve(mailbox)

    def start(self) -> None:
        """Serves on a thread of its own."""
        check_not_imported_by_a_process()
        if self._thread is not None and self._thread.is_alive():
            raise RuntimeError(f"{self.spec.name} runs already")
        serving = (self._new_mailbox(),)
        self._thread = threading.Thread(target=self._serve, args=serving, name="pawl-worker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Drains it, and waits until it is gone."""
        self.drain()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def drain(self) -> None:
        """Takes nothing more and lets what runs end, for at most `drain` seconds. Any thread."""
        self._mailbox.put(self._begin_drain)

    def abandon(self) -> None:
        """Drains, and asks what runs to end; it is granted to others. Any thread."""
        self._mailbox.put(self._end_drain)

    def wait_connected(self, timeout: Optional[float] = None) -> bool:
        """Whether it has a session by then."""
        return self._connected.wait(timeout)

    def _new_mailbox(self) -> Mailbox:
        """For one life of the worker: what threads of an earlier one still report is not for this one."""
        self._mailbox: Mailbox = queue.SimpleQueue()
        return self._mailbox

    # --- on the serving thread ---

    def _serve(self, mailbox: Mailbox) -> None:
        address = random.SystemRandom().getrandbits(64) | 1  # nobody else has it, or ever had
        self._session = session = Sessions(self.spec, address, time.monotonic())
        self._drain_until, self._abandoned = None, False
        if self._credentials is not None:
            channel = grpc.secure_channel(self.server, self._credentials, OPTIONS)
        else:
            channel = grpc.insecure_channel(self.server, OPTIONS)
        payloads = RemotePayloads(channel, self._metadata)
        runner = Runner(self.tasks, self.spec.slots, payloads, lambda launch, news: mailbox.put((launch, news)))
        stream = Stream(channel, address, self._metadata, mailbox.put)
        try:
            while not session.gone:
                self._read_mail(mailbox)
                self._turn(session, runner, stream)
        finally:
            self._connected.clear()
            stream.close()
            runner.close()
            channel.close()

    def _read_mail(self, mailbox: Mailbox) -> None:
        wait = max(0.0, min(TURN_MAX, self._session.deadline() - time.monotonic()))
        with contextlib.suppress(queue.Empty):
            self._hear(mailbox.get(timeout=wait) if wait > 0 else mailbox.get_nowait())
            while True:
                self._hear(mailbox.get_nowait())

    def _hear(self, letter: Letter) -> None:
        if isinstance(letter, Message):
            self._session.receive(letter, time.monotonic())
        elif isinstance(letter, tuple):
            launch, news = letter
            if isinstance(news, AttemptReport):
                self._session.ended(launch, news, time.monotonic())
            else:
                self._session.progressed(launch, news, time.monotonic())
        else:
            letter()

    def _turn(self, session: Sessions, runner: Runner, stream: Stream) -> None:
        now = time.monotonic()
        if self._drain_until is not None and now >= self._drain_until:
            self._give_up(session, now)
        turn = session.turn(now)
        for launch in turn.start:
            runner.start(launch)
        for launch_id in turn.stop:
            runner.stop(launch_id)
        for launch_id in turn.kill:
            runner.kill(launch_id)
        for message in turn.messages:
            stream.send(message)
        self._say(session)

    def _give_up(self, session: Sessions, now: float) -> None:
        """The time to drain is over: once what runs is asked to end, then whatever is still there is left."""
        if not self._abandoned:
            self._abandoned = True
            log.warning("ending what still runs; it is granted to others")
            session.abandon(now)
            self._drain_until = now + 2.0  # for the goodbye, if anybody is there to hear it
        else:
            session.leave()

    def _say(self, session: Sessions) -> None:
        for notice in session.take_notices():
            log.warning("%s: %s", self.spec.name, notice)
        if session.connected != self._connected.is_set():
            if session.connected:
                log.info("working for %s as %s", self.server, self.spec.name)
                self._connected.set()
            else:
                self._connected.clear()

    def _begin_drain(self) -> None:
        if self._drain_until is None:
            if self._session.running:
                log.info("finishing %d running tasks; a second signal ends them at once", self._session.running)
            self._session.drain()
            self._drain_until = time.monotonic() + self._drain_limit

    def _end_drain(self) -> None:
        if not self._abandoned:
            self._drain_until = time.monotonic()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        signals = 0

        def heard(number: int, frame: Optional[FrameType]) -> None:
            nonlocal signals
            signals += 1
            (self.drain if signals == 1 else self.abandon)()

        before = {number: signal.signal(number, heard) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
