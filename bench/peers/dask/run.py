"""No-op tasks through Dask distributed: `run.py TASKS` prints tasks per second, submission to last result. Scheduler and
worker (two threads) are processes of their own; nothing of it is durable."""

import subprocess
import sys
import time

from distributed import Client


def nothing(_):
    return None


def started(*words):
    return subprocess.Popen([sys.executable, "-m", "distributed.cli." + words[0], *words[1:]], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)


def main():
    port, tasks = sys.argv[1], int(sys.argv[2])
    address = f"tcp://127.0.0.1:{port}"
    processes = [started("dask_scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard"),
                 started("dask_worker", address, "--nthreads", "2", "--no-dashboard", "--no-nanny",
                         "--host", "127.0.0.1")]
    try:
        with Client(address, timeout=60) as client:
            client.gather(client.map(nothing, [0], pure=False))
            start = time.monotonic()
            client.gather(client.map(nothing, range(tasks), pure=False))
            print(tasks / (time.monotonic() - start))
    finally:
        for process in processes:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
