"""A worker's sessions with all partitions of its coordinator, as if they were one.

    sessions = Sessions(spec, address, now)
    sessions.receive(message, now)      # the first welcome says how many partitions there are
    turn = sessions.turn(now)           # of all of them; slots are shared, in turn

Pure, as a `Session` is: whoever owns it does what its turns say.
"""

from __future__ import annotations

from pawl.worker.messages import AttemptProgress, AttemptReport, Message, WorkerSpec
from pawl.worker.session import COORDINATOR, Session, Slots, Turn

PARTITIONS_MAX = 64


def address_of(partition: int) -> int:
    """Where the engine of a partition is."""
    return COORDINATOR if partition == 0 else (1 << 40) + partition


class Sessions:
    def __init__(self, spec: WorkerSpec, address: int, now: float) -> None:
        self.spec = spec
        self._address = address
        self._slots = Slots(spec.slots)
        self._all = [Session(spec, address, now, slots=self._slots)]
        self._turns = 0

    @property
    def gone(self) -> bool:
        return all(session.gone for session in self._all)

    @property
    def connected(self) -> bool:
        return all(session.connected for session in self._all)

    @property
    def running(self) -> int:
        return sum(session.running for session in self._all)

    def take_notices(self) -> list[str]:
        notices = [notice for session in self._all for notice in session.notices]
        for session in self._all:
            session.notices.clear()
        return notices

    def receive(self, message: Message, now: float) -> None:
        for partition, session in enumerate(self._all):
            if address_of(partition) == message.from_address:
                session.receive(message, now)
                break
        for partition in range(len(self._all), min(self._all[0].partitions, PARTITIONS_MAX)):
            session = Session(self.spec, self._address, now, engine=address_of(partition), slots=self._slots)
            if self._all[0].draining:
                session.drain()
            self._all.append(session)

    def ended(self, launch: int, report: AttemptReport, now: float) -> None:
        for session in self._all:
            session.ended(launch, report, now)

    def progressed(self, launch: int, progress: AttemptProgress, now: float) -> None:
        for session in self._all:
            session.progressed(launch, progress, now)

    def drain(self) -> None:
        for session in self._all:
            session.drain()

    def abandon(self, now: float) -> None:
        for session in self._all:
            session.abandon(now)

    def leave(self) -> None:
        for session in self._all:
            session.leave()

    def turn(self, now: float) -> Turn:
        self._turns += 1  # each is the first to find a free slot, once
        whole = Turn()
        for i in range(len(self._all)):
            part = self._all[(self._turns + i) % len(self._all)].turn(now)
            whole.messages += part.messages
            whole.start += part.start
            whole.stop += part.stop
            whole.kill += part.kill
        return whole

    def deadline(self) -> float:
        return min(session.deadline() for session in self._all)
