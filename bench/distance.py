#!/usr/bin/env python3
"""A server that is far away: calls one after the other against calls that are open at the same time, over REST.

Between the client and the server stands the proxy of tests/chaos, which holds back every piece for half of the round
trip. Usage: bench/distance.py [calls] [round trip in ms]     (./dev bench distance)
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from rig import HERE, Rig, Table

sys.path.insert(0, str(Path(HERE).parent / "tests/chaos"))

from proxy import Proxy  # noqa: E402

CALLS = int(sys.argv[1]) if len(sys.argv) > 1 else 50
ROUND_TRIP_MS = float(sys.argv[2]) if len(sys.argv) > 2 else 100
BODY = json.dumps({"workflow": "far"}).encode()
REQUEST = (b"POST /v1/executions?wait=30s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
           b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY))


async def call(reader, writer):
    writer.write(REQUEST)
    head = await reader.readuntil(b"\r\n\r\n")
    size = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length:"))
    answer = json.loads(await reader.readexactly(size))
    if answer.get("status") != "succeeded":
        raise RuntimeError(f"{answer}")


async def seconds_for(address, connections):
    """For all calls, spread over so many connections; these are open before the clock starts."""
    host, port = address.rsplit(":", 1)
    ends = [await asyncio.open_connection(host, int(port)) for _ in range(connections)]

    async def some(end, count):
        for _ in range(count):
            await call(*end)

    shares = [CALLS // connections + (number < CALLS % connections) for number in range(connections)]
    begun = time.monotonic()
    await asyncio.gather(*(some(end, share) for end, share in zip(ends, shares)))
    taken = time.monotonic() - begun
    for _, writer in ends:
        writer.close()
    return taken


def main():
    with Rig() as rig:
        server = rig.server()
        rig.worker(server, jobs=8)
        server.register({"name": "far", "nodes": {"n": {"function": "nothing"}}})
        server.run("far")
        proxy = Proxy(seed=1)
        link = proxy.link("far", lambda: ("127.0.0.1", server.http))
        near = asyncio.run(seconds_for(link.address, 1))
        link.set(delay=ROUND_TRIP_MS / 2000)
        sequential = asyncio.run(seconds_for(link.address, 1))
        together = asyncio.run(seconds_for(link.address, CALLS))
        proxy.close()
    table = Table(f"{CALLS} calls that submit and wait, {ROUND_TRIP_MS:g} ms away")
    table.row("one after the other, without the distance", near, "s")
    table.row("one after the other", sequential, "s")
    table.row("... round trips a call", sequential * 1000 / ROUND_TRIP_MS / CALLS, "", "<= 1.2")
    table.row("all at the same time", together, "s")
    table.row("so many times as fast", sequential / together, "times", f">= {CALLS / 5:g}")
    table.show()


if __name__ == "__main__":
    main()
