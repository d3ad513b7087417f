"""What a worker that keeps to no rule may do to a server and to other workers: nothing."""

import queue
import signal
import unittest

import grpc
from grpc_client import V1, Client
from pawl_case import PATIENCE, PawlCase

HOLD = "name: hold\nnodes: {a: {run: 'echo up > %s; until [ -e go ]; do sleep 0.05; done'}}\n"


class Stream:
    """A worker's stream, of which every field of every frame is at one's will."""

    def __init__(self, client, address, to=1):
        self.fields = {"from": address, "to": to, "incarnation": 1}
        self.to_send = queue.SimpleQueue()
        connect = client.channel.stream_stream(
            "/pawl.v1.Workers/Connect", V1["Frame"].SerializeToString, V1["Frame"].FromString)
        self.call = connect(iter(self.to_send.get, None), timeout=PATIENCE)

    def send(self, **fields):
        self.to_send.put(V1["Frame"](**{**self.fields, **fields}))

    def meet(self):
        """Learns the server's incarnation, without which no body travels."""
        self.send()
        self.fields["peer_incarnation"] = next(self.call).incarnation

    def answer(self):
        """The next frame with a body."""
        return next(frame for frame in self.call if frame.sequence > 0)

    def refusal(self):
        """How the server hangs up."""
        try:
            for _ in self.call:
                pass
        except grpc.RpcError as error:
            return error.code().name, error.details()
        return "OK", ""

    def close(self):
        self.to_send.put(None)


class HostileWorkerTest(PawlCase):
    def stream(self, server, address, keys=None):
        shown = {}
        if keys:
            place = self.place / keys
            shown = {"ca": (place / "ca.pem").read_bytes(),
                     "cert": ((place / "worker.pem").read_bytes(), (place / "worker.key").read_bytes())}
        client = Client(server, **shown)
        self.addCleanup(client.close)
        stream = Stream(client, address)
        self.addCleanup(stream.close)
        return stream

    def test_a_session_is_resumed_by_nobody_with_another_certificate(self):
        self.pawl("init", "--dir", "keys")
        holder, thief = self.keys_with_worker("holder"), self.keys_with_worker("thief")
        server, address = self.server("--tls", "keys")
        worker = self.worker(address, "--tls", holder)
        fifo = self.fifo()
        self.write("hold.yaml", HOLD % fifo)
        self.pawl("run", "hold.yaml", "--detach")
        self.heard(fifo)
        worker.send_signal(signal.SIGSTOP)
        server.kill()
        server.wait()
        _, address = self.server("--tls", "keys", listen=address)
        stream = self.stream(address, 4711, thief)
        stream.meet()
        stream.send(sequence=1, hello=V1["Hello"](name=b"thief", slots=1, credit=1, lease_ns=10**10, session=1))
        said = stream.answer()
        self.assertIn(b"another certificate", said.closed.reason)
        worker.send_signal(signal.SIGCONT)
        (self.place / "go").touch()
        self.pawl("resume", "e1")
        self.assertEqual(self.json("show", "e1")["NodeStates"][0]["Attempts"], 1)


if __name__ == "__main__":
    unittest.main()
