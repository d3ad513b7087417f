"""What a worker offers, checked where its program says it, and as it travels.

    texts("queues", ["slow", "fast"])       ("fast", "slow")
    texts("queues", "slow")                 TypeError: queues is a list of texts, not 'slow'

TypeError and ValueError name the argument.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping
from typing import Any, Callable

from pawl.tasks import TaskSpec, spec_of

FUNCTIONS_MAX = 4096
CREDIT_MAX = 1 << 20
PRICE_MAX = (1 << 64) - 1


def number(what: str, given: int, least: int, most: int) -> int:
    try:
        whole = operator.index(given)
    except TypeError:
        whole = least - 1
    if not least <= whole <= most:
        raise ValueError(f"{what} is a whole number from {least} to {most}, not {given!r}")
    return whole


def seconds(what: str, given: float) -> float:
    if not isinstance(given, (int, float)) or not 0 < given < math.inf:
        raise ValueError(f"{what} is a number of seconds, not {given!r}")
    return float(given)


def text(what: str, given: str) -> str:
    if not isinstance(given, str):
        raise TypeError(f"{what} is a text, not {given!r}")
    return given


def texts(what: str, given: Iterable[str]) -> tuple[str, ...]:
    if isinstance(given, str):
        raise TypeError(f"{what} is a list of texts, not {given!r}")
    return tuple(sorted((text(f"each of {what}", one) for one in given), key=str.encode))


def pairs(what: str, given: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    found = [(text(f"each name of {what}", name), text(f"{what}: {name}", value)) for name, value in given.items()]
    return tuple(sorted(found))


def amounts(capacity: Mapping[str, float]) -> tuple[tuple[str, int], ...]:
    """As they travel: "cpu" in thousandths of a core. ValueError on what is no amount."""
    found = []
    for name, amount in sorted(capacity.items()):
        whole = round(amount * 1000) if name == "cpu" else amount
        if whole != int(whole) or whole < 0:
            raise ValueError(f"capacity: {name} is a whole number from 0 on, not {amount}")
        if whole:
            found.append((name, int(whole)))
    return tuple(found)


def by_name(tasks: Iterable[Callable[..., Any]]) -> dict[str, TaskSpec]:
    """ValueError when there is none, or two have the same name."""
    known: dict[str, TaskSpec] = {}
    for function in tasks:
        spec = spec_of(function)
        if spec.name in known and known[spec.name].function is not spec.function:
            raise ValueError(f"two tasks are called {spec.name!r}: give one of them another name")
        known[spec.name] = spec
    if not known or len(known) > FUNCTIONS_MAX:
        raise ValueError(f"a worker has 1 to {FUNCTIONS_MAX} tasks, not {len(known)}")
    return known
