"""What the tests of this package need: a real `pawl server`, and a way to it that can be cut."""

import contextlib
import socket
import sys
import threading
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPOSITORY / "tests/e2e"))

from pawl_case import PATIENCE, PawlCase  # noqa: E402
from same_test import Everywhere  # noqa: E402

import pawl  # noqa: E402

__all__ = ["PATIENCE", "Cable", "Everywhere", "SdkCase"]


class SdkCase(PawlCase):
    """`serve()` starts a server for `self.place`; `self.client` speaks to it."""

    def serve(self, *words, listen="127.0.0.1:0", http="127.0.0.1:0"):
        process = self.start("server", "--listen", listen, "--http", http, *words)
        self.url = self.said(process, "clients at").rsplit(" ", 1)[1].strip()
        self.address = self.said(process, "workers at").rsplit(" ", 1)[1].strip()
        self.client = self.client_of(self.url)
        return process

    def client_of(self, url, **options):
        client = pawl.Client(url, **options)
        self.addCleanup(client.close)
        return client

    def cable(self, url=None):
        address = (url or self.url).rsplit("/", 1)[-1]
        host, port = address.rsplit(":", 1)
        cable = Cable(host, int(port))
        self.addCleanup(cable.close)
        return cable


class Cable:
    """A TCP relay. `cut_after(n)`: each connection is cut once n more bytes of answers have passed."""

    def __init__(self, host, port):
        self.target = (host, port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.url = f"http://{self.address}"
        self.connections = 0
        self.left = None
        self.lock = threading.Lock()
        self.open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_after(self, count):
        with self.lock:
            self.left = count

    def cut(self):
        with self.lock:
            open_now, self.open = self.open, []
        for one in open_now:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self.target)
            except OSError:
                near.close()
                continue
            self.connections += 1
            with self.lock:
                self.open += [near, far]
            threading.Thread(target=self._relay, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self._relay, args=(far, near, True), daemon=True).start()

    def _relay(self, source, target, counted):
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                if counted:
                    data, over = self._allowed(data)
                    target.sendall(data)
                    if over:
                        break
                else:
                    target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        source.close()

    def _allowed(self, data):
        with self.lock:
            if self.left is None:
                return data, False
            data = data[: self.left]
            self.left -= len(data)
            over = self.left == 0
            if over:
                self.left = None  # until it is asked for again
            return data, over
