"""One reliable, ordered, exactly-once stream in each direction, over a way that loses and doubles messages.

    link = Link(self_address=7, peer=1, incarnation=1)
    link.send(body)
    for message in link.poll(now): transport.send(message)      # at the end of every turn
    delivery = link.deliver(message, now)                       # for each that arrived

The rules are those of src/pawl/port/link.h: a stream belongs to a pair of incarnations; what is not
acknowledged is sent again, one body first, after a time that doubles up to a cap and begins at twice what
acknowledgements have taken of late; whoever has much to send asks `room`, which is kept so small that what is
on its way arrives within ARRIVAL_AIM; a higher incarnation of the peer starts both streams anew and gives back
what the old one may not have taken. Pure: times are seconds of any monotonic clock. One thread.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Optional

from pawl.worker.messages import Body, Message, carried_bytes

RETRANSMIT_FIRST, RETRANSMIT_MAX = 0.2, 1.0
PATIENCE_MAX = 10.0  # however slow the network has been, a body is sent again after so long
ARRIVAL_AIM = 0.5
WINDOW_BYTES_MIN, WINDOW_BYTES_MAX = 64 << 10, 64 << 20
ACKNOWLEDGE_AFTER, ACKNOWLEDGE_BYTES = 0.02, 32 << 10
WINDOW_MESSAGES_MAX = 256
WAITING_MESSAGES_MAX = 4096


@dataclass
class Delivery:
    peer_restarted: bool = False  # before `bodies`, which are of its new life
    undelivered: list[Body] = field(default_factory=list)  # then: what its old life may not have taken
    bodies: list[Body] = field(default_factory=list)  # in the order sent, each once


@dataclass
class Outgoing:
    body: Body
    bytes: int
    sent_at: float = -math.inf  # for the first time
    last_sent_at: float = -math.inf  # later: it was sent again


class Link:
    def __init__(self, self_address: int, peer: int, incarnation: int) -> None:
        self._bare = Message(from_address=self_address, to_address=peer, incarnation=incarnation)
        self.peer_incarnation = 0  # 0: not known yet
        self._outgoing: deque[Outgoing] = deque()  # the first `_sent` have been sent
        self._outgoing_bytes = 0
        self._window_bytes = WINDOW_BYTES_MIN
        self._adapted_at = -math.inf  # the window; what was sent before says nothing about it
        self._sent = 0
        self._doubtful = 0  # of these: sent before one of them took too long
        self._burst = 1  # so many of them are sent again at once, if their time has come
        self._first = 1  # sequence of _outgoing[0]
        self._patience = RETRANSMIT_FIRST  # _retransmit_after begins with it
        self._retransmit_after = RETRANSMIT_FIRST
        self._retransmit_at = -math.inf
        self._received = 0
        self._received_bytes = 0  # that have not been acknowledged
        self._early: dict[int, Body] = {}  # overtook their predecessors
        self._acknowledge_at = math.inf

    @property
    def full(self) -> bool:
        return len(self._outgoing) >= WAITING_MESSAGES_MAX

    @property
    def room(self) -> int:
        """Bytes that may be added now; 0: what is large waits. What is small and urgent is sent all the same."""
        crowded = len(self._outgoing) >= WINDOW_MESSAGES_MAX
        return 0 if crowded else max(0, self._window_bytes - self._outgoing_bytes)

    @property
    def idle(self) -> bool:
        """Everything sent has arrived."""
        return not self._outgoing

    @property
    def acknowledged(self) -> int:
        return self._first - 1

    def send(self, body: Body) -> int:
        """The body's sequence number, to be compared with `acknowledged` until the peer restarts."""
        if self.full:
            raise OverflowError(f"link: WAITING_MESSAGES_MAX ({WAITING_MESSAGES_MAX}) bodies wait for the peer")
        self._outgoing.append(Outgoing(body, carried_bytes(body)))
        self._outgoing_bytes += self._outgoing[-1].bytes
        return self._first + len(self._outgoing) - 1

    def deliver(self, message: Message, now: float) -> Delivery:
        delivery = Delivery()
        mine = self._bare
        if message.from_address != mine.to_address or message.to_address != mine.from_address:
            return delivery
        if message.incarnation == 0 or message.incarnation < self.peer_incarnation:
            return delivery
        if message.incarnation > self.peer_incarnation:
            delivery.peer_restarted = self.peer_incarnation != 0
            delivery.undelivered = self._start_over(message.incarnation)
        if message.peer_incarnation != mine.incarnation:
            # The peer does not know us yet, or knows an earlier life: tell it.
            if message.peer_incarnation < mine.incarnation:
                self._acknowledge_at = now
            return delivery
        self._take_acknowledgement(message.acknowledged, now)
        if message.sequence > 0 and message.body is not None:
            self._take_body(message.sequence, message.body, delivery.bodies, now)
        return delivery

    def _start_over(self, peer_incarnation: int) -> list[Body]:
        """What waits is kept when the peer becomes known for the first time: it was meant for whoever answers."""
        undelivered: list[Body] = []
        if self.peer_incarnation != 0:
            undelivered = [one.body for one in self._outgoing]
            self._outgoing.clear()
            self._outgoing_bytes = 0
        self.peer_incarnation = peer_incarnation
        self._first, self._sent, self._doubtful, self._received, self._received_bytes = 1, 0, 0, 0, 0
        self._retransmit_after = self._patience
        self._early.clear()
        self._acknowledge_at = math.inf
        return undelivered

    def _take_acknowledgement(self, acknowledged: int, now: float) -> None:
        count = acknowledged - self._first + 1
        if count <= 0 or count > self._sent:
            return
        oldest = self._outgoing[0]
        self._learn_patience(now - oldest.sent_at, oldest.sent_at < oldest.last_sent_at)
        self._adapt_window(now - oldest.sent_at, oldest.sent_at, now)
        for _ in range(count):
            self._outgoing_bytes -= self._outgoing.popleft().bytes
        self._first += count
        self._sent -= count
        self._doubtful = max(0, self._doubtful - count)
        self._burst = min(2 * self._burst + 1, WINDOW_MESSAGES_MAX)
        self._retransmit_after = self._patience
        self._retransmit_at = now + self._retransmit_after

    def _learn_patience(self, took: float, repeated: bool) -> None:
        """Of what was sent twice nobody knows which of them has arrived, and a loss is no slowness."""
        longest = max(RETRANSMIT_MAX, self._patience) if repeated else PATIENCE_MAX
        self._patience = max(min(max(2 * took, self._patience / 2), longest), RETRANSMIT_FIRST)

    def _adapt_window(self, took: float, sent_at: float, now: float) -> None:
        if sent_at < self._adapted_at:
            return
        if took <= ARRIVAL_AIM and 2 * self._outgoing_bytes >= self._window_bytes:
            self._window_bytes = min(2 * self._window_bytes, WINDOW_BYTES_MAX)
            self._adapted_at = now
        elif took > 2 * ARRIVAL_AIM:
            self._window_bytes = max(self._window_bytes // 2, WINDOW_BYTES_MIN)
            self._adapted_at = now

    def _take_body(self, sequence: int, body: Body, into: list[Body], now: float) -> None:
        if sequence <= self._received:
            self._acknowledge_at = now  # our acknowledgement was lost or late
            return
        if sequence - self._received > WINDOW_MESSAGES_MAX:
            return
        self._early.setdefault(sequence, body)
        while self._received + 1 in self._early:
            self._received += 1
            into.append(self._early.pop(self._received))
            self._received_bytes += carried_bytes(into[-1])
            much = self._received_bytes >= ACKNOWLEDGE_BYTES  # its sender may be waiting for room
            self._acknowledge_at = min(self._acknowledge_at, now if much else now + ACKNOWLEDGE_AFTER)

    def _may_send(self) -> bool:
        return self._sent < min(len(self._outgoing), WINDOW_MESSAGES_MAX)

    def poll(self, now: float) -> list[Message]:
        out: list[Message] = []
        if self.peer_incarnation == 0:
            if self._outgoing and now >= self._retransmit_at:
                out.append(self._empty())
                self._back_off(now)
            return out
        if self._sent > 0 and now >= self._retransmit_at:
            self._doubtful, self._burst = self._sent, 0
            out.append(self._numbered(0, now))
            self._back_off(now)
        for place in range(min(self._doubtful, self._burst)):
            if now - self._outgoing[place].last_sent_at >= self._patience:
                out.append(self._numbered(place, now))
        if self._sent == 0:
            self._retransmit_at = now + self._retransmit_after
        while self._may_send():
            self._outgoing[self._sent].sent_at = now
            out.append(self._numbered(self._sent, now))
            self._sent += 1
        if not out and now >= self._acknowledge_at:
            out.append(self._empty())
        if out:
            self._acknowledge_at = math.inf
            self._received_bytes = 0
        return out

    def deadline(self) -> float:
        """When poll() has something to do next."""
        if self.peer_incarnation == 0:
            return self._retransmit_at if self._outgoing else math.inf
        if self._may_send():
            return -math.inf
        return min(self._retransmit_at, self._acknowledge_at) if self._sent > 0 else self._acknowledge_at

    def _back_off(self, now: float) -> None:
        self._retransmit_at = now + self._retransmit_after
        self._retransmit_after = min(self._retransmit_after * 2, max(RETRANSMIT_MAX, self._patience))

    def _empty(self, sequence: int = 0, body: Optional[Body] = None) -> Message:
        return replace(
            self._bare,
            peer_incarnation=self.peer_incarnation,
            acknowledged=self._received,
            sequence=sequence,
            body=body,
        )

    def _numbered(self, place: int, now: float) -> Message:
        one = self._outgoing[place]
        one.last_sent_at = now
        return self._empty(self._first + place, one.body)
