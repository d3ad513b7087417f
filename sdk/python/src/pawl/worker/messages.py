"""What travels between a worker and the coordinator, as plain values: proto/pawl/v1/workers.proto says what
each means. `frames` turns them into bytes and back; nothing else here knows protobuf.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional, Union

from pawl.worker.definition import UNREADABLE_NODE, NodeDefinition, WorkflowDefinition

PAYLOAD_INLINE_MAX = 64 * 1024  # bytes; what is larger goes beside the history
ENTRY_BYTES = 48  # of what has no values: numbers, about


class FailureKind(enum.IntEnum):
    EXIT_CODE = 1
    SIGNAL = 2
    TIMEOUT = 3
    SPAWN = 5
    OUTPUT = 6
    EXPRESSION = 7
    FUNCTION = 8
    DECLINED = 10


@dataclass(frozen=True)
class BlobRef:
    owner: int
    sequence: int
    size: int
    hash_low: int
    hash_high: int


Payload = Union[None, bytes, BlobRef]  # null, a JSON text, or where its bytes lie


@dataclass(frozen=True)
class TaskRange:
    """Items [begin, end) of a node."""

    execution: int
    node: int
    begin: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.begin

    def part(self, begin: int, end: int) -> TaskRange:
        return TaskRange(self.execution, self.node, begin, end)


@dataclass(frozen=True)
class MappedOutput:
    """Of a mapped node: how many items, and those that are not null."""

    count: int
    items: Mapping[int, Payload]


@dataclass(frozen=True, eq=False)
class RunContext:
    """Everything that the attempts of one node of one execution may read."""

    execution: int
    workflow: WorkflowDefinition
    node: int
    input: Payload
    labels: bytes
    outputs: Mapping[int, Union[Payload, MappedOutput]]  # by node
    items_count: int
    items: Payload  # an encoded list (see context.py); None: the items are 0 .. items_count - 1
    cluster: tuple[int, int]
    trace_id: tuple[int, int] = (0, 0)  # low, high; zero: of a coordinator that does not know of traces
    trace_flags: int = 0

    @property
    def definition(self) -> NodeDefinition:
        return UNREADABLE_NODE if self.workflow.error else self.workflow.nodes[self.node]


@dataclass(frozen=True)
class Grant:
    session: int
    range: TaskRange
    attempt: int
    nonce: int
    context: RunContext
    arrived: float = 0.0  # here, on this worker's clock; does not travel


@dataclass(frozen=True)
class HeldAttempts:
    range: TaskRange
    attempt: int
    nonce: int


@dataclass(frozen=True)
class AttemptTimes:
    """What the items of a report took, added up, in seconds: waiting here to be started, and from there on."""

    queued: float
    ran: float


@dataclass(frozen=True)
class AttemptReport:
    """How attempts ended, all of the range alike; `kind` is None for success."""

    range: TaskRange
    attempt: int
    nonce: int
    outputs: tuple[Payload, ...] = ()  # success: one per item, or none when all are null
    kind: Optional[FailureKind] = None
    exit_code: int = 0
    error: str = ""
    times: Optional[AttemptTimes] = None  # None: not measured


@dataclass(frozen=True)
class AttemptProgress:
    execution: int
    node: int
    item: int
    attempt: int
    permille: int
    message: str
    running: float = 0.0  # seconds since its start; 0: not said


@dataclass(frozen=True)
class RunningAttempts:
    """How many attempts of a node run, not counting what waits for a slot."""

    execution: int
    node: int
    count: int


@dataclass(frozen=True)
class WorkerSpec:
    name: str
    slots: int
    credit: int
    functions: tuple[str, ...]  # ascending
    lease: float  # seconds
    queues: tuple[str, ...] = ()  # ascending; none: all
    capacity: tuple[tuple[str, int], ...] = ()  # ascending by name; "cpu" in thousandths of a core
    labels: tuple[tuple[str, str], ...] = ()  # ascending
    zone: str = ""
    price: int = 0  # per hour, in any unit


@dataclass(frozen=True)
class Hello:
    spec: WorkerSpec
    session: int = 0
    held: tuple[HeldAttempts, ...] = ()


@dataclass(frozen=True)
class Heartbeat:
    running: int = 0
    leaving: bool = False  # it takes nothing more


@dataclass(frozen=True)
class Reports:
    reports: tuple[AttemptReport, ...]


@dataclass(frozen=True)
class Progress:
    items: tuple[AttemptProgress, ...]  # what is new
    running: tuple[RunningAttempts, ...] = ()  # all that run


@dataclass(frozen=True)
class Goodbye:
    pass


@dataclass(frozen=True)
class Returned:
    attempts: tuple[HeldAttempts, ...]  # of a recall: what had not begun, and never will here


@dataclass(frozen=True)
class Welcome:
    session: int
    partitions: int = 1  # of the coordinator


@dataclass(frozen=True)
class Grants:
    grants: tuple[Grant, ...]


@dataclass(frozen=True)
class Stops:
    stops: tuple[HeldAttempts, ...]  # attempts whose results no longer count


@dataclass(frozen=True)
class Recall:
    attempts: tuple[HeldAttempts, ...]  # what of them has not begun is to come back


@dataclass(frozen=True)
class Closed:
    reason: str


@dataclass(frozen=True)
class Unknown:
    """Of a later version of the coordinator: it counts as any other, and is passed over."""


Body = Union[Hello, Heartbeat, Reports, Progress, Goodbye, Returned, Welcome, Grants, Stops, Recall, Closed, Unknown]


def output_bytes(output: Payload) -> int:
    return len(output) if isinstance(output, bytes) else 64 if isinstance(output, BlobRef) else 1


def report_bytes(report: AttemptReport) -> int:
    return ENTRY_BYTES + len(report.error) + sum(map(output_bytes, report.outputs))


def progress_bytes(progress: AttemptProgress) -> int:
    return ENTRY_BYTES + len(progress.message)


def context_bytes(context: RunContext) -> int:
    size = output_bytes(context.input) + output_bytes(context.items)
    for output in context.outputs.values():
        if isinstance(output, MappedOutput):
            size += sum(map(output_bytes, output.items.values()))
        else:
            size += output_bytes(output)
    return size


def carried_bytes(body: Body) -> int:
    """On its way, about."""
    if isinstance(body, Reports):
        return ENTRY_BYTES + sum(map(report_bytes, body.reports))
    if isinstance(body, Progress):
        return ENTRY_BYTES + sum(map(progress_bytes, body.items))
    if isinstance(body, Grants):
        contexts = {id(grant.context): grant.context for grant in body.grants}
        return ENTRY_BYTES * (1 + len(body.grants)) + sum(map(context_bytes, contexts.values()))
    return ENTRY_BYTES


@dataclass(frozen=True)
class Message:
    """One frame. `sequence` 0: it only acknowledges."""

    from_address: int
    to_address: int = 0
    incarnation: int = 0
    peer_incarnation: int = 0
    sequence: int = 0
    acknowledged: int = 0
    body: Optional[Body] = field(default=None)
