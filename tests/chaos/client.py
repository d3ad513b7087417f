"""What speaks to a state directory: the frames of docs/api.md, and a client process that never lets go.

As a program:  client.py STATE JOURNAL SEED NAME RATE EFFECTS
submits executions until its standard input ends, and then sees to it that none is in doubt. Before a request it
writes `ask REQUEST KIND` to its journal, after the answer `ack REQUEST EXECUTION`. Killed at any instant and
started anew, it asks again for whatever its journal leaves in doubt; so it does when a connection breaks.
"""

import json
import os
import random
import select
import socket
import struct
import sys
import time

from workload import KINDS, definition, input_of

FRAME_BYTES_MAX = 64 * 1024 * 1024
PATIENCE = 5  # seconds for one answer, until the connection is given up


class Refused(Exception):
    """The server's answer is an error."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


class Client:
    """One connection to the process that holds a state directory. Errors of the connection: OSError."""

    def __init__(self, state, patience=PATIENCE):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(patience)
        self.ticket = 0
        try:
            self.socket.connect(os.path.join(state, "pawl.sock"))
            self.send({"pawl": 1})
            greeting = self.receive()
            if greeting.get("pawl") != 1 or "error" in greeting:
                raise ConnectionError(f"greeted with {greeting}")
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, value):
        data = json.dumps(value).encode()
        self.socket.sendall(struct.pack("<I", len(data)) + data)

    def take(self, size):
        data = bytearray()
        while len(data) < size:
            part = self.socket.recv(min(size - len(data), 1 << 20))
            if not part:
                raise ConnectionError("the server has hung up")
            data += part
        return bytes(data)

    def receive(self):
        size = struct.unpack("<I", self.take(4))[0]
        if size > FRAME_BYTES_MAX:
            raise ConnectionError(f"a frame of {size} bytes")
        return json.loads(self.take(size))

    def call(self, name, **members):
        self.ticket += 1
        self.send({"ticket": self.ticket, "call": name, "with": members})
        answer = self.receive()
        if answer.get("ticket") != self.ticket:
            raise ConnectionError(f"the answer to call {self.ticket} is {str(answer)[:200]}")
        if "error" in answer:
            raise Refused(answer["error"]["code"], answer["error"]["message"])
        return answer["with"]

    def payload(self, value):
        """What a payload holds: its value, be it in the answer or a blob."""
        if value is None or "json" in value:
            return value and value["json"]
        text, at = "", 0
        while at < value["blob"]["size"]:
            part = self.call("read_payload", blob=value["blob"], offset=at)
            text, at = text + part["text"], part["next"]
        return json.loads(text)


# The server is not there, may be on its way, or its answer was lost: the same request may be asked again.
IN_DOUBT = {"UNAVAILABLE", "UNKNOWN", "RESOURCE_EXHAUSTED", "ABORTED", "DEADLINE_EXCEEDED", "CANCELLED"}


class Tail:
    """The lines of a file that others append to, each once. What has no line end yet is left for later."""

    def __init__(self, path):
        self.path, self.at = path, 0

    def lines(self):
        try:
            with open(self.path, "rb") as file:
                file.seek(self.at)
                text = file.read()
        except FileNotFoundError:
            return []
        whole = text[: text.rfind(b"\n") + 1]
        self.at += len(whole)
        return whole.decode().splitlines()


class Journal:
    """What one client has asked for, request -> kind, and was answered, request -> executions."""

    def __init__(self, path):
        self.tail = Tail(path)
        self.asked, self.acknowledged = {}, {}

    def read(self):
        """The requests that were acknowledged since the last time."""
        fresh = []
        for line in self.tail.lines():
            words = line.split(" ")
            if words[0] == "ask":
                self.asked[words[1]] = words[2]
            else:
                self.acknowledged.setdefault(words[1], []).append(words[2])
                fresh.append(words[1])
        return fresh


class Submitter:
    def __init__(self, state, journal, seed, name, effects):
        self.state, self.name, self.effects = state, name, effects
        mend(journal)
        before = Journal(journal)
        before.read()
        self.asked, self.acknowledged = before.asked, before.acknowledged
        self.journal = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self.dice = random.Random(f"{seed}/{name}/{len(self.asked)}")
        self.client = None

    def note(self, *words):
        os.write(self.journal, (" ".join(words) + "\n").encode())

    def ask(self, request, kind, patient):
        """True once it is acknowledged; unless `patient` it gives up after one try."""
        while True:
            try:
                if self.client is None:
                    self.client = Client(self.state)
                answer = self.client.call("submit", definition=definition(kind), file_name=kind + ".yaml",
                                          input=input_of(kind, request, self.effects), request_id=request)
                self.note("ack", request, answer["execution"])
                self.acknowledged.setdefault(request, []).append(answer["execution"])
                return True
            except (OSError, ValueError):
                self.drop()
            except Refused as refusal:
                if refusal.code not in IN_DOUBT:
                    raise
                self.drop()
            if not patient:
                return False
            time.sleep(0.1)

    def drop(self):
        if self.client is not None:
            self.client.close()
        self.client = None

    def doubtful(self):
        return [request for request in self.asked if request not in self.acknowledged]

    def submit_next(self):
        kind = self.dice.choices(list(KINDS), [one.weight for one in KINDS.values()])[0]
        request = f"{self.name}-{len(self.asked) + 1}"
        self.note("ask", request, kind)
        self.asked[request] = kind
        self.ask(request, kind, patient=False)

    def ask_again(self):
        """Something that is in doubt, or else something that was answered: the answer is the same."""
        doubtful = self.doubtful()
        request = doubtful[0] if doubtful else self.dice.choice(list(self.asked))
        self.ask(request, self.asked[request], patient=False)

    def run(self, rate):
        while not stdin_ended(self.dice.uniform(0.5, 1.5) / rate):
            if self.asked and (len(self.doubtful()) > 3 or self.dice.random() < 0.15):
                self.ask_again()
            else:
                self.submit_next()
        for request in self.doubtful():
            self.ask(request, self.asked[request], patient=True)


def mend(journal):
    """Takes off a line that a kill has torn."""
    try:
        with open(journal, "rb+") as file:
            text = file.read()
            file.truncate(text.rfind(b"\n") + 1)
    except FileNotFoundError:
        pass


def stdin_ended(seconds):
    return bool(select.select([sys.stdin], [], [], seconds)[0])


if __name__ == "__main__":
    state, journal, seed, name, rate, effects = sys.argv[1:]
    Submitter(state, journal, seed, name, effects).run(float(rate))
