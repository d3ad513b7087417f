"""The program of the process in which pawl.worker.evaluator has expressions evaluated.

    python -I jq_process.py DESCRIPTOR SECONDS BYTES SYS_PATH

Over the connection DESCRIPTOR come an expression and a document as JSON, and an answer goes back: {"values": [...]},
of several the first two, or {"error": "..."}. An expression that takes longer than SECONDS or more than BYTES ends
the process. It can read nothing but its document: the environment is empty, and no file can be opened.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sys
from functools import lru_cache
from itertools import islice
from multiprocessing.connection import Connection
from typing import Any, Callable

PROGRAMS_MAX = 256  # compiled, and kept
OUT_OF_MEMORY = 3  # exit code


def shut_in(memory: int) -> None:
    os.environ.clear()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    with contextlib.suppress(ValueError, OSError):  # not every system can
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def answer(compiled: Callable[[str], Any], expression: str, document: str) -> dict[str, Any]:
    try:
        return {"values": list(islice(iter(compiled(expression).input_text(document)), 2))}
    except (ValueError, StopIteration) as error:
        return {"error": str(error)}


def serve(connection: Connection, seconds: float, compiled: Callable[[str], Any]) -> None:
    while True:
        try:
            expression, document = connection.recv_bytes().decode(), connection.recv_bytes().decode()
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_REAL, seconds)  # SIGALRM ends the process, jq hears of nothing else
        said = json.dumps(answer(compiled, expression, document)).encode()
        signal.setitimer(signal.ITIMER_REAL, 0)
        connection.send_bytes(said)


def main(descriptor: str, seconds: str, memory: str, path: str) -> None:
    connection = Connection(int(descriptor))
    sys.path[:] = json.loads(path)
    import jq

    shut_in(int(memory))
    connection.send_bytes(b"ready")
    try:
        serve(connection, float(seconds), lru_cache(maxsize=PROGRAMS_MAX)(jq.compile))
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


if __name__ == "__main__":
    main(*sys.argv[1:])
