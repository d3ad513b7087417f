"""Python functions as tasks.

    @pawl.task                                   # or @pawl.task(name="resize", retry=3, process=True)
    def square(n: int) -> int:
        return n * n

The function stays an ordinary function. `pawl.Worker` runs it for nodes with `function: square`.

What a node gives it (its `with`, else its item, else the execution's input) becomes its arguments:

    parameters   input
    none         ignored
    one          the value itself
    several      an object: its members by name; or a list: by position

`pawl.Executor` packs arguments by the same rule.
"""

from __future__ import annotations

import contextvars
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable, Optional, Protocol, TypeVar, Union, overload

from pawl.values import Json

F = TypeVar("F", bound=Callable[..., Any])
Retry = Union[int, Mapping[str, Any]]

_MARK = "__pawl_task__"
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True, eq=False)
class TaskSpec:
    """What `@pawl.task` says of a function."""

    name: str
    function: Callable[..., Any]
    retry: Optional[Retry] = None  # as in workflow files; for what `pawl.Executor` submits
    timeout: Optional[Union[str, Mapping[str, str]]] = None
    process: bool = False  # in a process of its own, which can be killed

    @property
    def is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.function)

    def _parameters(self) -> list[inspect.Parameter]:
        return list(inspect.signature(self.function).parameters.values())

    def _takes_value(self) -> bool:
        parameters = self._parameters()
        return len(parameters) == 1 and parameters[0].kind not in _VARIADIC

    def pack(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Json:
        """The input that stands for these arguments. TypeError when they do not fit."""
        bound = inspect.signature(self.function).bind(*args, **kwargs)
        if not self._parameters():
            return None
        if self._takes_value():
            bound.apply_defaults()
            return next(iter(bound.arguments.values()))
        if any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in self._parameters()):
            if bound.kwargs:
                raise TypeError(f"{self.name}: a task with *{self._variadic()} takes no arguments by name")
            return list(bound.args)
        return {**dict(zip(bound.arguments, bound.args)), **bound.kwargs}

    def unpack(self, value: Json) -> tuple[list[Any], dict[str, Any]]:
        """The arguments that an input stands for. TypeError when they do not fit."""
        if not self._parameters():
            return [], {}
        if self._takes_value():
            parameter = self._parameters()[0]
            by_name = parameter.kind is inspect.Parameter.KEYWORD_ONLY
            return ([], {parameter.name: value}) if by_name else ([value], {})
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        if isinstance(value, list):
            args = value
        elif isinstance(value, dict):
            kwargs = dict(value)
            for parameter in self._parameters():
                if parameter.kind is inspect.Parameter.POSITIONAL_ONLY and parameter.name in kwargs:
                    args.append(kwargs.pop(parameter.name))
        elif value is not None:
            raise TypeError(
                f"{self.name} has several parameters, so its input is an object or a list, not {type(value).__name__}"
            )
        try:
            inspect.signature(self.function).bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.name}: {error}") from None
        return args, kwargs

    def _variadic(self) -> str:
        return next(p.name for p in self._parameters() if p.kind is inspect.Parameter.VAR_POSITIONAL)


@overload
def task(function: F, /) -> F: ...
@overload
def task(
    *,
    name: Optional[str] = None,
    retry: Optional[Retry] = None,
    timeout: Optional[Union[str, Mapping[str, str]]] = None,
    process: bool = False,
) -> Callable[[F], F]: ...
def task(
    function: Optional[F] = None,
    /,
    *,
    name: Optional[str] = None,
    retry: Optional[Retry] = None,
    timeout: Optional[Union[str, Mapping[str, str]]] = None,
    process: bool = False,
) -> Union[F, Callable[[F], F]]:
    """Makes a function a task, under its own name or another. `process=True` runs each call in a process of
    its own, which a cancellation or a timeout kills; a thread can only be asked."""

    def mark(function: F) -> F:
        if process and inspect.iscoroutinefunction(function):
            raise TypeError(f"{function.__name__}: an async function runs on the event loop, not in a process")
        spec = TaskSpec(name or function.__name__, function, retry, timeout, process)
        setattr(function, _MARK, spec)
        return function

    return mark if function is None else mark(function)


def is_task(value: object) -> bool:
    return isinstance(getattr(value, _MARK, None), TaskSpec)


def spec_of(function: Callable[..., Any]) -> TaskSpec:
    """Of a task; TypeError for any other function."""
    spec = getattr(function, _MARK, None)
    if isinstance(spec, TaskSpec):
        return spec
    name = getattr(function, "__name__", repr(function))
    raise TypeError(f"{name} is no task: write @pawl.task above it")


class CurrentTask(Protocol):
    """The task that runs here, and its attempt."""

    @property
    def execution(self) -> str: ...
    @property
    def node(self) -> str: ...
    @property
    def item(self) -> int: ...
    @property
    def attempt(self) -> int: ...
    @property
    def idempotency_key(self) -> str:
        """The same for every attempt of the task, and for no other task."""

    @property
    def traceparent(self) -> str:
        """The execution's trace and a span for this attempt, as W3C Trace Context writes it: what a program
        finds in TRACEPARENT."""

    def cancelled(self) -> bool:
        """The result no longer counts, or the time is up: return soon."""

    def progress(self, fraction: float, message: str = "") -> None:
        """How far it is, from 0 to 1. Each call counts as a heartbeat."""


_current: contextvars.ContextVar[CurrentTask] = contextvars.ContextVar("pawl_current_task")


def current_task() -> CurrentTask:
    """Inside a task that a worker runs; RuntimeError anywhere else."""
    try:
        return _current.get()
    except LookupError:
        raise RuntimeError("no task runs here: pawl.current_task() is for functions that a worker calls") from None


def set_current_task(running: CurrentTask) -> None:
    """For workers: `running` is what current_task() gives in this context from here on."""
    _current.set(running)
