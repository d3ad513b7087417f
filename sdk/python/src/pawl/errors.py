"""What can go wrong, as exceptions.

    try:
        client.submit("nightly")
    except pawl.NotFound as error:
        print(error.code, error.message)       # NOT_FOUND  no workflow "nightly" is registered

Every exception of this package is a `PawlError`. Those of the server have its code, one class per code:
docs/api.md says what each means and what to do. Those of executions carry the execution.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from pawl.values import Execution


class PawlError(Exception):
    """The base of them all. `code` is the server's word for it, `message` one line for people."""

    code: str = "UNKNOWN"

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class ServerError(PawlError):
    """The server, or the way to it, said no."""

    by_code: ClassVar[dict[str, type[ServerError]]] = {}

    def __init_subclass__(cls, code: str) -> None:
        cls.code = code
        ServerError.by_code[code] = cls


class InvalidArgument(ServerError, code="INVALID_ARGUMENT"):
    """The call or the definition is wrong: correct it."""


class OutOfRange(ServerError, code="OUT_OF_RANGE"):
    """Beyond the end of something."""


class Unauthenticated(ServerError, code="UNAUTHENTICATED"):
    """No token, or one that the server does not know."""


class PermissionDenied(ServerError, code="PERMISSION_DENIED"):
    """The token's owner may not do this."""


class NotFound(ServerError, code="NOT_FOUND"):
    """No such execution, node, item, workflow or payload."""


class AlreadyExists(ServerError, code="ALREADY_EXISTS"):
    """The request id was used for something else."""


class FailedPrecondition(ServerError, code="FAILED_PRECONDITION"):
    """Wrong in this state; change the state first."""


class Aborted(ServerError, code="ABORTED"):
    """Somebody else was faster."""


class ResourceExhausted(ServerError, code="RESOURCE_EXHAUSTED"):
    """A limit, which the message names, and it stayed exhausted over all retries."""


class Cancelled(ServerError, code="CANCELLED"):
    """The call was ended early."""


class Internal(ServerError, code="INTERNAL"):
    """A defect of the server."""


class DataLoss(ServerError, code="DATA_LOSS"):
    """What was stored has been damaged: `pawl verify` says more."""


class Unimplemented(ServerError, code="UNIMPLEMENTED"):
    """This server does not know the call."""


class DeadlineExceeded(ServerError, code="DEADLINE_EXCEEDED"):
    """The server ran out of time."""


class Unavailable(ServerError, code="UNAVAILABLE"):
    """Nobody answered, or the server is going; whether the call had an effect is not known."""


class UnknownOutcome(ServerError, code="UNKNOWN"):
    """The server cannot say whether the call had an effect."""


def server_error(code: str, message: str) -> ServerError:
    """The exception of a code; of one that a later server may have invented, the base class."""
    return ServerError.by_code.get(code, ServerError)(message, code)


class ExecutionError(PawlError):
    """An execution did not succeed. `execution` is everything about it."""

    def __init__(self, execution: Execution) -> None:
        failed = [node for node in execution.nodes if node.error]
        why = execution.error or "; ".join(f"{node.id}: {node.error}" for node in failed)
        super().__init__(f"{execution.id} {execution.workflow} {execution.status}" + (f": {why}" if why else ""))
        self.execution = execution

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.execution,))


class ExecutionFailed(ExecutionError):
    """It has ended as `failed` (or `quarantined`)."""

    code = "EXECUTION_FAILED"


class ExecutionCancelled(ExecutionError):
    """It was cancelled."""

    code = "EXECUTION_CANCELLED"


class ExecutionParked(ExecutionError):
    """It waits with dead letters until somebody redrives or discards them."""

    code = "EXECUTION_PARKED"


class WaitTimeout(PawlError, TimeoutError):
    """It still runs; the wait is over."""

    code = "WAIT_TIMEOUT"


class TaskFailed(PawlError):
    """A call given to `pawl.Executor` failed for good."""

    def __init__(self, message: str, kind: str, execution: str, item: int) -> None:
        super().__init__(message, "TASK_FAILED")
        self.kind = kind
        self.execution = execution
        self.item = item

    def __reduce__(self) -> tuple[object, ...]:
        return (TaskFailed, (self.message, self.kind, self.execution, self.item))
