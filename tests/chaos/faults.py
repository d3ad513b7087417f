"""What is done to a rig while it works: kinds of faults, and the dice that choose them.

A fault has a target, which no other fault has at the same time, and is over when its `do` returns. All of them leave
the target able to work, but what they broke need not have mended by then.
"""

import random
import signal
import threading
import time
from dataclasses import dataclass
from typing import Callable

from rig import Broken

LEASE = 10  # seconds; of a worker's session (network_lease)
CONCURRENT = 4  # faults at a time
JUMPS = (-1800, -60, -1, 3600, 86_400, 7 * 86_400)  # seconds
DRAINED = (0, 1)  # a worker's exit codes after SIGTERM: all of it ended, or time was over


class Setting:
    """What a fault works with: the rig, dice of its own, and a wait that ends early with the run."""

    def __init__(self, rig, seat, dice, over):
        self.rig, self.seat, self.dice, self.over = rig, seat, dice, over

    def wait(self, least, most):
        self.over.wait(self.dice.uniform(least, most))

    def past_the_lease(self):
        self.wait(LEASE + 1, LEASE + 3)


def kill_server(s):
    s.rig.server.kill()
    s.wait(0, 1)
    s.rig.start_server()


def restart_server(s):
    code = s.rig.server.leave()
    if code != 0:
        raise Broken(f"the server ended with {code} after SIGTERM")
    s.wait(0, 1)
    s.rig.start_server()


def pause_server(s):
    s.rig.server.stop()
    s.wait(0.2, 3)
    s.rig.server.resume()


def pause_server_past_the_lease(s):
    s.rig.server.stop()
    s.past_the_lease()
    s.rig.server.resume()


def kill_worker(s):
    s.seat.worker.kill()
    s.wait(0, 2)
    s.rig.start_worker(s.seat)


def pause_worker(s):
    s.seat.worker.stop()
    s.wait(0.2, LEASE - 4)
    s.seat.worker.resume()


def pause_worker_past_the_lease(s):
    s.seat.worker.stop()
    s.past_the_lease()
    s.seat.worker.resume()


def drain_worker(s):
    worker = s.seat.worker
    code = worker.leave()
    unborn = code == -signal.SIGTERM and not any(worker.lines)  # it came before the program's first words
    if code not in DRAINED and not unborn:
        raise Broken(f"{s.seat.name} ended with {code} after SIGTERM")
    s.rig.start_worker(s.seat)


def delay_link(s):
    delay = s.dice.uniform(0.01, 0.2)
    s.seat.link.set(delay=delay, jitter=delay * s.dice.random())
    s.wait(1, 5)
    s.seat.link.heal()


def drip_link(s):
    s.seat.link.set(rate=s.dice.choice([500, 2_000, 20_000]))
    s.wait(1, 5)
    s.seat.link.heal()


def pause_link(s):
    s.seat.link.set(up=False, down=False)
    s.wait(0.2, LEASE - 4)
    s.seat.link.heal()


def pause_link_past_the_lease(s):
    s.seat.link.set(up=False, down=False)
    s.past_the_lease()
    s.seat.link.heal()


def reset_link(s):
    for _ in range(s.dice.randint(1, 5)):
        s.seat.link.reset()
        s.wait(0, 0.5)


def refuse_link(s):
    s.seat.link.set(refuse=True)
    s.seat.link.reset()
    s.wait(0.5, 4)
    s.seat.link.heal()


def lose_one_way(s):
    """What was sent that way never arrives: the connection that carried it is gone in the end."""
    s.seat.link.set(**{s.dice.choice(["up", "down"]): False})
    s.wait(1, LEASE + 2)
    s.seat.link.reset()
    s.seat.link.heal()


def cut_network(s):
    s.seat.network.cut("up", "down")
    s.wait(0.5, LEASE - 4)
    s.seat.network.heal()


def cut_network_past_the_lease(s):
    s.seat.network.cut("up", "down")
    s.past_the_lease()
    s.seat.network.heal()


def cut_network_one_way(s):
    s.seat.network.cut(s.dice.choice(["up", "down"]))
    s.wait(1, LEASE + 2)
    s.seat.network.heal()


def lose_packets(s):
    s.seat.network.worsen(lost=s.dice.randint(1, 20), late=s.dice.randint(5, 40))
    s.wait(2, 8)
    s.seat.network.heal()


def cut_power(s):
    """Of the machine with the server and the near workers: all at once, and the disk forgets what was not synced."""
    s.rig.disk.power_off()
    near = [seat for seat in s.rig.seats if seat.network is None]
    for process in (s.rig.server, *(seat.worker for seat in near)):
        process.kill()
    s.rig.disk.unplug()
    s.wait(0, 1)
    s.rig.disk.power_on()
    s.rig.start_server()
    for seat in near:
        s.rig.start_worker(seat)


def jump_clock(s):
    """The server's wall clock, there and back; certificates stay valid."""
    s.rig.set_clock(s.dice.choice(JUMPS))
    s.wait(0.5, 3)
    s.rig.set_clock(0)


def fill_disk(s):
    """Below the room for new work, or to the last block."""
    s.rig.disk.fill(left=s.dice.choice([300 << 20, 4096]))
    s.wait(1, 4)
    s.rig.disk.free()


def kill_client(s):
    name = s.dice.choice(sorted(s.rig.clients))
    s.rig.clients[name].kill()
    s.wait(0, 0.5)
    s.rig.start_client(name, s.rig.rate)


@dataclass
class Fault:
    target: str  # "server", "client", "far" (the worker on a host of its own), "worker": one of the others, or "near":
    # the machine with the server and all workers but the far one
    do: Callable
    long: bool = False  # takes more than a lease
    machine: bool = False  # needs one of its own: root and namespaces


FAULTS = {
    "server-kill": Fault("server", kill_server),
    "server-restart": Fault("server", restart_server),
    "server-pause": Fault("server", pause_server),
    "server-pause-long": Fault("server", pause_server_past_the_lease, long=True),
    "worker-kill": Fault("worker", kill_worker),
    "worker-pause": Fault("worker", pause_worker),
    "worker-pause-long": Fault("worker", pause_worker_past_the_lease, long=True),
    "worker-drain": Fault("worker", drain_worker),
    "link-delay": Fault("worker", delay_link),
    "link-drip": Fault("worker", drip_link),
    "link-pause": Fault("worker", pause_link),
    "link-pause-long": Fault("worker", pause_link_past_the_lease, long=True),
    "link-reset": Fault("worker", reset_link),
    "link-refuse": Fault("worker", refuse_link),
    "link-one-way": Fault("worker", lose_one_way),
    "client-kill": Fault("client", kill_client),
    "clock-jump": Fault("clock", jump_clock),
    "net-cut": Fault("far", cut_network, machine=True),
    "net-cut-long": Fault("far", cut_network_past_the_lease, long=True, machine=True),
    "net-one-way": Fault("far", cut_network_one_way, machine=True),
    "net-lossy": Fault("far", lose_packets, machine=True),
    "power-cut": Fault("near", cut_power, machine=True),
    "disk-full": Fault("server", fill_disk, machine=True),
}


class Nemesis:
    """Does faults of the given kinds, chosen by the seed: each kind once, then any. Long ones come first, but for
    the server's: while that stands still, nothing else shows."""

    def __init__(self, rig, kinds, seed, say):
        self.rig, self.kinds, self.say = rig, kinds, say
        self.dice = random.Random(f"{seed}/faults")
        self.done = {kind: 0 for kind in kinds}
        self.over = threading.Event()
        self.lock = threading.Condition()
        self.taken = set()
        self.broken = []
        self.threads = []

    def run(self, seconds):
        """Returns once the time is over, every kind has been, and each fault has ended. Raises what one found."""
        end = time.monotonic() + seconds
        deck = self.first_deck()
        while (deck or time.monotonic() < end) and not self.broken and self.kinds:
            self.begin(deck or [self.dice.choice(self.short_of(end))])
            self.over.wait(self.dice.uniform(0.1, 1.0))
        self.over.wait(0 if self.kinds else max(0, end - time.monotonic()))
        self.over.set()
        for thread in self.threads:
            thread.join()
        if self.broken:
            raise self.broken[0]

    def first_deck(self):
        deck = list(self.kinds)
        self.dice.shuffle(deck)
        return sorted(deck, key=lambda kind: FAULTS[kind].long == (FAULTS[kind].target == "server"))

    def short_of(self, end):
        room = end - time.monotonic() > LEASE + 3
        return [kind for kind in self.kinds if room or not FAULTS[kind].long] or self.kinds

    def begin(self, deck):
        """Does the first of the deck that has a free target."""
        with self.lock:
            self.lock.wait_for(lambda: self.broken or any(self.free(kind) for kind in deck))
            if self.broken:
                return
            kind = next(kind for kind in deck if self.free(kind))
            deck.remove(kind)
            target = self.dice.choice(self.free(kind))
            self.taken |= self.held_by(target)
        seat = next((one for one in self.rig.seats if one.name == target), None)
        setting = Setting(self.rig, seat, random.Random(self.dice.random()), self.over)
        thread = threading.Thread(target=self.do, args=(kind, target, setting))
        self.threads.append(thread)
        thread.start()

    def free(self, kind):
        if len(self.taken) >= CONCURRENT:
            return []
        target = FAULTS[kind].target
        all_of_them = self.near() if target == "worker" else [target]
        return [one for one in all_of_them if not self.held_by(one) & self.taken]

    def near(self):
        return [seat.name for seat in self.rig.seats if seat.network is None]

    def held_by(self, target):
        return {"server", *self.near()} if target == "near" else {target}

    def do(self, kind, target, setting):
        self.say(f"{kind} {target if target != FAULTS[kind].target else ''}")
        try:
            FAULTS[kind].do(setting)
            self.done[kind] += 1
        except Exception as error:  # told by run()
            self.broken.append(error)
        with self.lock:
            self.taken -= self.held_by(target)
            self.lock.notify_all()


