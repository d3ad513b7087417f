"""Estimates pi with dice, spread over the tasks of a durable execution.

Start a server and a worker, then this:

    pawl server --http 127.0.0.1:8080 &
    python -m pawl worker pi &
    python pi.py 200

The worker may be killed and started again while it runs: no slice is lost, none counts twice.
"""

import random
import sys

import pawl

POINTS = 20_000


@pawl.task(retry=3)
def hits(seed: int) -> int:
    """How many of POINTS random points lie within a quarter of a circle."""
    dice = random.Random(seed)
    return sum(dice.random() ** 2 + dice.random() ** 2 < 1 for _ in range(POINTS))


def main() -> None:
    slices = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    with pawl.Client() as client, pawl.Executor(client) as pool:
        total = sum(pool.map(hits, range(slices)))
    print(f"pi is about {4 * total / (slices * POINTS):.3f}")


if __name__ == "__main__":
    main()
