"""A TCP proxy in user space, one link per worker, whose links can be made bad in every way that TCP allows.

    proxy = Proxy(seed=7)
    link = proxy.link("one", lambda: ("127.0.0.1", port_of_the_server))
    ... the worker connects to link.address ...
    link.set(delay=0.05, jitter=0.02)      # seconds, for each piece that is forwarded
    link.set(rate=2000)                    # bytes per second and direction
    link.set(up=False, down=False)         # half-open: neither data nor FIN, until they are True again
    link.reset()                           # RST to both ends of every connection
    link.set(refuse=True)                  # newcomers are reset at once
    link.heal()
    proxy.close()

TCP keeps the order of bytes and loses none within a connection; what a network loses, doubles or reorders
shows here as connections that break and are made anew. `up` is from the worker to the server.
Threading: everything from any thread; the forwarding is done on a thread of the proxy's own.
"""

import asyncio
import random
import socket
import struct
import threading

PIECE = 64 * 1024  # bytes forwarded at a time
DRIP = 0.05  # seconds between two pieces of a throttled link

HEALTHY = {"delay": 0.0, "jitter": 0.0, "rate": None, "up": True, "down": True, "refuse": False}


class Proxy:
    def __init__(self, seed):
        self.seed = seed
        self.links = []
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="proxy", daemon=True)
        self.thread.start()

    def link(self, name, server):
        """`server()` is asked at every connection where the server is: (host, port), or None for nowhere."""
        link = Link(self, name, server, random.Random(f"{self.seed}/{name}"))
        self.links.append(link)
        return link

    def call(self, work):
        """Runs a coroutine on the proxy's thread and waits for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def close(self):
        for link in self.links:
            self.call(link.end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


class Link:
    def __init__(self, proxy, name, server, dice):
        self.proxy, self.name, self.server, self.dice = proxy, name, server, dice
        self.state = dict(HEALTHY)
        self.bytes = {"up": 0, "down": 0}
        self.accepted = 0
        self.tasks = set()  # the listener's and every connection's
        self.connections = set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.listener.setblocking(False)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        proxy.call(self.begin())

    def set(self, **changes):
        unknown = set(changes) - set(HEALTHY)
        if unknown:
            raise ValueError(f"a link has no {unknown}; it has {sorted(HEALTHY)}")
        self.proxy.call(self.change(changes))

    def heal(self):
        self.set(**HEALTHY)

    def reset(self):
        """How many connections were broken."""
        return self.proxy.call(self.break_all())

    # What follows runs on the proxy's thread.

    async def begin(self):
        self.changed = asyncio.Condition()
        self.spawn(self.accept(), self.tasks)

    async def change(self, changes):
        async with self.changed:
            self.state.update(changes)
            self.changed.notify_all()

    async def break_all(self):
        broken = list(self.connections)
        await stop(broken)
        return len(broken)

    async def end(self):
        await stop(list(self.tasks | self.connections))
        self.listener.close()

    def spawn(self, work, register):
        task = asyncio.ensure_future(work)
        register.add(task)
        task.add_done_callback(register.discard)

    async def accept(self):
        while True:
            near, _ = await self.proxy.loop.sock_accept(self.listener)
            near.setblocking(False)
            self.accepted += 1
            self.spawn(self.serve(near), self.connections)

    async def serve(self, near):
        server = self.server()
        if self.state["refuse"] or server is None:
            return abort(near)
        far = socket.socket()
        far.setblocking(False)
        try:
            await self.proxy.loop.sock_connect(far, server)
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self.forward(near, far, "up"))
                ways.create_task(self.forward(far, near, "down"))
        except* OSError:  # one end has broken: so does the other
            pass
        finally:
            abort(near)
            abort(far)

    async def forward(self, source, sink, way):
        loop = self.proxy.loop
        while True:
            await self.open(way)
            rate = self.state["rate"]
            piece = await loop.sock_recv(source, PIECE if rate is None else max(1, int(rate * DRIP)))
            await self.hold(DRIP if rate is not None else 0.0)
            await self.open(way)  # what was read meanwhile does not pass a closed way either
            if not piece:
                return sink.shutdown(socket.SHUT_WR)
            await loop.sock_sendall(sink, piece)
            self.bytes[way] += len(piece)

    async def open(self, way):
        if self.state[way]:
            return
        async with self.changed:
            await self.changed.wait_for(lambda: self.state[way])

    async def hold(self, least):
        delay, jitter = self.state["delay"], self.state["jitter"]
        seconds = least + max(0.0, delay + jitter * self.dice.uniform(-1, 1))
        if seconds > 0:
            await asyncio.sleep(seconds)


async def stop(tasks):
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def abort(end):
    """Closes with RST, so that the peer learns of it whatever is on its way."""
    try:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass
    end.close()
