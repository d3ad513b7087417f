"""The expressions of a node's `with`: plain paths here; for everything else see `evaluator`.

    follow({"a": [1, 2]}, ["a", "1"])         2
    plain_path('.nodes["x-1"].output[0]')     ["nodes", "x-1", "output", "0"]

Rules of the C++ side (src/pawl/model/expression.cc, src/pawl/base/json.cc): what is absent is null, and so
is every step below it; a step into a value that has none is an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Optional

from pawl.values import Json

_STEP = re.compile(
    r"""\.(?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | \.?"(?P<dotted>[^"\\]*)"
      | \[(?P<index>0|[1-9][0-9]{0,8})\]
      | \["(?P<quoted>[^"\\]*)"\]""",
    re.X,
)


class ExpressionError(Exception):
    """An expression could not be evaluated; one line for people."""


@lru_cache(maxsize=4096)
def plain_path(text: str) -> Optional[tuple[str, ...]]:
    """The steps of a plain path, or None when jq would be needed."""
    rest = text.strip(" \t\r\n")
    if not rest.startswith("."):
        return None
    if rest.startswith(".["):
        rest = rest[1:]
    path = []
    while rest:
        match = _STEP.match(rest)
        if match is None or (match.lastgroup == "dotted" and not rest.startswith(".")):
            return None
        step = match[match.lastgroup or 0]
        if match.lastgroup != "index" and step.isdigit():
            return None
        path.append(step)
        rest = rest[match.end() :]
    return tuple(path) or None


def follow(value: Json, path: Sequence[str]) -> Json:
    for step in path:
        if isinstance(value, dict):
            if step.isdigit():
                raise ExpressionError(f"cannot index object with number {step}")
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit():
            value = value[int(step)] if int(step) < len(value) else None
        elif value is not None:
            raise ExpressionError(f'cannot index {kind_of(value)} with "{step}"')
    return value


def kind_of(value: Json) -> str:
    if isinstance(value, bool):
        return "boolean"
    kinds = {str: "string", int: "number", float: "number", list: "array", dict: "object", type(None): "null"}
    return kinds[type(value)]


def literal(text: str) -> tuple[bool, Json]:
    """Whether the expression is a JSON value, and which."""
    try:
        return True, json.loads(text)
    except ValueError:
        return False, None
