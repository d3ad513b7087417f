"""Pawl for Python: durable workflows and tasks.

    client = pawl.Client("http://127.0.0.1:8080")
    print(client.run("wordcount", {"top": 3}))

docs/python.md is the guide. `pawl.Worker` needs `pip install 'pawl[worker]'`.
"""

from typing import TYPE_CHECKING, Any

from pawl.aio import AsyncClient, AsyncRun
from pawl.client import Client, Run
from pawl.errors import (
    Aborted,
    AlreadyExists,
    Cancelled,
    DataLoss,
    DeadlineExceeded,
    ExecutionCancelled,
    ExecutionError,
    ExecutionFailed,
    ExecutionParked,
    FailedPrecondition,
    Internal,
    InvalidArgument,
    NotFound,
    OutOfRange,
    PawlError,
    PermissionDenied,
    ResourceExhausted,
    ServerError,
    TaskFailed,
    Unauthenticated,
    Unavailable,
    Unimplemented,
    UnknownOutcome,
    WaitTimeout,
)
from pawl.executor import Executor
from pawl.tasks import CurrentTask, current_task, task
from pawl.values import (
    Blob,
    Cause,
    DeadLetter,
    Event,
    Execution,
    Node,
    Overview,
    Reason,
    Server,
    Task,
    TaskCounts,
    Workflow,
)

if TYPE_CHECKING:
    from pawl.worker import Worker

__version__ = "0.1.0"
__all__ = [
    "Aborted", "AlreadyExists", "AsyncClient", "AsyncRun", "Blob", "Cancelled", "Cause", "Client", "CurrentTask",
    "DataLoss", "DeadLetter", "DeadlineExceeded", "Event", "Execution", "ExecutionCancelled", "ExecutionError",
    "ExecutionFailed", "ExecutionParked", "Executor", "FailedPrecondition", "Internal", "InvalidArgument", "Node",
    "NotFound", "OutOfRange", "Overview", "PawlError", "PermissionDenied", "Reason", "ResourceExhausted", "Run",
    "Server", "ServerError", "Task", "TaskCounts", "TaskFailed", "Unauthenticated", "Unavailable", "Unimplemented",
    "UnknownOutcome", "WaitTimeout", "Worker", "Workflow", "current_task", "task",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """The worker is loaded when it is asked for: clients need neither gRPC nor protobuf."""
    if name == "Worker":
        from pawl.worker import Worker

        return Worker
    raise AttributeError(f"module 'pawl' has no attribute {name!r}")
