#!/usr/bin/env python3
"""`pawl each true` against xargs, GNU parallel and a bare vfork loop, in the same run.

Every round runs all of them, so that a noisy machine disturbs all alike; medians are compared. All get
the same words: with exactly one argument, GNU true loads its locale before it does nothing, which takes as
long as starting it, in every contender; with two (`true - ITEM`) what is compared is the starting alone.
Usage: bench/each.py [items] [rounds]      (./dev bench each)
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ITEMS = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 5
PARALLEL_ITEMS = 300  # it is so slow that 5,000 would take a quarter of a minute a round
PAWL = os.environ.get("PAWL", "pawl")
SPAWN_BENCH = os.path.join(os.environ.get("PAWL_BUILD", "build/release"), "bin", "spawn_bench")


def rate(command, items, directory):
    """Items per second of one command that reads its items from standard input."""
    given = "".join(f"{i}\n" for i in range(items))
    start = time.monotonic()
    subprocess.run(command, input=given, text=True, cwd=directory, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return items / (time.monotonic() - start)


def bare_rate(words):
    """Items per second of a bare vfork + epoll loop with output pipes."""
    printed = subprocess.run([SPAWN_BENCH, str(ITEMS), "1", *words], check=True, capture_output=True,
                             text=True).stdout
    return float(re.search(r"bare loop\s+(\d+)", printed).group(1))


def compare(*words):
    """All contenders with `true WORDS ITEM`."""
    command = ["true", *words]
    contenders = {"bare vfork loop": [], "pawl each": [], "xargs -P2 -n1": [], "parallel -j2": []}
    for _ in range(ROUNDS):
        contenders["bare vfork loop"].append(bare_rate(words))
        with tempfile.TemporaryDirectory() as directory:
            contenders["pawl each"].append(
                rate([PAWL, "each", "--jobs", "2", *command], ITEMS, directory))
            contenders["xargs -P2 -n1"].append(
                rate(["xargs", "-P2", "-n1", *command], ITEMS, directory))
            if shutil.which("parallel"):
                contenders["parallel -j2"].append(
                    rate(["parallel", "-j2", *command], PARALLEL_ITEMS, directory))
    ours = statistics.median(contenders["pawl each"])
    targets = {"bare vfork loop": ">= 0.85", "xargs -P2 -n1": ">= 1.5", "parallel -j2": ">= 8"}
    print(f"{' '.join(command)} ITEM")
    for name, rates in contenders.items():
        if not rates:
            print(f"SKIPPED: {name} is not installed")
            continue
        median = statistics.median(rates)
        against = f"   pawl each is {ours / median:5.2f} x   (target {targets[name]})" \
            if name in targets else ""
        print(f"  {name:18} {median:8.0f} /s{against}")


def main():
    compare()
    compare("-")


if __name__ == "__main__":
    main()
