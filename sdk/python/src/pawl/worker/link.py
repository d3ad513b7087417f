"""One reliable, ordered, exactly-once stream in each direction, over a way that loses and doubles messages.

    link = Link(self_address=7, peer=1, incarnation=1)
    link.send(body)
    for message in link.poll(now): transport.send(message)      # at the end of every turn
    delivery = link.deliver(message, now)                       # for each that arrived

The rules are those of src/pawl/port/link.h: a stream belongs to a pair of incarnations; what is not
acknowledged is sent again, after a time that doubles up to a cap; a higher incarnation of the peer starts
both streams anew and gives back what the old one may not have taken. Pure: times are seconds of any
monotonic clock. One thread.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Optional

from pawl.worker.messages import Body, Message

RETRANSMIT_FIRST, RETRANSMIT_MAX = 0.2, 1.0
ACKNOWLEDGE_AFTER = 0.02
WINDOW_MESSAGES_MAX = 256
WAITING_MESSAGES_MAX = 4096


@dataclass
class Delivery:
    peer_restarted: bool = False  # before `bodies`, which are of its new life
    undelivered: list[Body] = field(default_factory=list)  # then: what its old life may not have taken
    bodies: list[Body] = field(default_factory=list)  # in the order sent, each once


class Link:
    def __init__(self, self_address: int, peer: int, incarnation: int) -> None:
        self._bare = Message(from_address=self_address, to_address=peer, incarnation=incarnation)
        self.peer_incarnation = 0  # 0: not known yet
        self._outgoing: deque[Body] = deque()  # the first `_in_flight` have been sent
        self._in_flight = 0
        self._first = 1  # sequence of _outgoing[0]
        self._retransmit_after = RETRANSMIT_FIRST
        self._retransmit_at = -math.inf
        self._received = 0
        self._early: dict[int, Body] = {}  # overtook their predecessors
        self._acknowledge_at = math.inf

    @property
    def full(self) -> bool:
        return len(self._outgoing) >= WAITING_MESSAGES_MAX

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
        self._outgoing.append(body)
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
            undelivered = list(self._outgoing)
            self._outgoing.clear()
        self.peer_incarnation = peer_incarnation
        self._first, self._in_flight, self._received = 1, 0, 0
        self._retransmit_after = RETRANSMIT_FIRST
        self._early.clear()
        self._acknowledge_at = math.inf
        return undelivered

    def _take_acknowledgement(self, acknowledged: int, now: float) -> None:
        count = acknowledged - self._first + 1
        if count <= 0 or count > self._in_flight:
            return
        for _ in range(count):
            self._outgoing.popleft()
        self._first += count
        self._in_flight -= count
        self._retransmit_after = RETRANSMIT_FIRST
        self._retransmit_at = now + self._retransmit_after

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
            self._acknowledge_at = min(self._acknowledge_at, now + ACKNOWLEDGE_AFTER)

    def _may_send_fresh(self) -> bool:
        return self._in_flight < min(len(self._outgoing), WINDOW_MESSAGES_MAX)

    def poll(self, now: float) -> list[Message]:
        out: list[Message] = []
        if self.peer_incarnation == 0:
            if self._outgoing and now >= self._retransmit_at:
                out.append(self._empty())
                self._back_off(now)
            return out
        if self._in_flight > 0 and now >= self._retransmit_at:
            out += self._numbered(0, self._in_flight)
            self._back_off(now)
        if self._may_send_fresh():
            if self._in_flight == 0:
                self._retransmit_at = now + self._retransmit_after
            until = min(len(self._outgoing), WINDOW_MESSAGES_MAX)
            out += self._numbered(self._in_flight, until)
            self._in_flight = until
        if not out and now >= self._acknowledge_at:
            out.append(self._empty())
        if out:
            self._acknowledge_at = math.inf
        return out

    def deadline(self) -> float:
        """When poll() has something to do next."""
        if self.peer_incarnation == 0:
            return self._retransmit_at if self._outgoing else math.inf
        if self._may_send_fresh():
            return -math.inf
        return min(self._retransmit_at, self._acknowledge_at) if self._in_flight > 0 else self._acknowledge_at

    def _back_off(self, now: float) -> None:
        self._retransmit_at = now + self._retransmit_after
        self._retransmit_after = min(self._retransmit_after * 2, RETRANSMIT_MAX)

    def _empty(self, sequence: int = 0, body: Optional[Body] = None) -> Message:
        return replace(
            self._bare,
            peer_incarnation=self.peer_incarnation,
            acknowledged=self._received,
            sequence=sequence,
            body=body,
        )

    def _numbered(self, begin: int, end: int) -> list[Message]:
        return [
            self._empty(self._first + begin + place, body)
            for place, body in enumerate(islice(self._outgoing, begin, end))
        ]
