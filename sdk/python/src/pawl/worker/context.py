"""What the attempts of one node run may read, and the input of each of its items.

    context = Context(run_context, payloads, evaluator)
    context.input_of(3)      # `with`, rendered; without it the item, or the execution's input

As src/pawl/context/context.h: `.input`, `.nodes.<id>.output`, `.item` and `.execution`. Payloads beside the
history are fetched when they are first needed and kept for the life of this object; of a large item list each
item is read alone. What is handed out is the caller's, who may change it. ExpressionError says what cannot be
evaluated, PayloadError what cannot be read.
Threading: any thread.
"""

from __future__ import annotations

import json
import struct
import threading
from typing import Any, Callable, Optional, Protocol

from pawl.values import Json
from pawl.worker import expressions
from pawl.worker.definition import item_at
from pawl.worker.evaluator import Evaluator
from pawl.worker.expressions import ExpressionError
from pawl.worker.messages import BlobRef, MappedOutput, Payload, RunContext

_ITEMS_KEPT_MAX = 8 << 20  # bytes of an item list held in memory
_SECTIONS = ("input", "nodes", "item", "execution")


class Payloads(Protocol):
    def get(self, ref: BlobRef) -> bytes: ...
    def part(self, ref: BlobRef, offset: int, size: int) -> bytes: ...
    def put(self, ref: BlobRef, data: bytes) -> None: ...


class Context:
    def __init__(self, run: RunContext, payloads: Payloads, evaluator: Evaluator) -> None:
        self.run = run
        self._payloads = payloads
        self._evaluator = evaluator
        self._lock = threading.RLock()
        self._known: dict[str, Json] = {}
        self._items: Optional[bytes] = run.items if isinstance(run.items, bytes) else None

    def input_of(self, index: int) -> Json:
        node = self.run.definition
        if not node.input:
            return self.item(index) if node.mapped else own(self._input())
        if len(node.input) == 1 and node.input[0].expression:
            return own(self._value(node.input[0].expression, index))
        text = "".join(
            _text(self._value(part.expression, index)) if part.expression else part.literal for part in node.input
        )
        return json.loads(text)

    def item(self, index: int) -> Json:
        items = self.run.items
        if not self.run.definition.mapped:
            return None
        if items is None:
            return index
        if isinstance(items, BlobRef) and items.size > _ITEMS_KEPT_MAX:
            return json.loads(self._item_of_blob(items, index))
        with self._lock:
            if self._items is None:
                self._items = self._payloads.get(items) if isinstance(items, BlobRef) else items
        return json.loads(item_at(self._items, index))

    def _value(self, expression: str, index: int) -> Json:
        path = expressions.plain_path(expression)
        if path is not None:
            try:
                return self._follow(path, index)
            except ExpressionError as error:
                raise ExpressionError(f"${{ {expression} }}: {error}") from None
        known, value = expressions.literal(expression)
        return value if known else self._evaluator.evaluate(expression, self._document(expression, index))

    def _follow(self, path: tuple[str, ...], index: int) -> Json:
        head, rest = path[0], path[1:]
        if head == "nodes":
            return self._follow_node(rest)
        roots: dict[str, Callable[[], Json]] = {
            "input": self._input,
            "item": lambda: self.item(index),
            "execution": self._execution,
        }
        return expressions.follow(roots[head](), rest) if head in roots else None

    def _follow_node(self, path: tuple[str, ...]) -> Json:
        """`path` begins behind `.nodes`. Of a mapped node one item is read where one is asked for."""
        if len(path) < 2:
            return expressions.follow(self._nodes(lambda _: True), path)
        node = self._node_named(path[0])
        if node is None or path[1] != "output":
            return None
        output = self.run.outputs[node]
        if isinstance(output, MappedOutput) and len(path) > 2 and path[2].isdigit():
            item = int(path[2])
            return expressions.follow(self._payload(output.items.get(item)) if item < output.count else None, path[3:])
        return expressions.follow(self._output(node), path[2:])

    def _document(self, expression: str, index: int) -> dict[str, Json]:
        """What the expression can name: all of it when it names nothing."""
        named = [section for section in _SECTIONS if section in expression] or list(_SECTIONS)
        document: dict[str, Json] = {}
        if "input" in named:
            document["input"] = self._input()
        if "nodes" in named:
            ids = [self._id(node) for node in self.run.outputs if self._id(node) in expression]
            document["nodes"] = self._nodes(lambda id_: not ids or id_ in ids)
        if "execution" in named:
            document["execution"] = self._execution()
        if "item" in named and self.run.definition.mapped:
            document["item"] = self.item(index)
        return document

    def _nodes(self, wanted: Callable[[str], bool]) -> dict[str, Json]:
        return {self._id(node): {"output": self._output(node)} for node in self.run.outputs if wanted(self._id(node))}

    def _id(self, node: int) -> str:
        return self.run.workflow.nodes[node].id

    def _node_named(self, id_: str) -> Optional[int]:
        return next((node for node in self.run.outputs if self._id(node) == id_), None)

    def _input(self) -> Json:
        return self._keep("input", lambda: self._payload(self.run.input))

    def _execution(self) -> Json:
        return {"id": f"e{self.run.execution}", "workflow": self.run.workflow.name}

    def _output(self, node: int) -> Json:
        output = self.run.outputs[node]
        if isinstance(output, MappedOutput):
            mapped = output
            return self._keep(f"n{node}", lambda: [self._payload(mapped.items.get(i)) for i in range(mapped.count)])
        return self._keep(f"n{node}", lambda: self._payload(output))

    def _keep(self, key: str, make: Callable[[], Json]) -> Json:
        with self._lock:
            if key not in self._known:
                self._known[key] = make()
            return self._known[key]

    def _payload(self, payload: Payload) -> Json:
        if payload is None:
            return None
        return json.loads(self._payloads.get(payload) if isinstance(payload, BlobRef) else payload)

    def _item_of_blob(self, ref: BlobRef, index: int) -> bytes:
        bounds = self._payloads.part(ref, 8 * index if index else 0, 16)
        begin, end = struct.unpack("<QQ", bounds)
        texts = 8 + 8 * self.run.items_count
        begin = begin if index else 0
        return self._payloads.part(ref, texts + begin, end - begin)


def own(value: Json) -> Json:
    """A copy, for one who may change it."""
    return json.loads(_text(value)) if isinstance(value, (list, dict)) else value


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
