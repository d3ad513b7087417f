"""What both clients share around their I/O: where the server is, when to try again, how to read a stream.

A call is tried again, after a pause that doubles, when that cannot do harm:

* the connection could not be opened, or the answer is 429 (RESOURCE_EXHAUSTED): nothing has happened;
* the answer is 503, or the connection broke half-way: it may have happened, so only calls that have one
  effect however often they are sent. Submissions have: a request id is made when none is given.

The time that the server tells (`retry_after_ms`, `Retry-After`) is honoured. No I/O here.
"""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Optional, TypeVar

import httpx

from pawl import errors
from pawl.access import File, check_travels, file_of, tls_context, token_of
from pawl.calls import Call, execution_path
from pawl.values import Event, Execution

T = TypeVar("T")
_LINE_END = re.compile(rb"\r\n|\n|\r(?!\Z)")

DEFAULT_SERVER = "http://127.0.0.1:8080"
WAIT_MAX = 55.0  # seconds of one waiting request; the server allows 5 minutes, proxies often one
RETRY_AFTER_MAX = 60.0
PAUSE_FIRST, PAUSE_MAX = 0.1, 5.0
ANSWER_GRACE = 5.0  # seconds for an answer beyond the end of a wait that has one
# As many stay open as there may be at all: httpx keeps 20, and closes idle ones of busy threads above that.
CONNECTIONS = httpx.Limits(max_connections=100, max_keepalive_connections=100)
STREAM_SILENCE_MAX = 75.0  # seconds; the server says every few seconds that it is still there


@dataclass(frozen=True)
class Settings:
    """Where and how; the environment fills what is left out."""

    server: str
    token: Optional[str]
    timeout: float
    retries: int
    ca: Optional[str] = None  # files
    certificate: Optional[str] = None
    key: Optional[str] = None

    @classmethod
    def of(
        cls,
        server: Optional[str],
        token: Optional[str],
        timeout: float,
        retries: int,
        ca: Optional[File] = None,
        certificate: Optional[File] = None,
        key: Optional[File] = None,
    ) -> Settings:
        where = (server or os.environ.get("PAWL_SERVER") or DEFAULT_SERVER).rstrip("/")
        if not where.startswith(("http://", "https://")):
            raise ValueError(f"a server is http://HOST:PORT or https://HOST:PORT, not {where!r}")
        shown = token_of(token)
        if where.startswith("http://"):
            check_travels(shown, httpx.URL(where).host, where)
        files = (file_of(ca, "PAWL_CA"), file_of(certificate, "PAWL_CERTIFICATE"), file_of(key, "PAWL_KEY"))
        return cls(where, shown, timeout, retries, *files)

    def http_options(self) -> dict[str, Any]:
        """For a client that is made for it."""
        options: dict[str, Any] = {"limits": CONNECTIONS}
        if self.server.startswith("https://") and (self.ca or self.certificate):
            options["verify"] = tls_context(self.ca, self.certificate, self.key)
        return options

    def request(self, method: str, path: str, accept: str = "application/json") -> dict[str, Any]:
        """What each request says, whichever client sends it."""
        headers = {"Accept": accept, "User-Agent": "pawl-python"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return {"method": method, "url": self.server + path, "headers": headers}


def request_options(call: Call[Any], settings: Settings, deadline: Deadline) -> dict[str, Any]:
    options = settings.request(call.method, call.path)
    options.update(params=dict(call.query), timeout=call.patience + deadline.at_most(settings.timeout))
    if call.body is not None:
        options["content"] = json.dumps(call.body, separators=(",", ":"))
        options["headers"]["Content-Type"] = "application/json"
    return options


def read_answer(call: Call[T], response: httpx.Response) -> T:
    if not response.is_success:
        raise error_of(response)
    try:
        return call.read(response.json())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise errors.UnknownOutcome(f"{response.request.url} gave an answer that is not Pawl's: {error}") from error


def error_of(response: httpx.Response) -> errors.ServerError:
    """The error in the body; of an answer that is not the server's own, its status."""
    try:
        error = response.json()["error"]
        return errors.server_error(str(error["code"]), str(error["message"]))
    except (ValueError, KeyError, TypeError):
        codes = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}
        code = codes.get(response.status_code, "UNAVAILABLE" if response.status_code >= 502 else "UNKNOWN")
        return errors.server_error(code, f"{response.request.url} answered {response.status_code}")


def unreachable(error: httpx.HTTPError, settings: Settings) -> errors.Unavailable:
    return errors.Unavailable(f"{settings.server}: {str(error) or type(error).__name__}")


class Backoff:
    """The pauses of one call, until its tries are used up."""

    def __init__(self, retries: int, deadline: Optional[Deadline] = None) -> None:
        self._left = retries
        self._deadline = deadline or Deadline(None)
        self._next = PAUSE_FIRST

    def after_answer(self, call: Call[Any], response: httpx.Response) -> Optional[float]:
        """Seconds to wait before the next try, or None: this answer it is."""
        harmless = response.status_code == 429 or (response.status_code == 503 and call.repeatable)
        return self._pause(retry_after(response)) if harmless else None

    def after_break(self, call: Call[Any], error: httpx.HTTPError) -> Optional[float]:
        never_sent = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout))
        harmless = never_sent or (call.repeatable and isinstance(error, httpx.TransportError))
        return self._pause(0.0) if harmless else None

    def again(self) -> Optional[float]:
        return self._pause(0.0)

    def _pause(self, at_least: float) -> Optional[float]:
        if self._left <= 0:
            return None
        self._left -= 1
        pause = self._next * random.uniform(0.5, 1.0)
        self._next = min(self._next * 2, PAUSE_MAX)
        pause = max(pause, at_least)
        return None if self._deadline.passed(pause) else pause


def retry_after(response: httpx.Response) -> float:
    """Seconds; the body says it more precisely than the header."""
    try:
        told = response.json()["error"]["retry_after_ms"] / 1000
    except (ValueError, KeyError, TypeError):
        told = response.headers.get("Retry-After", "0")
    try:
        return min(float(told), RETRY_AFTER_MAX)
    except ValueError:  # a date: rare, and our own pause will do
        return 0.0


class Deadline:
    """The end of a wait that may have none."""

    def __init__(self, timeout: Optional[float]) -> None:
        self._timeout = timeout
        self._end = None if timeout is None else time.monotonic() + timeout

    def next_wait(self) -> float:
        """How long the next request may wait; nothing when the time is over."""
        return WAIT_MAX if self._end is None else max(0.0, min(WAIT_MAX, self._end - time.monotonic()))

    def at_most(self, timeout: float) -> float:
        """How long to wait for an answer that the server does not hold back."""
        return timeout if self._end is None else min(timeout, max(ANSWER_GRACE, self._end - time.monotonic()))

    def passed(self, ahead: float = 0.0) -> bool:
        """Whether it will be over so many seconds from now."""
        return self._end is not None and time.monotonic() + ahead >= self._end

    def over(self, execution: str, why: str = "still runs") -> errors.WaitTimeout:
        return errors.WaitTimeout(f"{execution} {why} after {self._timeout} s")

    def unheard(self, execution: str, error: errors.Unavailable) -> errors.PawlError:
        """What to raise when nobody has answered."""
        return (
            self.over(execution, f"is not known to have ended ({error.message})") if self.passed(PAUSE_MAX) else error
        )


def outcome(execution: Execution) -> Execution:
    """It, if it has succeeded."""
    if execution.status == "succeeded":
        return execution
    kinds = {"cancelled": errors.ExecutionCancelled, "parked": errors.ExecutionParked}
    raise kinds.get(execution.status, errors.ExecutionFailed)(execution)


class Lines:
    """The lines of an event stream: they end at \\n, \\r\\n or \\r, and at nothing else that a text may hold."""

    def __init__(self) -> None:
        self._begun: list[
            bytes
        ] = []  # the parts of a line that has not ended; a \\r at its end may have a \\n behind it

    def feed(self, data: bytes) -> list[bytes]:
        waiting = bool(self._begun) and self._begun[-1].endswith(b"\r")
        self._begun.append(data)
        if not waiting and b"\n" not in data and b"\r" not in data:
            return []
        *lines, rest = _LINE_END.split(b"".join(self._begun))
        self._begun = [rest] if rest else []
        return lines


class Follower:
    """Follows an execution over as many connections as it takes: nothing lost, nothing twice.

    follower = Follower("e17", None, settings)
    # for each connection: request(), answered(), feed() of what comes; then, unless it is over, pause()
    """

    def __init__(self, execution: str, after: Optional[str], settings: Settings) -> None:
        self.execution = execution
        self.place = after
        self._settings = settings
        self._backoff = Backoff(settings.retries)
        self.over = False
        self._opened = False  # whether the state at the beginning has been shown
        self._name = ""
        self._id = ""  # of the event that is being read: how far the stream has come
        self._data: list[bytes] = []
        self._lines = Lines()
        self._states = 0  # of this connection

    def request(self) -> dict[str, Any]:
        """What to ask the server for; a new connection begins."""
        self._name, self._id, self._data, self._states, self._lines = "", "", [], 0, Lines()
        options = self._settings.request("GET", execution_path(self.execution, "events"), "text/event-stream")
        if self.place is not None:
            options["headers"]["Last-Event-ID"] = self.place
        return {**options, "timeout": httpx.Timeout(STREAM_SILENCE_MAX)}

    def answered(self, response: httpx.Response) -> bool:
        """Whether lines follow; False when everything has been seen."""
        if response.status_code == 204:
            return False
        if response.status_code != 200:
            raise error_of(response)
        return True

    def feed(self, data: bytes) -> Iterator[Event]:
        for line in self._lines.feed(data):
            if line.startswith(b"event:"):
                self._name = line[6:].strip().decode("utf-8", "replace")
            elif line.startswith(b"id:"):
                self._id = line[3:].strip().decode("utf-8", "replace")
            elif line.startswith(b"data:"):
                self._data.append(line[5:].lstrip(b" "))
            elif not line and self._data:
                event = self._read(self._name, self._json(b"\n".join(self._data)))
                self._name, self._id, self._data = "", "", []
                if event is not None:
                    self._backoff = Backoff(self._settings.retries)
                    yield event

    def _json(self, text: bytes) -> dict[str, Any]:
        try:
            value = json.loads(text)
        except ValueError as error:
            value = error
        if not isinstance(value, dict):
            raise errors.Internal(f"{self._settings.server}: the stream of {self.execution} has an event that is none")
        return value

    def pause(self, broken: Optional[Exception]) -> float:
        """Seconds until the next connection; raises what broke this one when another is not worth it."""
        passing = ("UNAVAILABLE", "UNKNOWN", "RESOURCE_EXHAUSTED")
        if isinstance(broken, errors.ServerError) and broken.code not in passing:
            raise broken
        pause = self._backoff.again()
        if pause is not None:
            return pause
        if isinstance(broken, httpx.HTTPError):
            raise unreachable(broken, self._settings) from broken
        raise broken or errors.Unavailable(
            f"{self._settings.server}: the stream of {self.execution} keeps breaking off"
        )

    def last(self, execution: Execution) -> Event:
        """The end, when the connection broke just before it was told."""
        self.over = True
        return Event("state", execution.status, {"id": execution.id, "status": execution.status})

    def _read(self, kind: str, data: dict[str, Any]) -> Optional[Event]:
        if kind == "error":
            error = data.get("error", data)
            raise errors.server_error(error.get("code", "UNKNOWN"), error.get("message", "the stream has ended"))
        if kind == "history":
            event = Event.read_entry(data)
            self.place = self._id or event.place
            return replace(event, place=self.place)
        if kind == "state":
            self._states += 1
            self.over = self._states > 1
            shown, self._opened = self._opened and not self.over, True
            return None if shown else Event("state", data.get("status", ""), data)
        if kind != "progress":
            return None
        self.place = self._id or self.place
        return Event(kind, kind, data, self.place)
