"""What the server answers, as immutable values.

Their fields are those of docs/api.md, with times as `datetime` and durations as `timedelta`. A field that
this version does not know is ignored. A payload is its JSON value; one that is too large to be shown
(above 64 KiB) is a `Blob`, and `client.fetch(blob)` reads it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Optional, Union

Json = Any  # what json.loads gives
Object = Mapping[str, Any]


@dataclass(frozen=True)
class Blob:
    """A payload that lies beside the history."""

    owner: str
    sequence: str
    size: int
    hash: str


Payload = Union[Json, Blob]


def payload(value: Optional[Object]) -> Payload:
    if value is None:
        return None
    if "blob" in value:
        blob = value["blob"]
        return Blob(str(blob["owner"]), str(blob["sequence"]), int(blob["size"]), str(blob["hash"]))
    return value.get("json")


def moment(text: Optional[str]) -> Optional[datetime]:
    """RFC 3339 with up to nine digits; Python keeps six of them."""
    if not text:
        return None
    match = re.fullmatch(r"(\d+-\d+-\d+T\d+:\d+:\d+)(?:\.(\d+))?Z", text)
    if match is None:
        raise ValueError(f"not a time of the server: {text!r}")
    whole = datetime.strptime(match[1], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return whole + timedelta(microseconds=int((match[2] or "").ljust(6, "0")[:6]))


@dataclass(frozen=True)
class TaskCounts:
    total: int = 0
    ready: int = 0
    running: int = 0
    backing_off: int = 0
    parked: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0

    @classmethod
    def read(cls, value: Optional[Object]) -> TaskCounts:
        known = {name: int(count) for name, count in (value or {}).items() if name in cls.__dataclass_fields__}
        return cls(**known)


@dataclass(frozen=True)
class Node:
    id: str
    type: str
    mapped: bool
    status: str
    tasks: TaskCounts
    needs: tuple[str, ...]
    attempts: int
    last_attempt: Optional[datetime]
    error: str
    output: Payload

    @classmethod
    def read(cls, value: Object) -> Node:
        return cls(
            id=value["id"],
            type=value.get("type", ""),
            mapped=value.get("mapped", False),
            status=value.get("status", ""),
            tasks=TaskCounts.read(value.get("tasks")),
            needs=tuple(value.get("needs", ())),
            attempts=value.get("attempts", 0),
            last_attempt=moment(value.get("last_attempt")),
            error=value.get("error", ""),
            output=payload(value.get("output")),
        )


@dataclass(frozen=True)
class Execution:
    """An execution. In a list `input`, `output` and `nodes` are left out."""

    id: str
    workflow: str
    version: str
    status: str
    started: Optional[datetime]
    ended: Optional[datetime]
    error: str
    labels: dict[str, Json]
    tasks: TaskCounts
    input: Payload = None
    output: Payload = None
    nodes: tuple[Node, ...] = ()
    trace_id: str = ""  # 32 hex digits

    @property
    def settled(self) -> bool:
        """It has ended, or is parked."""
        return self.status != "running"

    @property
    def ended_for_good(self) -> bool:
        return self.status not in ("running", "parked")

    def node(self, name: str) -> Node:
        for node in self.nodes:
            if node.id == name:
                return node
        raise KeyError(f"{self.id} has no node {name!r}")

    @classmethod
    def read(cls, value: Object) -> Execution:
        return cls(
            id=value["id"],
            workflow=value.get("workflow", ""),
            version=value.get("version", ""),
            status=value.get("status", ""),
            started=moment(value.get("started")),
            ended=moment(value.get("ended")),
            error=value.get("error", ""),
            labels=value.get("labels") or {},
            tasks=TaskCounts.read(value.get("tasks")),
            input=payload(value.get("input")),
            output=payload(value.get("output")),
            nodes=tuple(Node.read(node) for node in value.get("nodes", ())),
            trace_id=value.get("trace_id", ""),
        )


@dataclass(frozen=True)
class Cause:
    kind: str
    exit_code: int
    error: str

    @classmethod
    def read(cls, value: Optional[Object]) -> Cause:
        value = value or {}
        return cls(value.get("kind", ""), value.get("exit_code", 0), value.get("error", ""))


@dataclass(frozen=True)
class Task:
    execution: str
    node: str
    item: int
    status: str
    attempts: int
    failures: int
    cause: Optional[Cause]
    retry_in: timedelta
    output: Payload

    @classmethod
    def read(cls, value: Object) -> Task:
        return cls(
            execution=value["execution"],
            node=value.get("node", ""),
            item=value.get("item", 0),
            status=value.get("status", ""),
            attempts=value.get("attempts", 0),
            failures=value.get("failures", 0),
            cause=Cause.read(value["cause"]) if value.get("cause") else None,
            retry_in=timedelta(milliseconds=value.get("retry_in_ms") or 0),
            output=payload(value.get("output")),
        )


@dataclass(frozen=True)
class DeadLetter:
    """Items [begin, end) of a node that have used up their attempts."""

    execution: str
    node: str
    begin: int
    end: int
    attempts: int
    cause: Cause

    @classmethod
    def read(cls, value: Object) -> DeadLetter:
        return cls(
            execution=value["execution"],
            node=value.get("node", ""),
            begin=value.get("begin", 0),
            end=value.get("end", 0),
            attempts=value.get("attempts", 0),
            cause=Cause.read(value.get("cause")),
        )


@dataclass(frozen=True)
class Reason:
    """Why something is not running, and what would change it."""

    code: str
    subject: str
    reason: str
    remedy: str

    @classmethod
    def read(cls, value: Object) -> Reason:
        return cls(value.get("code", ""), value.get("subject", ""), value.get("reason", ""), value.get("remedy", ""))


@dataclass(frozen=True)
class Event:
    """One event of an execution's stream.

    kind      name                      data
    history   the event's, docs/api.md  its members
    progress  progress                  {"tasks": [...], "words": [...]}: what running tasks have last said, and each
                                        word since the event before
    state     the execution's status    everything about the execution

    `place` is how far the stream has come ("12-3", or "12-3~77" behind a word): `events(after=place)` goes on
    behind it.
    """

    kind: str
    name: str
    data: dict[str, Any] = field(default_factory=dict)
    place: Optional[str] = None
    time: Optional[datetime] = None

    @classmethod
    def read_entry(cls, value: Object) -> Event:
        place = f"{value['position']}-{value['index']}"
        return cls("history", value["event"], value.get("with") or {}, place, moment(value.get("time")))


@dataclass(frozen=True)
class Workflow:
    """A registered version of a workflow."""

    id: int
    name: str
    version: str
    hash: str = ""
    nodes: int = 0

    @classmethod
    def read(cls, value: Object) -> Workflow:
        nodes = value.get("nodes", 0)
        count = nodes if isinstance(nodes, int) else len(nodes)
        return cls(value["id"], value["name"], value.get("version", ""), value.get("hash", ""), count)


@dataclass(frozen=True)
class LogPart:
    """Some of what a program has written."""

    attempt: int
    offset: int
    content: bytes
    next: int
    over: bool

    @classmethod
    def read(cls, value: Object) -> LogPart:
        content = bytes.fromhex(value.get("bytes", "")) or value.get("text", "").encode()
        return cls(value["attempt"], value["offset"], content, value["next"], value["over"])


@dataclass(frozen=True)
class Overview:
    executions: int
    ready: int
    workers: int
    running: int
    parked: int
    counts: dict[str, int]

    @classmethod
    def read(cls, value: Object) -> Overview:
        return cls(
            executions=value.get("executions", 0),
            ready=value.get("ready", 0),
            workers=value.get("workers", 0),
            running=value.get("running", 0),
            parked=value.get("parked", 0),
            counts=dict(value.get("counts") or {}),
        )


@dataclass(frozen=True)
class Server:
    process: int
    directory: str
    durable_position: int

    @classmethod
    def read(cls, value: Object) -> Server:
        return cls(value.get("process", 0), value.get("directory", ""), value.get("durable_position", 0))
