"""Messages as the bytes of `pawl.v1.Frame`, and back.

The messages of protobuf are made from the descriptors in workers.binpb, which the build compiles from
proto/pawl/v1/workers.proto: so any version of protobuf reads them. What many grants share comes once per
connection, in numbered slots: hence one Decoder per connection.
"""

from __future__ import annotations

from importlib import resources
from typing import Any, Union

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from pawl.worker.definition import WorkflowDefinition, decode_workflow
from pawl.worker.messages import (
    AttemptProgress,
    AttemptReport,
    BlobRef,
    Body,
    Closed,
    Goodbye,
    Grant,
    Grants,
    Heartbeat,
    HeldAttempts,
    Hello,
    MappedOutput,
    Message,
    Payload,
    Progress,
    Recall,
    Reports,
    Returned,
    RunContext,
    Stops,
    TaskRange,
    Unknown,
    Welcome,
)

FRAME_BYTES_MAX = 64 << 20
FUNCTION_NODE_TYPE = 2


def _message_class(name: str) -> Any:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"pawl.v1.{name}"))


def _pool() -> descriptor_pool.DescriptorPool:
    """A pool of our own: another package may hold another version of the same names."""
    try:
        data = resources.files("pawl.worker").joinpath("workers.binpb").read_bytes()
    except FileNotFoundError:
        raise ImportError(
            "pawl.worker was not built: its workers.binpb is missing; install the package with pip"
        ) from None
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(data).file:
        pool.Add(file)
    return pool


_POOL = _pool()
Frame = _message_class("Frame")
ReadPayloadRequest = _message_class("ReadPayloadRequest")
PayloadPart = _message_class("PayloadPart")
WritePayloadRequest = _message_class("WritePayloadRequest")
WritePayloadResponse = _message_class("WritePayloadResponse")


def fill_blob(ref: BlobRef, out: Any) -> None:
    out.owner, out.sequence, out.size = ref.owner, ref.sequence, ref.size
    out.hash.low, out.hash.high = ref.hash_low, ref.hash_high


def _fill_range(range_: TaskRange, out: Any) -> None:
    out.execution, out.node, out.begin, out.end = range_.execution, range_.node, range_.begin, range_.end


def _fill_hello(hello: Hello, out: Any) -> None:
    spec = hello.spec
    out.name, out.slots, out.credit = spec.name.encode(), spec.slots, spec.credit
    out.node_types.append(FUNCTION_NODE_TYPE)
    out.functions.extend(name.encode() for name in spec.functions)
    out.lease_ns = int(spec.lease * 1e9)
    out.queues.extend(name.encode() for name in spec.queues)
    for name, amount in spec.capacity:
        out.capacity.add(name=name.encode(), amount=amount)
    for name, value in spec.labels:
        out.labels.add(name=name.encode(), value=value.encode())
    out.zone = spec.zone.encode()
    out.price = spec.price
    out.session = hello.session
    _fill_attempts(hello.held, out.held)


def _fill_attempts(attempts: tuple[HeldAttempts, ...], out: Any) -> None:
    for held in attempts:
        one = out.add()
        _fill_range(held.range, one.range)
        one.attempt, one.nonce = held.attempt, held.nonce


def _fill_report(report: AttemptReport, out: Any) -> None:
    _fill_range(report.range, out.range)
    out.attempt, out.nonce = report.attempt, report.nonce
    out.succeeded = report.kind is None
    for output in report.outputs:
        one = out.outputs.add()
        if isinstance(output, BlobRef):
            fill_blob(output, one.blob)
        elif output is not None:
            one.json = output
    if report.kind is not None:
        out.kind, out.exit_code = int(report.kind), report.exit_code
        out.error = report.error.encode("utf-8", "replace")
    if report.times is not None:
        out.times.queued_ns, out.times.ran_ns = int(report.times.queued * 1e9), int(report.times.ran * 1e9)


def _fill_progress(progress: AttemptProgress, out: Any) -> None:
    out.execution, out.node, out.item = progress.execution, progress.node, progress.item
    out.attempt, out.permille = progress.attempt, progress.permille
    out.message = progress.message.encode("utf-8", "replace")
    if progress.running > 0:
        out.usage.running_ns = int(progress.running * 1e9)


def encode(message: Message) -> bytes:
    frame = Frame(
        to=message.to_address,
        incarnation=message.incarnation,
        peer_incarnation=message.peer_incarnation,
        sequence=message.sequence,
        acknowledged=message.acknowledged,
    )
    setattr(frame, "from", message.from_address)
    body = message.body
    if isinstance(body, Hello):
        _fill_hello(body, frame.hello)
    elif isinstance(body, Heartbeat):
        frame.heartbeat.SetInParent()
        frame.heartbeat.running = body.running
        frame.heartbeat.leaving = body.leaving
    elif isinstance(body, Goodbye):
        frame.goodbye.SetInParent()
    elif isinstance(body, Returned):
        frame.returned.SetInParent()
        _fill_attempts(body.attempts, frame.returned.attempts)
    elif isinstance(body, Reports):
        frame.reports.SetInParent()
        for report in body.reports:
            _fill_report(report, frame.reports.reports.add())
    elif isinstance(body, Progress):
        frame.progress.SetInParent()
        for progress in body.items:
            _fill_progress(progress, frame.progress.items.add())
        for running in body.running:
            one = frame.progress.running.add()
            one.execution, one.node, one.count = running.execution, running.node, running.count
    elif body is not None:
        raise TypeError(f"a worker does not send {type(body).__name__}")
    data: bytes = frame.SerializeToString()
    return data


def _range(value: Any) -> TaskRange:
    return TaskRange(value.execution, value.node, value.begin, value.end)


def _attempts(values: Any) -> tuple[HeldAttempts, ...]:
    return tuple(HeldAttempts(_range(one.range), one.attempt, one.nonce) for one in values)


def _blob(value: Any) -> BlobRef:
    return BlobRef(value.owner, value.sequence, value.size, value.hash.low, value.hash.high)


def _payload(value: Any) -> Payload:
    if value.HasField("blob"):
        return _blob(value.blob)
    return bytes(value.json) if value.json and value.json != b"null" else None


def _output(value: Any) -> Union[Payload, MappedOutput]:
    if not value.mapped:
        return _payload(value.value)
    return MappedOutput(value.mapped_count, {one.item: _payload(one.value) for one in value.items})


def _workflow(data: bytes) -> WorkflowDefinition:
    """One that cannot be read fails its own attempts, not the connection."""
    try:
        return decode_workflow(data)
    except ValueError as error:
        return WorkflowDefinition("", (), str(error))


class Decoder:
    """The frames of one connection, in their order. ValueError on one that is none."""

    def __init__(self) -> None:
        self._workflows: dict[int, WorkflowDefinition] = {}
        self._contexts: dict[int, RunContext] = {}

    def decode(self, data: bytes) -> Message:
        try:
            frame = Frame.FromString(data)
        except Exception as error:  # protobuf's own class has moved between versions
            raise ValueError(f"not the bytes of a frame: {error}") from None
        return Message(
            from_address=getattr(frame, "from"),
            to_address=frame.to,
            incarnation=frame.incarnation,
            peer_incarnation=frame.peer_incarnation,
            sequence=frame.sequence,
            acknowledged=frame.acknowledged,
            body=self._body(frame) if frame.sequence else None,
        )

    def _body(self, frame: Any) -> Body:
        kind = frame.WhichOneof("body")
        if kind == "grants":
            return Grants(tuple(self._grant(grant) for grant in frame.grants.grants))
        if kind == "welcome":
            return Welcome(frame.welcome.session, max(1, frame.welcome.partitions))
        if kind == "stops":
            return Stops(_attempts(frame.stops.stops))
        if kind == "recall":
            return Recall(_attempts(frame.recall.attempts))
        if kind == "closed":
            return Closed(frame.closed.reason.decode("utf-8", "replace"))
        return Unknown()

    def _grant(self, grant: Any) -> Grant:
        shared = grant.context if grant.HasField("context") else None
        if shared is not None:
            self._contexts[shared.slot] = self._context(shared)
        slot = grant.context_slot if shared is None else shared.slot
        context = self._contexts.get(slot)
        if context is None:
            raise ValueError(f"context slot {slot} is not there")
        return Grant(grant.session, _range(grant.range), grant.attempt, grant.nonce, context)

    def _context(self, value: Any) -> RunContext:
        if value.HasField("workflow"):
            self._workflows[value.workflow.slot] = _workflow(value.workflow.definition)
        slot = value.workflow.slot if value.HasField("workflow") else value.workflow_slot
        workflow = self._workflows.get(slot)
        if workflow is None or (value.node >= len(workflow.nodes) and not workflow.error):
            raise ValueError(f"workflow slot {slot} is not there, or has no node {value.node}")
        items: Payload = None
        if value.HasField("items_blob"):
            items = _blob(value.items_blob)
        elif value.items:
            items = bytes(value.items)
        return RunContext(
            execution=value.execution,
            workflow=workflow,
            node=value.node,
            input=_payload(value.input),
            labels=bytes(value.labels),
            outputs={output.node: _output(output) for output in value.outputs},
            items_count=value.items_count,
            items=items,
            cluster=(value.cluster.low, value.cluster.high),
            trace_id=(value.trace_id.low, value.trace_id.high),
            trace_flags=value.trace_flags,
        )
