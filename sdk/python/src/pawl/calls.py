"""Every call of the REST API as a value: what to send, and how to read the answer. No I/O.

    call = get_execution("e17", wait=30)
    call.method, call.path, call.query        "GET", "/v1/executions/e17", {"wait": "30s"}
    call.read(json)                           Execution(...)

`Client` and `AsyncClient` send the same values; docs/rest.md lists the routes.
"""

from __future__ import annotations

import json as json_text
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Callable, Generic, Optional, TypeVar, Union
from urllib.parse import quote

from pawl import values
from pawl.errors import ServerError, server_error
from pawl.values import Blob, Json

T = TypeVar("T")
Definition = Union[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Call(Generic[T]):
    method: str
    path: str
    read: Callable[[Any], T]
    query: Mapping[str, str] = field(default_factory=dict)
    body: Optional[Mapping[str, Any]] = None
    repeatable: bool = True  # sent twice, it has one effect
    patience: float = 0.0  # seconds that the server may hold its answer back


def new_request_id() -> str:
    return uuid.uuid4().hex


def execution_path(execution: str, *more: str) -> str:
    return "/".join(["/v1/executions", quote(execution, safe=""), *(quote(part, safe="") for part in more)])


def given(**members: Any) -> dict[str, Any]:
    """Those that are not None."""
    return {name: value for name, value in members.items() if value is not None}


def texts(**members: Any) -> dict[str, str]:
    return {name: str(value) for name, value in given(**members).items()}


def what_to_run(workflow: Optional[str], definition: Optional[Definition]) -> dict[str, Any]:
    if (workflow is None) == (definition is None):
        raise ValueError("name a registered workflow, or give a definition: one of the two")
    if definition is None:
        return {"workflow": workflow}
    text = definition if isinstance(definition, str) else json_text.dumps(definition)
    return {"definition": text, "file_name": "definition.yaml" if isinstance(definition, str) else "definition.json"}


def submit(
    workflow: Optional[str],
    input: Optional[Mapping[str, Json]],
    *,
    definition: Optional[Definition],
    request_id: Optional[str],
    labels: Optional[Mapping[str, Json]],
    directory: Optional[str],
) -> Call[str]:
    body = what_to_run(workflow, definition)
    body.update(given(input=input, labels=labels, directory=directory))
    body["request_id"] = request_id or new_request_id()
    return Call("POST", "/v1/executions", lambda answer: str(answer["execution"]), body=body)


def submit_many(
    workflow: Optional[str],
    inputs: Iterable[Mapping[str, Json]],
    *,
    definition: Optional[Definition],
    request_id: Optional[str],
    labels: Optional[Mapping[str, Json]],
    directory: Optional[str],
) -> Call[list[Union[str, ServerError]]]:
    body = what_to_run(workflow, definition)
    body.update(given(labels=labels, directory=directory))
    body["inputs"] = list(inputs)
    body["request_id"] = request_id or new_request_id()
    return Call("POST", "/v1/execution-batches", read_submissions, body=body)


def read_submissions(answer: Any) -> list[Union[str, ServerError]]:
    submissions: list[Union[str, ServerError]] = []
    for one in answer["executions"]:
        if isinstance(one, str):
            submissions.append(one)
        elif one.get("execution"):
            submissions.append(str(one["execution"]))
        else:
            error = one.get("error") or {}
            submissions.append(server_error(error.get("code", "UNKNOWN"), error.get("message", "not accepted")))
    return submissions


def get_execution(execution: str, wait: float = 0.0) -> Call[values.Execution]:
    query = {"wait": f"{int(wait * 1000)}ms"} if wait > 0 else {}
    return Call("GET", execution_path(execution), values.Execution.read, query, patience=wait)


def list_executions(*, limit: int, before: Optional[str], status: Optional[str]) -> Call[list[values.Execution]]:
    query = texts(limit=limit, before=before, status=status)
    return Call("GET", "/v1/executions", lambda a: [values.Execution.read(e) for e in a["executions"]], query)


def get_task(execution: str, node: str, item: int) -> Call[values.Task]:
    return Call("GET", execution_path(execution, "tasks", node, str(item)), values.Task.read)


def log(
    execution: str, node: str, item: int, *, attempt: int, stream: str, offset: int, wait: float
) -> Call[values.LogPart]:
    query = texts(item=item, attempt=attempt, stream=stream, offset=offset)
    if wait > 0:
        query["wait"] = f"{int(wait * 1000)}ms"
    path = execution_path(execution, "tasks", node, "logs")
    return Call("GET", path, values.LogPart.read, query, patience=wait)


def history(execution: str, *, after: Optional[str], limit: int) -> Call[tuple[list[values.Event], bool]]:
    """The entries, and whether there are more behind them."""
    return Call(
        "GET",
        execution_path(execution, "history"),
        lambda a: ([values.Event.read_entry(e) for e in a["entries"]], bool(a.get("truncated"))),
        texts(after=after and after.partition("~")[0], limit=limit),  # behind the tilde: of progress
    )


def why(execution: str, *, node: Optional[str], item: Optional[int]) -> Call[list[values.Reason]]:
    return Call(
        "GET",
        execution_path(execution, "why"),
        lambda a: [values.Reason.read(r) for r in a["reasons"]],
        texts(node=node, item=item),
    )


def change(
    verb: str, execution: str, *, node: Optional[str], item: Optional[int], reason: Optional[str] = None
) -> Call[int]:
    """`cancel`, `redrive` or `discard`; a second one may be refused, so it is not sent again blindly."""
    body = given(node=node, item=item, reason=reason)
    return Call("POST", execution_path(execution, verb), lambda a: int(a["count"]), body=body, repeatable=False)


def forget(execution: str) -> Call[int]:
    return Call("DELETE", execution_path(execution), lambda a: int(a["count"]))


def dead_letters(*, execution: Optional[str], limit: int) -> Call[list[values.DeadLetter]]:
    return Call(
        "GET",
        "/v1/dead-letters",
        lambda a: [values.DeadLetter.read(letter) for letter in a["letters"]],
        texts(execution=execution, limit=limit),
    )


def register(definition: Definition, directory: Optional[str]) -> Call[values.Workflow]:
    body = what_to_run(None, definition)
    body.update(given(directory=directory))
    return Call("PUT", "/v1/workflows", values.Workflow.read, body=body)


def list_workflows(*, limit: int, before: Optional[int]) -> Call[list[values.Workflow]]:
    query = texts(limit=limit, before=before)
    return Call("GET", "/v1/workflows", lambda a: [values.Workflow.read(w) for w in a["workflows"]], query)


def get_workflow(name: str) -> Call[values.Workflow]:
    return Call("GET", f"/v1/workflows/{quote(name, safe='@')}", values.Workflow.read)


def fetch(blob: Blob) -> Call[Json]:
    path = f"/v1/payloads/{quote(blob.owner, safe='')}/{quote(blob.sequence, safe='')}"
    return Call("GET", path, lambda answer: answer, texts(size=blob.size, hash=blob.hash))


def overview() -> Call[values.Overview]:
    return Call("GET", "/v1/overview", values.Overview.read)


def server() -> Call[values.Server]:
    return Call("GET", "/v1/server", values.Server.read)
