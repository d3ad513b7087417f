"""The worker: runs Python functions for a `pawl server`. Needs `pip install 'pawl[worker]'`.

`link` and `session` are the protocol, without I/O; `runner` and `process` run the functions; `stream` and
`payloads` are gRPC; `frames` and `definition` are the bytes; `context`, `expressions` and
`evaluator` make the inputs.
"""

from importlib.util import find_spec

if find_spec("grpc") is None or find_spec("google.protobuf") is None:
    raise ImportError("pawl.Worker needs gRPC and protobuf: pip install 'pawl[worker]'")

from pawl.worker.worker import Worker

__all__ = ["Worker"]
