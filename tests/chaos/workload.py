"""The workflows of a chaos run, and a model that says what must come of each, exactly.

    KINDS["chain"].tasks()                      # [("a", 0), ("b", 0), ("c", 0)]
    KINDS["chain"].value("one-7", "b", 0, 2, {"a": "one-7/a/0/1"})     # what attempt 2 of b prints

Every shell task appends one line, "EXECUTION NODE ITEM ATTEMPT", to a file, and prints a value that holds the
request, the node, the item and the number of its own attempt, and what it was given: a result that is recorded
for another attempt than the one that made it is found by its value.
"""

import json
from dataclasses import dataclass, field
from typing import Callable

ITEMS = 5
LARGE = 100_000  # bytes; payloads above 64 KiB are files
SLOW = 3  # seconds

# $PAWL_ITEM is 0 in a node without items. The line is one write to a file opened with O_APPEND.
EFFECT = 'echo "$PAWL_EXECUTION $PAWL_NODE $PAWL_ITEM $PAWL_ATTEMPT" >> ${ .input.effects }'
OWN = "${ .input.request }/$PAWL_NODE/$PAWL_ITEM/$PAWL_ATTEMPT"


def shell(*lines, need=None, **keys):
    """A node that prints its own value, and behind it that of the node it needs."""
    given = f":${{ .nodes.{need}.output }}" if need else ""
    needs = {"needs": [need]} if need else {}
    return {"run": "\n".join([EFFECT, *lines, f"echo {OWN}{given}"]), **needs, **keys}


@dataclass
class Kind:
    nodes: dict  # in the order of the definition
    output: object
    result: Callable  # the execution's output from those of its nodes
    weight: int = 1  # how often
    transforms: dict = field(default_factory=dict)  # node: its value from the outputs of all nodes
    fails: Callable = lambda attempt: False  # whether an attempt that runs to its end fails
    pad: int = 0  # bytes added to the input
    prefix: dict = field(default_factory=dict)  # node: what its program prints first

    def tasks(self):
        return [(node, item) for node, keys in self.nodes.items() for item in range(keys.get("for_each", 1))]

    def has_effects(self, node):
        return "run" in self.nodes[node]

    def mapped(self, node):
        return "for_each" in self.nodes[node]

    def needs(self, node):
        return self.nodes[node].get("needs", [])

    def value(self, request, node, item, attempt, outputs):
        if node in self.transforms:
            return self.transforms[node](outputs)
        own = f"{self.prefix.get(node, '')}{request}/{node}/{item}/{attempt}"
        return ":".join([own, *(outputs[need] for need in self.needs(node))])


KINDS = {
    "chain": Kind(
        weight=6,
        nodes={"a": shell(), "b": shell(need="a"), "c": shell(need="b")},
        output="${ .nodes.c.output }",
        result=lambda outputs: outputs["c"],
    ),
    "mapped": Kind(
        weight=4,
        nodes={
            "split": shell(),
            "each": shell(need="split", for_each=ITEMS),
            "join": {"needs": ["each"], "transform": '.nodes.each.output | join(" ")'},
        },
        transforms={"join": lambda outputs: " ".join(outputs["each"])},
        output="${ .nodes.join.output }",
        result=lambda outputs: outputs["join"],
    ),
    "flaky": Kind(
        weight=3,
        nodes={"try": shell('[ "$PAWL_ATTEMPT" -ge 3 ] || exit 7', retry={
            "max_attempts": 3, "backoff": {"first": "50ms", "factor": 2, "jitter": 0.5}})},
        fails=lambda attempt: attempt < 3,
        output="${ .nodes.try.output }",
        result=lambda outputs: outputs["try"],
    ),
    "large": Kind(
        nodes={
            "make": shell(f'head -c {LARGE} /dev/zero | tr "\\0" x; echo'),
            "keep": {"needs": ["make"], "transform": ".nodes.make.output"},
            "count": {"needs": ["make"], "transform": "[(.nodes.make.output | length), (.input.pad | length)]"},
        },
        transforms={
            "keep": lambda outputs: outputs["make"],
            "count": lambda outputs: [len(outputs["make"]), LARGE],
        },
        prefix={"make": "x" * LARGE + "\n"},
        pad=LARGE,
        output={"kept": "${ .nodes.keep.output }", "counted": "${ .nodes.count.output }"},
        result=lambda outputs: {"kept": outputs["keep"], "counted": outputs["count"]},
    ),
    "slow": Kind(
        nodes={"wait": shell(f"sleep {SLOW}"), "then": shell(need="wait")},
        output="${ .nodes.then.output }",
        result=lambda outputs: outputs["then"],
    ),
}


def definition(kind):
    keys = KINDS[kind]
    return json.dumps({"name": kind, "input": {"request": None, "effects": None, "pad": ""},
                       "nodes": keys.nodes, "output": keys.output})


def input_of(kind, request, effects):
    return {"request": request, "effects": effects, "pad": "p" * KINDS[kind].pad}
