"""jq expressions, evaluated in processes that can be killed and have nothing to tell.

    jq = Evaluator()
    jq.evaluate(".a + 1", {"a": 1})      # 2
    jq.close()

jq has no limits of its own: an expression can run for ever, take all memory or crash, and reads the environment of
its process. So it runs in another (jq_process.py), with an empty environment, which serves one expression after the
other and ends with the worker. A process that an expression has brought down takes only that one with it.
Limits: TIME_LIMIT and MEMORY_LIMIT of one expression, PROCESSES_MAX expressions at once; others wait.
Threading: any thread.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pawl.values import Json
from pawl.worker.expressions import ExpressionError
from pawl.worker.jq_process import OUT_OF_MEMORY

TIME_LIMIT = 5.0  # seconds
MEMORY_LIMIT = 512 << 20  # bytes
PROCESSES_MAX = 8

_PROGRAM = Path(__file__).with_name("jq_process.py")
_NEEDED_TO_START = ("LD_LIBRARY_PATH",)  # where a Python finds itself; gone when the first expression comes


class Evaluator:
    def __init__(self, time_limit: float = TIME_LIMIT) -> None:
        self._time_limit = time_limit
        self._permits = threading.BoundedSemaphore(PROCESSES_MAX)
        self._lock = threading.Lock()
        self._idle: list[_Process] = []
        self._closed = False

    def evaluate(self, text: str, document: Json) -> Json:
        """ExpressionError when it fails, gives other than one value, or jq is not installed."""
        if find_spec("jq") is None:
            raise ExpressionError(
                f"${{ {text} }} is more than a plain path, which takes jq: install pawl[jq] with this worker, or "
                "move it into a transform node"
            )
        asked = (text.encode(), json.dumps(document).encode())
        with self._permits:
            answer = self._ask(*asked)
        if (error := answer.get("error")) is not None:
            raise ExpressionError(f"${{ {text} }}: {error}")
        values = answer["values"]
        if len(values) != 1:
            raise ExpressionError(f"${{ {text} }}: expected one value, got {'several' if values else 0}")
        return values[0]

    def close(self) -> None:
        """Ends its processes; those that are at work when they are done."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for process in idle:
            process.close()

    def _ask(self, expression: bytes, document: bytes) -> dict[str, Any]:
        with self._lock:
            process = self._idle.pop() if self._idle else None
        try:
            process = process or _Process(self._time_limit)
            answer = process.ask(expression, document)
        except (EOFError, OSError) as error:
            return {"error": process.ended() if process is not None else f"jq could not be started: {error}"}
        with self._lock:
            if not self._closed:
                self._idle.append(process)
                return answer
        process.close()
        return answer


class _Process:
    def __init__(self, time_limit: float) -> None:
        self._time_limit = time_limit
        self._connection, far = multiprocessing.Pipe()
        words = [str(far.fileno()), str(time_limit), str(MEMORY_LIMIT), json.dumps(sys.path)]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(_PROGRAM), *words],
                env={name: os.environ[name] for name in _NEEDED_TO_START if name in os.environ},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(far.fileno(),),
                start_new_session=True,  # Ctrl-C is the worker's to hear
            )
        except OSError:
            self._connection.close()
            raise
        finally:
            far.close()
        self._ready = False

    def ask(self, expression: bytes, document: bytes) -> dict[str, Any]:
        """EOFError or OSError when it has ended instead."""
        if not self._ready:
            self._connection.recv_bytes()
            self._ready = True
        self._connection.send_bytes(expression)
        self._connection.send_bytes(document)
        answer: dict[str, Any] = json.loads(self._connection.recv_bytes())
        return answer

    def ended(self) -> str:
        """Why, of one that has hung up."""
        self._connection.close()
        code = self._process.wait()
        if not self._ready:
            return f"jq could not be started (exit code {code})"
        if code == -signal.SIGALRM:
            return f"the expression ran longer than {self._time_limit:g} s and was killed"
        if code in (OUT_OF_MEMORY, -signal.SIGABRT):
            return f"the expression needed more memory than the {MEMORY_LIMIT >> 20} MiB allowed and was killed"
        return f"the expression crashed jq (exit code {code})"

    def close(self) -> None:
        self._connection.close()
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.wait()
