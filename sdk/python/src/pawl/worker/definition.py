"""A workflow as the coordinator sends it: Pawl's own encoding, src/pawl/wire/workflow_codec.cc.

    workflow = decode_workflow(b"\\x01...")
    workflow.nodes[0].function, workflow.nodes[0].input      "square", Template([...])

Only what a worker needs is kept; the rest is read over. ValueError on bytes that are no workflow, and on
those of a format that this version does not know.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Callable, TypeVar

T = TypeVar("T")

WORKFLOW_FORMAT_MAX = 2  # 1: no node says where it may run


@dataclass(frozen=True)
class TemplatePart:
    """A piece of JSON text, or (when it is empty) an expression whose value stands there."""

    literal: str
    expression: str


Template = tuple[TemplatePart, ...]


@dataclass(frozen=True)
class NodeDefinition:
    id: str
    type: int
    mapped: bool
    run_timeout: float  # seconds; 0: none
    heartbeat_timeout: float
    priority: int
    function: str
    input: Template  # `with`; empty: the item, or the execution's input


@dataclass(frozen=True)
class WorkflowDefinition:
    name: str
    nodes: tuple[NodeDefinition, ...]
    error: str = ""  # why it could not be read; then it has no nodes


UNREADABLE_NODE = NodeDefinition("", 0, False, 0.0, 0.0, 0, "", ())


def decode_workflow(data: bytes) -> WorkflowDefinition:
    reader = _Reader(data)
    format_ = reader.byte()
    if format_ > WORKFLOW_FORMAT_MAX:
        raise ValueError(
            f"a workflow of format {format_} was written by a newer Pawl; this package reads up to "
            f"{WORKFLOW_FORMAT_MAX}: upgrade it"
        )
    if format_ == 0:
        raise ValueError("these bytes are no workflow")
    name = reader.text()
    reader.text()  # version
    reader.text()  # defaults of the input: the coordinator has filled them in
    nodes = tuple(reader.list(lambda: _node(reader, format_)))
    reader.text()  # output
    if not reader.at_end():
        raise ValueError("these bytes hold more than a workflow")
    return WorkflowDefinition(name, nodes)


def _node(reader: _Reader, format_: int) -> NodeDefinition:
    id_ = reader.text()
    type_ = reader.byte()
    reader.list(reader.number)  # needs
    reader.text()  # when
    mapped = bool(reader.text())  # for_each
    for read in (reader.number, reader.signed, reader.number, reader.signed, reader.number, reader.number):
        read()  # retry
    reader.signed()  # timeout in the queue
    run_timeout, heartbeat_timeout = reader.signed() / 1e9, reader.signed() / 1e9
    priority = reader.number()
    reader.text()  # queue
    _skip_process(reader)
    function = reader.text()
    input_ = _template(reader)
    reader.text()  # transform
    if format_ >= 2:
        _skip_placement(reader)
    return NodeDefinition(id_, type_, mapped, run_timeout, heartbeat_timeout, priority, function, input_)


def _template(reader: _Reader) -> Template:
    return tuple(reader.list(lambda: TemplatePart(reader.text(), reader.text())))


def _skip_process(reader: _Reader) -> None:
    def named() -> None:
        reader.text()
        _template(reader)

    reader.byte()  # shell
    reader.list(lambda: _template(reader))  # argv
    reader.list(named)  # environment
    _template(reader)  # directory
    reader.byte()  # output
    reader.list(named)  # files
    for _ in range(4):  # limits
        reader.number()


def _skip_placement(reader: _Reader) -> None:
    reader.list(lambda: (reader.text(), reader.number()))  # resources
    reader.list(lambda: (reader.text(), reader.text(), reader.byte()))  # rules
    reader.byte()  # apart
    reader.text()  # key


class _Reader:
    """Varints (LEB128), zigzag, texts with their length before them."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def at_end(self) -> bool:
        return self._at == len(self._data)

    def byte(self) -> int:
        if self._at >= len(self._data):
            raise ValueError("these bytes end in the middle of a workflow")
        self._at += 1
        return self._data[self._at - 1]

    def number(self) -> int:
        value = 0
        for shift in range(0, 64, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise ValueError("a number in these bytes is too long")

    def signed(self) -> int:
        value = self.number()
        return (value >> 1) ^ -(value & 1)

    def text(self) -> str:
        size = self.number()
        end = self._at + size
        if end > len(self._data):
            raise ValueError("these bytes end in the middle of a workflow")
        text = self._data[self._at : end].decode("utf-8", "surrogateescape")
        self._at = end
        return text

    def list(self, one: Callable[[], T]) -> list[T]:
        return [one() for _ in range(self.number())]


def items_count(data: bytes) -> int:
    if len(data) < 8:
        raise ValueError("an item list is cut off")
    count: int = struct.unpack_from("<Q", data)[0]
    if count > (len(data) - 8) // 8:
        raise ValueError("an item list is cut off")
    return count


def item_at(data: bytes, index: int) -> bytes:
    count = items_count(data)
    if index >= count:
        raise ValueError(f"item {index} of a list of {count}")
    begin = struct.unpack_from("<Q", data, 8 * index)[0] if index else 0
    end = struct.unpack_from("<Q", data, 8 + 8 * index)[0]
    texts = 8 + 8 * count
    return data[texts + begin : texts + end]
