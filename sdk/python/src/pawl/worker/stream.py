"""The worker's connection to the coordinator: one gRPC stream, opened again whenever it breaks.

    stream = Stream("127.0.0.1:7070", address, deliver=mailbox.put, ...)
    stream.send(message)            # lost while there is no connection: Link sends it again
    stream.close()

`deliver` is called from a thread of the stream. Pauses between connections double from PAUSE_FIRST to
PAUSE_MAX. A refusal is an end like any other, for it may pass: a server holds a half-open connection of this
worker for its own, or a list of what is revoked is mended.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterator
from typing import Any, Callable, Optional

import grpc

from pawl.worker import frames
from pawl.worker.messages import Message

log = logging.getLogger("pawl")

PAUSE_FIRST, PAUSE_MAX = 0.05, 2.0
WAITING_FRAMES_MAX = 4096  # of one connection; beyond it frames are lost, as on any lossy way
OPTIONS = [
    ("grpc.max_receive_message_length", -1),  # a grant brings whatever its node reads
    ("grpc.max_send_message_length", frames.FRAME_BYTES_MAX),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
]


class Stream:
    def __init__(
        self,
        channel: grpc.Channel,
        address: int,
        metadata: list[tuple[str, str]],
        deliver: Callable[[Message], None],
    ) -> None:
        self._connect = channel.stream_stream("/pawl.v1.Workers/Connect")
        self._address = address
        self._metadata = metadata
        self._deliver = deliver
        self._lock = threading.Lock()
        self._outgoing: Optional[queue.Queue[Optional[bytes]]] = None
        self._call: Any = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="pawl-stream", daemon=True)
        self._thread.start()

    def send(self, message: Message) -> None:
        with self._lock:
            outgoing = self._outgoing
        if outgoing is not None and outgoing.qsize() < WAITING_FRAMES_MAX:
            outgoing.put(frames.encode(message))

    def close(self) -> None:
        self._closing.set()
        with self._lock:
            call, outgoing = self._call, self._outgoing
        if outgoing is not None:
            outgoing.put(None)
        if call is not None:
            call.cancel()
        self._thread.join()

    def _serve(self) -> None:
        pause = PAUSE_FIRST
        complained = ""
        while not self._closing.is_set():
            error = self._one_connection()
            if self._closing.is_set():
                return
            if error is None:  # something was heard
                pause, complained = PAUSE_FIRST, ""
            elif error != complained:
                complained = error
                log.warning("no connection to the coordinator: %s; trying again", error)
            self._closing.wait(pause)
            pause = min(pause * 2, PAUSE_MAX)

    def _one_connection(self) -> Optional[str]:
        """Until it breaks. Why, unless something had been heard over it."""
        outgoing: queue.Queue[Optional[bytes]] = queue.Queue()
        outgoing.put(frames.encode(Message(from_address=self._address)))  # who is to be found here
        call = self._connect(until_none(outgoing), metadata=self._metadata)
        with self._lock:
            self._outgoing, self._call = outgoing, call
        if self._closing.is_set():
            call.cancel()
        heard = False
        decoder = frames.Decoder()
        try:
            for data in call:
                self._deliver(decoder.decode(data))
                heard = True
            return None if heard else "it hung up"
        except ValueError as error:
            call.cancel()
            return str(error)
        except grpc.RpcError as error:
            return None if heard else error.details() or str(error)
        finally:
            with self._lock:
                self._outgoing, self._call = None, None
            outgoing.put(None)


def until_none(frames_: queue.Queue[Optional[bytes]]) -> Iterator[bytes]:
    while (frame := frames_.get()) is not None:
        yield frame
