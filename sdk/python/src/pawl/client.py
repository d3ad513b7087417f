"""A client for threads and scripts. `pawl.AsyncClient` is the same for asyncio.

    import pawl

    client = pawl.Client("http://127.0.0.1:8080", token="...")   # or PAWL_SERVER, PAWL_TOKEN
    run = client.submit("wordcount", {"top": 3}, request_id="monday")
    print(run.result(timeout=60))

Errors: `pawl.errors`. Calls are tried again where that is safe (`pawl.exchange`); a submission always is.
Threading: a client may be used by many threads at once.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Optional, TypeVar, Union

import httpx

from pawl import calls, values
from pawl.access import File
from pawl.calls import Call, Definition
from pawl.errors import ServerError, Unavailable
from pawl.exchange import (
    WAIT_MAX,
    Backoff,
    Deadline,
    Follower,
    Settings,
    outcome,
    read_answer,
    request_options,
    unreachable,
)
from pawl.values import Blob, Json

T = TypeVar("T")


class Client:
    def __init__(
        self,
        server: Optional[str] = None,
        *,
        token: Optional[str] = None,
        timeout: float = 30.0,
        retries: int = 6,
        ca: Optional[File] = None,
        certificate: Optional[File] = None,
        key: Optional[File] = None,
        http: Optional[httpx.Client] = None,
    ) -> None:
        """`timeout`: seconds for the server to answer. `ca`: file of the authority that has signed the server's
        certificate (or PAWL_CA); `certificate` and `key`: files of this client's (PAWL_CERTIFICATE, PAWL_KEY).
        `http`: a client of your own, for proxies and the like, with its own TLS."""
        self.settings = Settings.of(server, token, timeout, retries, ca, certificate, key)
        self._http = http or httpx.Client(**self.settings.http_options())

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    # --- starting ---

    def submit(
        self,
        workflow: Optional[str] = None,
        input: Optional[Mapping[str, Json]] = None,
        *,
        definition: Optional[Definition] = None,
        request_id: Optional[str] = None,
        labels: Optional[Mapping[str, Json]] = None,
        directory: Optional[str] = None,
    ) -> Run:
        """Starts an execution of a registered workflow ("nightly", "nightly@1.2") or of a definition (YAML
        or JSON text, or a dict). The same request id has one effect, however often it is sent."""
        call = calls.submit(
            workflow, input, definition=definition, request_id=request_id, labels=labels, directory=directory
        )
        return Run(self, self._send(call))

    def submit_many(
        self,
        workflow: Optional[str] = None,
        inputs: Iterable[Mapping[str, Json]] = (),
        *,
        definition: Optional[Definition] = None,
        request_id: Optional[str] = None,
        labels: Optional[Mapping[str, Json]] = None,
        directory: Optional[str] = None,
    ) -> Sequence[Union[Run, ServerError]]:
        """One execution per input, in one request (65,536 at most); what was refused is its error."""
        call = calls.submit_many(
            workflow, inputs, definition=definition, request_id=request_id, labels=labels, directory=directory
        )
        return [one if isinstance(one, ServerError) else Run(self, one) for one in self._send(call)]

    def run(
        self,
        workflow: Optional[str] = None,
        input: Optional[Mapping[str, Json]] = None,
        *,
        timeout: Optional[float] = None,
        definition: Optional[Definition] = None,
        request_id: Optional[str] = None,
        labels: Optional[Mapping[str, Json]] = None,
        directory: Optional[str] = None,
    ) -> Json:
        """Submits, waits, and gives the output."""
        run = self.submit(
            workflow, input, definition=definition, request_id=request_id, labels=labels, directory=directory
        )
        return run.result(timeout)

    def register(self, definition: Definition, *, directory: Optional[str] = None) -> values.Workflow:
        """Makes a definition known, so that it can be submitted by its name."""
        return self._send(calls.register(definition, directory))

    # --- looking ---

    def execution(self, id: str) -> Run:
        """A handle for an execution whose id is known; asks nothing yet."""
        return Run(self, id)

    def get(self, execution: str) -> values.Execution:
        return self._send(calls.get_execution(execution))

    def wait(self, execution: str, timeout: Optional[float] = None) -> values.Execution:
        """Until it has ended or is parked; WaitTimeout when it still runs then."""
        deadline = Deadline(timeout)
        while True:
            pause = deadline.next_wait()
            try:
                found = self._send(calls.get_execution(execution, wait=pause), deadline)
            except Unavailable as error:
                raise deadline.unheard(execution, error) from error
            if found.settled:
                return found
            if pause == 0:
                raise deadline.over(execution)

    def list(
        self, *, limit: int = 50, before: Optional[str] = None, status: Optional[str] = None
    ) -> Sequence[values.Execution]:
        """Newest first; `before=page[-1].id` gives the next page."""
        return self._send(calls.list_executions(limit=limit, before=before, status=status))

    def task(self, execution: str, node: str, item: int = 0) -> values.Task:
        return self._send(calls.get_task(execution, node, item))

    def history(self, execution: str, *, after: Optional[str] = None) -> Iterator[values.Event]:
        """Its events so far, oldest first."""
        more = True
        while more:
            entries, more = self._send(calls.history(execution, after=after, limit=10_000))
            yield from entries
            more = more and bool(entries)
            after = entries[-1].place if entries else after

    def events(self, execution: str, *, after: Optional[str] = None) -> Iterator[values.Event]:
        """What happens to it, as it happens, until it has ended. A broken connection is opened again
        where it broke: nothing is lost and nothing comes twice."""
        follower = Follower(execution, after, self.settings)
        while not follower.over:
            broken: Optional[Exception] = None
            try:
                with self._http.stream(**follower.request()) as response:
                    if response.is_error:
                        response.read()
                    if not follower.answered(response):
                        yield follower.last(self.get(execution))
                        return
                    for data in response.iter_bytes():
                        yield from follower.feed(data)
            except (httpx.TransportError, ServerError) as error:
                broken = error
            if not follower.over:
                time.sleep(follower.pause(broken))

    def logs(
        self,
        execution: str,
        node: str,
        item: int = 0,
        *,
        attempt: int = 0,
        stream: str = "stdout",
        offset: int = 0,
        follow: bool = False,
    ) -> Iterator[bytes]:
        """What the program of a task has written to `stream` ("stdout" or "stderr"), from `offset` on: of the newest
        attempt (or `attempt`), part by part. With `follow` as it is written, until the attempt has ended."""
        while True:
            part = self._send(
                calls.log(
                    execution, node, item, attempt=attempt, stream=stream, offset=offset, wait=WAIT_MAX if follow else 0
                )
            )
            attempt, offset = part.attempt, part.next
            if part.content:
                yield part.content
            if part.over or not (part.content or follow):
                return

    def why(self, execution: str, node: Optional[str] = None, item: Optional[int] = None) -> Sequence[values.Reason]:
        """Why it is not running, and what would change it."""
        return self._send(calls.why(execution, node=node, item=item))

    def dead_letters(self, execution: Optional[str] = None, *, limit: int = 1000) -> Sequence[values.DeadLetter]:
        return self._send(calls.dead_letters(execution=execution, limit=limit))

    def workflow(self, name: str) -> values.Workflow:
        return self._send(calls.get_workflow(name))

    def workflows(self, *, limit: int = 50, before: Optional[int] = None) -> Sequence[values.Workflow]:
        return self._send(calls.list_workflows(limit=limit, before=before))

    def fetch(self, blob: Blob) -> Json:
        """A payload too large to be shown."""
        return self._send(calls.fetch(blob))

    def overview(self) -> values.Overview:
        return self._send(calls.overview())

    def server(self) -> values.Server:
        return self._send(calls.server())

    # --- changing; each gives how many executions, tasks or dead letters it has changed ---

    def cancel(
        self,
        execution: str,
        node: Optional[str] = None,
        item: Optional[int] = None,
        *,
        reason: Optional[str] = None,
    ) -> int:
        return self._send(calls.change("cancel", execution, node=node, item=item, reason=reason))

    def redrive(self, execution: str, node: Optional[str] = None, item: Optional[int] = None) -> int:
        """Its dead letters get a new round of attempts."""
        return self._send(calls.change("redrive", execution, node=node, item=item))

    def discard(self, execution: str, node: Optional[str] = None, item: Optional[int] = None) -> int:
        """Its dead letters are given up."""
        return self._send(calls.change("discard", execution, node=node, item=item))

    def forget(self, execution: str) -> int:
        """Removes an execution that has ended, with all that belongs to it."""
        return self._send(calls.forget(execution))

    def _send(self, call: Call[T], deadline: Optional[Deadline] = None) -> T:
        deadline = deadline or Deadline(None)
        backoff = Backoff(self.settings.retries, deadline)
        options = request_options(call, self.settings, deadline)
        while True:
            try:
                response = self._http.request(**options)
                pause = backoff.after_answer(call, response)
                if pause is None:
                    return read_answer(call, response)
            except httpx.HTTPError as error:
                pause = backoff.after_break(call, error)
                if pause is None:
                    raise unreachable(error, self.settings) from error
            time.sleep(pause)


class Run:
    """One execution, to be waited for, followed and steered."""

    def __init__(self, client: Client, id: str) -> None:
        self.id = id
        self._client = client

    def __repr__(self) -> str:
        return f"<pawl.Run {self.id}>"

    def result(self, timeout: Optional[float] = None) -> Json:
        """Its output. Raises ExecutionFailed, ExecutionCancelled or ExecutionParked when there is none, and
        WaitTimeout when it still runs after `timeout` seconds."""
        output = outcome(self.wait(timeout)).output
        return self._client.fetch(output) if isinstance(output, Blob) else output

    def wait(self, timeout: Optional[float] = None) -> values.Execution:
        return self._client.wait(self.id, timeout)

    def get(self) -> values.Execution:
        return self._client.get(self.id)

    @property
    def status(self) -> str:
        return self.get().status

    def events(self, *, after: Optional[str] = None) -> Iterator[values.Event]:
        return self._client.events(self.id, after=after)

    def history(self, *, after: Optional[str] = None) -> Iterator[values.Event]:
        return self._client.history(self.id, after=after)

    def task(self, node: str, item: int = 0) -> values.Task:
        return self._client.task(self.id, node, item)

    def logs(
        self,
        node: str,
        item: int = 0,
        *,
        attempt: int = 0,
        stream: str = "stdout",
        offset: int = 0,
        follow: bool = False,
    ) -> Iterator[bytes]:
        return self._client.logs(self.id, node, item, attempt=attempt, stream=stream, offset=offset, follow=follow)

    def why(self, node: Optional[str] = None, item: Optional[int] = None) -> Sequence[values.Reason]:
        return self._client.why(self.id, node, item)

    def dead_letters(self) -> Sequence[values.DeadLetter]:
        return self._client.dead_letters(self.id)

    def cancel(self, node: Optional[str] = None, item: Optional[int] = None, *, reason: Optional[str] = None) -> int:
        return self._client.cancel(self.id, node, item, reason=reason)

    def redrive(self, node: Optional[str] = None, item: Optional[int] = None) -> int:
        return self._client.redrive(self.id, node, item)

    def discard(self, node: Optional[str] = None, item: Optional[int] = None) -> int:
        return self._client.discard(self.id, node, item)

    def forget(self) -> int:
        return self._client.forget(self.id)
