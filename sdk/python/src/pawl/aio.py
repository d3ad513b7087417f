"""The client for asyncio; what each call does is said in pawl/client.py, which has the same ones.

    async with pawl.AsyncClient("http://127.0.0.1:8080") as client:
        run = await client.submit("wordcount", {"top": 3})
        async for event in run.events():
            print(event.name)
        print(await run.result(timeout=60))

Threading: one event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
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


class AsyncClient:
    """As pawl.Client, with await."""

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
        http: Optional[httpx.AsyncClient] = None,
    ) -> None:
        self.settings = Settings.of(server, token, timeout, retries, ca, certificate, key)
        self._http = http or httpx.AsyncClient(**self.settings.http_options())

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    # --- starting ---

    async def submit(
        self,
        workflow: Optional[str] = None,
        input: Optional[Mapping[str, Json]] = None,
        *,
        definition: Optional[Definition] = None,
        request_id: Optional[str] = None,
        labels: Optional[Mapping[str, Json]] = None,
        directory: Optional[str] = None,
    ) -> AsyncRun:
        """Starts an execution of a registered workflow ("nightly", "nightly@1.2") or of a definition (YAML
        or JSON text, or a dict). The same request id has one effect, however often it is sent."""
        call = calls.submit(
            workflow, input, definition=definition, request_id=request_id, labels=labels, directory=directory
        )
        return AsyncRun(self, await self._send(call))

    async def submit_many(
        self,
        workflow: Optional[str] = None,
        inputs: Iterable[Mapping[str, Json]] = (),
        *,
        definition: Optional[Definition] = None,
        request_id: Optional[str] = None,
        labels: Optional[Mapping[str, Json]] = None,
        directory: Optional[str] = None,
    ) -> Sequence[Union[AsyncRun, ServerError]]:
        call = calls.submit_many(
            workflow, inputs, definition=definition, request_id=request_id, labels=labels, directory=directory
        )
        return [one if isinstance(one, ServerError) else AsyncRun(self, one) for one in await self._send(call)]

    async def run(
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
        run = await self.submit(
            workflow, input, definition=definition, request_id=request_id, labels=labels, directory=directory
        )
        return await run.result(timeout)

    async def register(self, definition: Definition, *, directory: Optional[str] = None) -> values.Workflow:
        return await self._send(calls.register(definition, directory))

    # --- looking ---

    def execution(self, id: str) -> AsyncRun:
        return AsyncRun(self, id)

    async def get(self, execution: str) -> values.Execution:
        return await self._send(calls.get_execution(execution))

    async def wait(self, execution: str, timeout: Optional[float] = None) -> values.Execution:
        deadline = Deadline(timeout)
        while True:
            pause = deadline.next_wait()
            try:
                found = await self._send(calls.get_execution(execution, wait=pause), deadline)
            except Unavailable as error:
                raise deadline.unheard(execution, error) from error
            if found.settled:
                return found
            if pause == 0:
                raise deadline.over(execution)

    async def list(
        self, *, limit: int = 50, before: Optional[str] = None, status: Optional[str] = None
    ) -> Sequence[values.Execution]:
        return await self._send(calls.list_executions(limit=limit, before=before, status=status))

    async def task(self, execution: str, node: str, item: int = 0) -> values.Task:
        return await self._send(calls.get_task(execution, node, item))

    async def history(self, execution: str, *, after: Optional[str] = None) -> AsyncGenerator[values.Event, None]:
        more = True
        while more:
            entries, more = await self._send(calls.history(execution, after=after, limit=10_000))
            for entry in entries:
                yield entry
            more = more and bool(entries)
            after = entries[-1].place if entries else after

    async def events(self, execution: str, *, after: Optional[str] = None) -> AsyncGenerator[values.Event, None]:
        follower = Follower(execution, after, self.settings)
        while not follower.over:
            broken: Optional[Exception] = None
            try:
                async with self._http.stream(**follower.request()) as response:
                    if response.is_error:
                        await response.aread()
                    if not follower.answered(response):
                        yield follower.last(await self.get(execution))
                        return
                    async for data in response.aiter_bytes():
                        for event in follower.feed(data):
                            yield event
            except (httpx.TransportError, ServerError) as error:
                broken = error
            if not follower.over:
                await asyncio.sleep(follower.pause(broken))

    async def logs(
        self,
        execution: str,
        node: str,
        item: int = 0,
        *,
        attempt: int = 0,
        stream: str = "stdout",
        offset: int = 0,
        follow: bool = False,
    ) -> AsyncGenerator[bytes, None]:
        while True:
            part = await self._send(
                calls.log(
                    execution, node, item, attempt=attempt, stream=stream, offset=offset, wait=WAIT_MAX if follow else 0
                )
            )
            attempt, offset = part.attempt, part.next
            if part.content:
                yield part.content
            if part.over or not (part.content or follow):
                return

    async def why(
        self, execution: str, node: Optional[str] = None, item: Optional[int] = None
    ) -> Sequence[values.Reason]:
        return await self._send(calls.why(execution, node=node, item=item))

    async def dead_letters(self, execution: Optional[str] = None, *, limit: int = 1000) -> Sequence[values.DeadLetter]:
        return await self._send(calls.dead_letters(execution=execution, limit=limit))

    async def workflow(self, name: str) -> values.Workflow:
        return await self._send(calls.get_workflow(name))

    async def workflows(self, *, limit: int = 50, before: Optional[int] = None) -> Sequence[values.Workflow]:
        return await self._send(calls.list_workflows(limit=limit, before=before))

    async def fetch(self, blob: Blob) -> Json:
        return await self._send(calls.fetch(blob))

    async def overview(self) -> values.Overview:
        return await self._send(calls.overview())

    async def server(self) -> values.Server:
        return await self._send(calls.server())

    # --- changing; each gives how many executions, tasks or dead letters it has changed ---

    async def cancel(
        self,
        execution: str,
        node: Optional[str] = None,
        item: Optional[int] = None,
        *,
        reason: Optional[str] = None,
    ) -> int:
        return await self._send(calls.change("cancel", execution, node=node, item=item, reason=reason))

    async def redrive(self, execution: str, node: Optional[str] = None, item: Optional[int] = None) -> int:
        return await self._send(calls.change("redrive", execution, node=node, item=item))

    async def discard(self, execution: str, node: Optional[str] = None, item: Optional[int] = None) -> int:
        return await self._send(calls.change("discard", execution, node=node, item=item))

    async def forget(self, execution: str) -> int:
        return await self._send(calls.forget(execution))

    async def _send(self, call: Call[T], deadline: Optional[Deadline] = None) -> T:
        deadline = deadline or Deadline(None)
        backoff = Backoff(self.settings.retries, deadline)
        options = request_options(call, self.settings, deadline)
        while True:
            try:
                response = await self._http.request(**options)
                pause = backoff.after_answer(call, response)
                if pause is None:
                    return read_answer(call, response)
            except httpx.HTTPError as error:
                pause = backoff.after_break(call, error)
                if pause is None:
                    raise unreachable(error, self.settings) from error
            await asyncio.sleep(pause)


class AsyncRun:
    """As pawl.Run, with await."""

    def __init__(self, client: AsyncClient, id: str) -> None:
        self.id = id
        self._client = client

    def __repr__(self) -> str:
        return f"<pawl.AsyncRun {self.id}>"

    async def result(self, timeout: Optional[float] = None) -> Json:
        output = outcome(await self.wait(timeout)).output
        return await self._client.fetch(output) if isinstance(output, Blob) else output

    async def wait(self, timeout: Optional[float] = None) -> values.Execution:
        return await self._client.wait(self.id, timeout)

    async def get(self) -> values.Execution:
        return await self._client.get(self.id)

    def events(self, *, after: Optional[str] = None) -> AsyncGenerator[values.Event, None]:
        return self._client.events(self.id, after=after)

    def history(self, *, after: Optional[str] = None) -> AsyncGenerator[values.Event, None]:
        return self._client.history(self.id, after=after)

    async def task(self, node: str, item: int = 0) -> values.Task:
        return await self._client.task(self.id, node, item)

    def logs(
        self,
        node: str,
        item: int = 0,
        *,
        attempt: int = 0,
        stream: str = "stdout",
        offset: int = 0,
        follow: bool = False,
    ) -> AsyncGenerator[bytes, None]:
        return self._client.logs(self.id, node, item, attempt=attempt, stream=stream, offset=offset, follow=follow)

    async def why(self, node: Optional[str] = None, item: Optional[int] = None) -> Sequence[values.Reason]:
        return await self._client.why(self.id, node, item)

    async def dead_letters(self) -> Sequence[values.DeadLetter]:
        return await self._client.dead_letters(self.id)

    async def cancel(
        self, node: Optional[str] = None, item: Optional[int] = None, *, reason: Optional[str] = None
    ) -> int:
        return await self._client.cancel(self.id, node, item, reason=reason)

    async def redrive(self, node: Optional[str] = None, item: Optional[int] = None) -> int:
        return await self._client.redrive(self.id, node, item)

    async def discard(self, node: Optional[str] = None, item: Optional[int] = None) -> int:
        return await self._client.discard(self.id, node, item)

    async def forget(self) -> int:
        return await self._client.forget(self.id)
