"""Payloads above 64 KiB: read from the coordinator, and written to it before the report that refers to them.

The newest are kept, up to CACHE_BYTES_MAX. PayloadError says what could not be read or written.
Threading: any thread.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, Callable, TypeVar

import grpc

from pawl.worker import frames
from pawl.worker.messages import BlobRef

T = TypeVar("T")

PART_BYTES = 1 << 20
PAUSE_FIRST, PAUSE_MAX = 0.01, 1.0
CACHE_BYTES_MAX = 64 << 20
PATIENCE = 60.0  # seconds of one call; it waits for a coordinator that is just coming up
BYTES_PER_SECOND_MIN = 16 << 10  # so slow may the network be: what has more bytes gets more time


class PayloadError(Exception):
    """One line for people. `passes`: the same may succeed later, as nobody could be reached, or there was no room."""

    def __init__(self, message: str, *, passes: bool = False, no_room: bool = False) -> None:
        super().__init__(message)
        self.passes = passes or no_room
        self.no_room = no_room


class RemotePayloads:
    def __init__(self, channel: grpc.Channel, metadata: list[tuple[str, str]]) -> None:
        self._read = channel.unary_stream(
            "/pawl.v1.Workers/ReadPayload",
            request_serializer=frames.ReadPayloadRequest.SerializeToString,
            response_deserializer=frames.PayloadPart.FromString,
        )
        self._write = channel.stream_unary(
            "/pawl.v1.Workers/WritePayload",
            request_serializer=frames.WritePayloadRequest.SerializeToString,
            response_deserializer=frames.WritePayloadResponse.FromString,
        )
        self._metadata = metadata
        self._lock = threading.Lock()
        self._kept: OrderedDict[BlobRef, bytes] = OrderedDict()
        self._kept_bytes = 0

    def get(self, ref: BlobRef) -> bytes:
        with self._lock:
            known = self._kept.get(ref)
            if known is not None:
                self._kept.move_to_end(ref)
                return known
        data = self.part(ref, 0, ref.size)
        if len(data) != ref.size:
            raise PayloadError(f"payload: {len(data)} bytes of {ref.size} have come")
        self._keep(ref, data)
        return data

    def part(self, ref: BlobRef, offset: int, size: int) -> bytes:
        request = frames.ReadPayloadRequest(offset=offset, size=size)
        frames.fill_blob(ref, request.ref)

        def ask() -> bytes:
            parts = self._read(request, timeout=_patience(size), wait_for_ready=True, metadata=self._metadata)
            return b"".join(part.bytes for part in parts)

        return _patiently(ask)

    def put(self, ref: BlobRef, data: bytes) -> None:
        def requests() -> Iterator[Any]:
            for offset in range(0, len(data), PART_BYTES):
                request = frames.WritePayloadRequest(bytes=data[offset : offset + PART_BYTES])
                if offset == 0:
                    frames.fill_blob(ref, request.ref)
                yield request

        patience = _patience(len(data))
        _patiently(lambda: self._write(requests(), timeout=patience, wait_for_ready=True, metadata=self._metadata))

    def _keep(self, ref: BlobRef, data: bytes) -> None:
        if len(data) > CACHE_BYTES_MAX // 2:
            return
        with self._lock:
            if ref in self._kept:
                return
            self._kept[ref] = data
            self._kept_bytes += len(data)
            while self._kept_bytes > CACHE_BYTES_MAX:
                _, dropped = self._kept.popitem(last=False)
                self._kept_bytes -= len(dropped)


def _patience(size: int) -> float:
    return PATIENCE + size / BYTES_PER_SECOND_MIN


def _patiently(ask: Callable[[], T]) -> T:
    """Again while the coordinator cannot be reached, or cannot tell yet what this worker holds."""
    end, pause = time.monotonic() + PATIENCE, PAUSE_FIRST
    while True:
        try:
            return ask()
        except grpc.RpcError as error:
            again = isinstance(error, grpc.Call) and error.code() == grpc.StatusCode.UNAVAILABLE
            if not again or time.monotonic() + pause > end:
                raise _payload_error(error) from None
        time.sleep(pause)
        pause = min(2 * pause, PAUSE_MAX)


def _payload_error(error: grpc.RpcError) -> PayloadError:
    if not isinstance(error, grpc.Call):
        return PayloadError(f"payload: {error}", passes=True)
    code = error.code()
    passes = code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
    no_room = code == grpc.StatusCode.RESOURCE_EXHAUSTED
    return PayloadError(f"payload: {error.details()}", passes=passes, no_room=no_room)
