"""What only root can do to a machine, done to one of our own: network and mount namespaces that nobody else sees, and
that end with the run.

    enter(words)                     # starts this program anew inside of them, if that is possible here
    if not missing():                # why not, in one line; "": it is
        network = Network("worker-4", 1)         # a host of its own, joined to HUB
        network.cut("up"); network.heal()
        network.worsen(lost=10, late=20); network.heal()  # per cent of the packets, both ways
        disk = SmallDisk(place / "disk"); disk.fill(left=4096); disk.free()
        disk.power_off(); disk.unplug(); disk.power_on()  # what was not synced is gone
"""

import fcntl
import os
import shutil
import struct
import subprocess
import sys

HUB = "10.1.0.1"  # where the server listens; the namespace is ours, and so are all addresses
PORT = 7070
DISK_BYTES = 900 << 20  # above soft_free_bytes (docs/operations.md) with room to work in
NAMES = "/run/netns"  # where `ip` keeps those of its networks; ours are nobody else's
MARK = "PAWL_CHAOS_MACHINE"
SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN, and its flag for: write nothing more, not even the journal
WITHOUT_FLUSH = 2
LATE_RATE = "400kbit"  # of packets that are to be overtaken: a full one takes 30 ms
TOOLS = ("unshare", "ip", "tc", "nft", "mkfs.ext4", "mount", "fallocate")


def enter(words):
    if MARK in os.environ:
        return prepare()
    own = ["unshare", "--mount", "--net"]
    if lacking() or subprocess.run([*own, "ip", "link", "set", "lo", "up"], capture_output=True).returncode != 0:
        return
    os.environ[MARK] = "1"
    sys.stdout.flush()
    os.execvp("unshare", [*own, sys.executable, sys.argv[0], *words])


def lacking():
    if os.geteuid() != 0:
        return "not root"
    absent = [tool for tool in TOOLS if shutil.which(tool) is None]
    return f"no {', '.join(absent)} here" if absent else ""


def missing():
    return lacking() or ("" if MARK in os.environ else "namespaces of our own are not to be had")


def run(*words):
    subprocess.run(list(map(str, words)), check=True, capture_output=True)


def prepare():
    """What every network joins."""
    os.makedirs(NAMES, exist_ok=True)
    run("mount", "--make-rshared", "/")  # hosts have mounts of their own: what is unmounted here is to go there, too
    run("mount", "-t", "tmpfs", "tmpfs", NAMES)
    run("ip", "link", "set", "lo", "up")
    run("ip", "addr", "add", f"{HUB}/32", "dev", "lo")


class Network:
    """A host of its own that reaches the hub through one cable. `up`: from it to the hub."""

    def __init__(self, name, number):
        self.name = name
        self.ways = {"up": "oif eth0 drop", "down": "iif eth0 drop"}
        near, far = f"10.2.{number}.1", f"10.2.{number}.2"
        run("ip", "netns", "add", name)
        run("ip", "link", "add", f"cable{number}", "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "addr", "add", f"{near}/30", "dev", f"cable{number}")
        run("ip", "link", "set", f"cable{number}", "up")
        for words in (["addr", "add", f"{far}/30", "dev", "eth0"], ["link", "set", "eth0", "up"],
                      ["link", "set", "lo", "up"], ["route", "add", "default", "via", near]):
            run("ip", "-n", name, *words)
        # Each end sends through a fast class and a slow one: whatever comes into the slow one is overtaken.
        self.ends = ((self.inside(), "eth0"), ([], f"cable{number}"))
        self.nft("add", "table", "inet", "chaos")
        for way, hook in (("up", "output"), ("down", "input")):
            self.nft("add", "chain", "inet", "chaos", way, f"{{ type filter hook {hook} priority 0 ; }}")
        run("nft", "add", "table", "inet", name)  # at the hub's end
        for way, hook in (("up", "input"), ("down", "output")):
            run("nft", "add", "chain", "inet", name, way, f"{{ type filter hook {hook} priority 0 ; }}")
        for own, device in self.ends:
            run(*own, "tc", "qdisc", "add", "dev", device, "root", "handle", "1:", "htb", "default", "1")
            for kind, rate in (("1:1", "10gbit"), ("1:2", LATE_RATE)):
                run(*own, "tc", "class", "add", "dev", device, "parent", "1:", "classid", kind, "htb", "rate", rate)

    def inside(self):
        return ["ip", "netns", "exec", self.name]

    def nft(self, *words):
        run(*self.inside(), "nft", *words)

    def cut(self, *ways):
        for way in ways:
            self.nft("add", "rule", "inet", "chaos", way, *self.ways[way].split())

    def worsen(self, lost, late):
        """So many per cent of the packets are lost, and so many arrive after later ones; either way. Each is lost
        where it arrives: of what cannot be sent, TCP knows."""
        drop = f"numgen random mod 100 < {lost} drop".split()
        slow = f"numgen random mod 100 < {late} meta priority set 1:2".split()
        self.nft("add", "rule", "inet", "chaos", "down", *drop)
        self.nft("add", "rule", "inet", "chaos", "up", *slow)
        cable = self.ends[1][1]
        run("nft", "add", "rule", "inet", self.name, "up", "iif", cable, *drop)
        run("nft", "add", "rule", "inet", self.name, "down", "oif", cable, *slow)

    def heal(self):
        for way in self.ways:
            self.nft("flush", "chain", "inet", "chaos", way)
            run("nft", "flush", "chain", "inet", self.name, way)


class SmallDisk:
    """A file system of its own, small enough to be filled."""

    def __init__(self, place):
        self.place = place
        self.image = place.with_suffix(".image")
        with open(self.image, "wb") as file:
            file.truncate(DISK_BYTES)
        run("mkfs.ext4", "-q", self.image)
        place.mkdir()
        self.power_on()

    def power_on(self):
        run("mount", "-o", "loop", self.image, self.place)

    def power_off(self):
        """At once: what had not reached the disk never does. Whoever has files open there is to be killed."""
        place = os.open(self.place, os.O_RDONLY)
        fcntl.ioctl(place, SHUTDOWN, struct.pack("I", WITHOUT_FLUSH))
        os.close(place)

    def unplug(self):
        run("umount", self.place)

    def fill(self, left):
        """Until `left` bytes are free. Whoever writes meanwhile may be faster."""
        space = os.statvfs(self.place)
        size = space.f_bavail * space.f_frsize - left
        subprocess.run(["fallocate", "-l", str(size), str(self.place / "ballast")], capture_output=True)

    def free(self):
        (self.place / "ballast").unlink(missing_ok=True)

    def end(self):
        subprocess.run(["umount", "--lazy", str(self.place)], capture_output=True)
