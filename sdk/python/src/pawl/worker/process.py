"""Calls in a process of their own, which can be killed.

    hand = Hand()
    ended = hand.call(function, args, kwargs, job)    # Ended(output=b"...") or Ended(kind=..., error=...)

One process serves one call after the other; it is started with the first. A call whose time is up, or that
is killed, takes its process with it, and the next call gets a new one. Functions travel by name, so they
stand at the top of a module. When the worker dies its processes end with it.
Threading: call() from one thread at a time; cancel() and kill() from any.
"""

from __future__ import annotations

import contextlib
import json
import math
import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from typing import Any, Callable, Optional, Protocol

from pawl.tasks import set_current_task
from pawl.worker.messages import FailureKind

_context = multiprocessing.get_context("spawn")  # a fork would copy threads' locks in any state

MESSAGE_MAX = 4096  # characters of a word about progress


@dataclass(frozen=True)
class Ended:
    """How a call ended: its output as JSON, or what went wrong."""

    output: bytes = b"null"
    kind: Optional[FailureKind] = None
    exit_code: int = 0
    error: str = ""


@dataclass(frozen=True)
class Identity:
    execution: str
    node: str
    item: int
    attempt: int
    idempotency_key: str
    traceparent: str


def progress_of(fraction: float, message: str) -> tuple[float, str]:
    """As it travels. TypeError or ValueError on what is no fraction: said where the function calls."""
    number = float(fraction)
    if math.isnan(number):
        raise ValueError("progress is a number from 0 to 1, not NaN")
    return max(0.0, min(1.0, number)), str(message)[:MESSAGE_MAX]


class Watch(Protocol):
    """What a call needs of its job."""

    @property
    def identity(self) -> Identity: ...
    def late(self) -> Optional[str]:
        """Why its time is up, or None."""

    def time_left(self) -> Optional[float]:
        """Seconds until it may be; None: for ever."""

    def progress(self, fraction: float, message: str = "") -> None: ...


def to_json(value: Any) -> Ended:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return Ended(output=text.encode())
    except Exception as error:
        return Ended(kind=FailureKind.OUTPUT, error=f"returned no JSON: {said_by(error) or type(error).__name__}")


def guarded(function: Callable[..., Any], args: list[Any], kwargs: Mapping[str, Any]) -> Ended:
    try:
        value = function(*args, **kwargs)
    except BaseException as error:  # SystemExit too: it ends the call, not the worker
        return failed(error)
    return to_json(value)


def failed(error: BaseException) -> Ended:
    said = said_by(error)
    text = f"{type(error).__name__}: {said}" if said else type(error).__name__
    return Ended(kind=FailureKind.FUNCTION, error=" ".join(text.split()))


def said_by(error: BaseException) -> str:
    """Its text; "" of one that cannot even say that."""
    try:
        return str(error)
    except Exception:
        return ""


class Hand:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: Any = None
        self._connection: Optional[Connection] = None
        self._watch: Optional[Watch] = None  # of the call that runs

    def call(self, function: Callable[..., Any], args: list[Any], kwargs: Mapping[str, Any], watch: Watch) -> Ended:
        try:
            connection = self._connected()
            with self._lock:
                self._watch = watch
                connection.send(("call", function, args, dict(kwargs), watch.identity))
        except Exception as error:  # it cannot be started, or the function cannot be named there
            self.close()
            return Ended(kind=FailureKind.SPAWN, error=f"no process for the call: {error}")
        try:
            while True:
                if (late := watch.late()) is not None:
                    self.close()
                    return Ended(kind=FailureKind.TIMEOUT, error=late)
                if not connection.poll(watch.time_left()):
                    continue
                kind, content = connection.recv()
                if kind == "ended":
                    return Ended(*content)
                watch.progress(*content)
        except (EOFError, OSError):
            return self._died()
        except BaseException:  # its process may still be at it
            self.close()
            raise
        finally:
            with self._lock:
                self._watch = None

    def cancel(self, watch: Watch) -> None:
        """The function of that call learns of it by current_task().cancelled()."""
        with self._lock, contextlib.suppress(OSError):
            if self._watch is watch and self._connection is not None:
                self._connection.send(("cancel",))

    def kill(self, watch: Watch) -> None:
        with self._lock:
            if self._watch is watch and self._process is not None:
                self._process.kill()

    def close(self) -> None:
        """Ends its process."""
        with self._lock:
            if self._process is not None:
                self._process.kill()
        self._forget()

    def _connected(self) -> Connection:
        if self._process is not None and not self._process.is_alive():
            self._forget()
        if self._connection is None:
            near, far = _context.Pipe()
            process = _context.Process(target=serve, args=(far,), daemon=True)
            with without_interrupts():
                process.start()
            far.close()
            with self._lock:
                self._process, self._connection = process, near
        return self._connection

    def _forget(self) -> Optional[int]:
        """The exit code of its process, which has ended or is just ending."""
        with self._lock:
            process, connection = self._process, self._connection
            self._process = self._connection = None
        if connection is not None:
            connection.close()
        if process is None:
            return None
        process.join()
        code: Optional[int] = process.exitcode
        return code

    def _died(self) -> Ended:
        code = self._forget() or 0
        if code < 0:
            with contextlib.suppress(ValueError):
                name = signal.Signals(-code).name
                return Ended(kind=FailureKind.SIGNAL, exit_code=-code, error=f"its process was killed by {name}")
        return Ended(kind=FailureKind.EXIT_CODE, exit_code=code, error=f"its process ended with exit code {code}")


@contextlib.contextmanager
def without_interrupts() -> Iterator[None]:
    """Ctrl-C is the worker's to hear: what this thread starts now waits with it until it can ignore it."""
    resource_tracker.ensure_running()  # which would let them through again where it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# --- in the process ---


class _Current:
    """What current_task() gives there."""

    def __init__(self, identity: Identity, send: Callable[[str, Any], None]) -> None:
        self.execution = identity.execution
        self.node = identity.node
        self.item = identity.item
        self.attempt = identity.attempt
        self.idempotency_key = identity.idempotency_key
        self.traceparent = identity.traceparent
        self.stop = threading.Event()
        self._send = send

    def cancelled(self) -> bool:
        return self.stop.is_set()

    def progress(self, fraction: float, message: str = "") -> None:
        self._send("progress", progress_of(fraction, message))


def serve(connection: Connection) -> None:
    """Its main: one call after the other. When the worker hangs up, it is over at once."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    calls: queue.SimpleQueue[Any] = queue.SimpleQueue()
    lock = threading.Lock()
    current: list[_Current] = []

    def listen() -> None:
        while True:
            try:
                message = connection.recv()
            except Exception as error:
                if isinstance(error, (EOFError, OSError)):
                    os._exit(0)
                message = ("broken", error)
            if message[0] == "cancel":
                for one in current:
                    one.stop.set()
            else:
                calls.put(message)

    def send(kind: str, content: Any) -> None:
        with lock:
            connection.send((kind, content))

    threading.Thread(target=listen, daemon=True).start()
    while True:
        message = calls.get()
        if message[0] == "broken":  # the function is not to be found here
            ended = Ended(kind=FailureKind.SPAWN, error=f"the function cannot be loaded: {message[1]}")
        else:
            _, function, args, kwargs, identity = message
            current[:] = [_Current(identity, send)]
            set_current_task(current[0])
            ended = guarded(function, args, kwargs)
            current.clear()
        send("ended", (ended.output, ended.kind, ended.exit_code, ended.error))
