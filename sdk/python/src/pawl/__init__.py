"""Pawl for Python: durable workflows and tasks.

    client = pawl.Client("http://127.0.0.1:8080")
    print(client.run("wordcount", {"top": 3}))

docs/python.md is the guide.
"""

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
    Unauthenticated,
    Unavailable,
    Unimplemented,
    UnknownOutcome,
    WaitTimeout,
)
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

__version__ = "0.1.0"
__all__ = [
    "Aborted", "AlreadyExists", "AsyncClient", "AsyncRun", "Blob", "Cancelled", "Cause", "Client", 
    "DataLoss", "DeadLetter", "DeadlineExceeded", "Event", "Execution", "ExecutionCancelled", "ExecutionError",
    "ExecutionFailed", "ExecutionParked", "FailedPrecondition", "Internal", "InvalidArgument", "Node",
    "NotFound", "OutOfRange", "Overview", "PawlError", "PermissionDenied", "Reason", "ResourceExhausted", "Run",
    "Server", "ServerError", "Task", "TaskCounts", "Unauthenticated", "Unavailable", "Unimplemented",
    "UnknownOutcome", "WaitTimeout", "Workflow",
]  # fmt: skip
