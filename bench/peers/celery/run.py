"""No-op tasks through Celery with Redis: `run.py REDIS_PORT TASKS` prints tasks per second, submission to last result.
The worker is a process of its own with two children, everything else as it comes."""

import subprocess
import sys
import time

from celery import Celery

port, tasks = sys.argv[1], int(sys.argv[2])
app = Celery("run", broker=f"redis://127.0.0.1:{port}/0", backend=f"redis://127.0.0.1:{port}/1")


@app.task(name="nothing")
def nothing():
    return None


def measure():
    nothing.delay().get(timeout=60)
    start = time.monotonic()
    for result in [nothing.delay() for _ in range(tasks)]:
        result.get(timeout=600)
    print(tasks / (time.monotonic() - start))


if __name__ == "__main__":
    worker = subprocess.Popen([sys.executable, "-c", f"import sys; sys.argv[1:] = ['{port}', '0']; import run; "
                               "run.app.worker_main(['worker', '-c', '2', '-l', 'ERROR'])"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        measure()
    finally:
        worker.terminate()
        worker.wait()
