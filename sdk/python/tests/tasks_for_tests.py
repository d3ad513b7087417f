"""Tasks that the tests run; a module of their own, so that processes can import them."""

import asyncio
import os
import signal
import threading
import time
from pathlib import Path

import pawl


@pawl.task
def square(n: int) -> int:
    return n * n


@pawl.task(name="add")
def add_numbers(a, b=10):
    return a + b


@pawl.task
def greet(name: str, *, greeting: str = "Hello") -> str:
    return f"{greeting}, {name}"


@pawl.task
def echo(value):
    return value


@pawl.task
def grow(numbers):
    """Changes what it is given, and succeeds the second time."""
    numbers.append(1)
    if pawl.current_task().attempt == 1:
        raise ValueError("again")
    return numbers


@pawl.task
def change(value):
    value["seen"] = "seen" not in value
    if pawl.current_task().attempt == 1:
        raise ValueError("again")
    return value


@pawl.task
def same(value):
    return value


@pawl.task
def nothing():
    return None


@pawl.task(retry=2)
def fail(message):
    raise ValueError(message)


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("it does not say")


class Stop(BaseException):
    pass


class Sealed(dict):
    def items(self):
        raise KeyError("sealed")


def leave(how):
    if how == "sealed":
        return Sealed(a=1)
    raise {"exit": SystemExit(3), "base": Stop("enough"), "mute": Mute()}[how]


@pawl.task
def leave_thread(how):
    return leave(how)


@pawl.task(process=True)
def leave_process(how):
    return leave(how)


@pawl.task
async def leave_loop(how):
    await asyncio.sleep(0)
    return leave(how)


@pawl.task
async def leave_loop_beside(how):
    async def leave_first():
        leave(how)

    beside = asyncio.ensure_future(leave_first())
    await asyncio.wait({beside})
    return type(beside.exception()).__name__


@pawl.task
def who():
    task = pawl.current_task()
    return [task.execution, task.node, task.item, task.attempt, task.idempotency_key]


@pawl.task
def trace():
    return pawl.current_task().traceparent


@pawl.task(process=True)
def trace_in_a_process():
    return pawl.current_task().traceparent


@pawl.task
def no_json():
    return {1, 2}


@pawl.task
def large(count):
    return list(range(count))


@pawl.task
def total(numbers):
    return sum(numbers)


@pawl.task
async def sleep_async(seconds):
    await asyncio.sleep(seconds)
    return asyncio.get_running_loop().is_running()


def wait_for(path):
    while not Path(path).exists() and not pawl.current_task().cancelled():
        time.sleep(0.01)
    return "cancelled" if pawl.current_task().cancelled() else "open"


def say(path, word):
    """Appends a line that the test waits for."""
    with open(path, "a") as file:
        file.write(f"{word}\n")


@pawl.task
def note(path):
    say(path, "noted")


@pawl.task
def gate(folder):
    say(f"{folder}/began", os.getpid())
    answer = wait_for(f"{folder}/go")
    say(f"{folder}/ended", answer)
    return answer


@pawl.task
def gate_that_is_deaf(folder):
    """One gate for each attempt; a cancellation is not heard."""
    attempt = pawl.current_task().attempt
    say(f"{folder}/began", attempt)
    while not Path(f"{folder}/go-{attempt}").exists():
        time.sleep(0.01)
    say(f"{folder}/ended", attempt)
    return attempt


@pawl.task(process=True)
def gate_in_process(folder):
    say(f"{folder}/began", os.getpid())
    answer = wait_for(f"{folder}/go")
    say(f"{folder}/ended", answer)
    return answer


@pawl.task
async def gate_async(folder):
    say(f"{folder}/began", "async")
    try:
        while not Path(f"{folder}/go").exists():
            await asyncio.sleep(0.01)
    except asyncio.CancelledError:
        say(f"{folder}/ended", "cancelled")
        raise
    return "open"


@pawl.task
async def gate_then_thread(folder):
    await gate_async(folder)
    return await asyncio.to_thread(int, 1)


@pawl.task(process=True)
def process_id():
    return [os.getpid(), pawl.current_task().node]


@pawl.task(process=True)
def die():
    os.kill(os.getpid(), signal.SIGKILL)


@pawl.task(process=True)
def deaf():
    threading.Event().wait()


@pawl.task(process=True)
def report_from_process(folder):
    pawl.current_task().progress(0.25, "a quarter")
    return gate_in_process(folder)


@pawl.task
def count_aloud():
    for i in range(300):
        pawl.current_task().progress(i / 300, str(i))
    return 300


@pawl.task(process=True)
def count_aloud_in_process():
    return count_aloud()


@pawl.task
def report(folder):
    pawl.current_task().progress(0.5, "half")
    return gate(folder)


def report_wrongly(what):
    task = pawl.current_task()
    {
        "nan": lambda: task.progress(float("nan")),
        "none": lambda: task.progress(None),
        "words": lambda: task.progress("half"),
        "large": lambda: task.progress(0.5, "x" * (70 << 20)),
        "infinite": lambda: task.progress(float("inf")),
    }[what]()
    return what


@pawl.task
def report_wrongly_on_thread(what):
    return report_wrongly(what)


@pawl.task(process=True)
def report_wrongly_in_process(what):
    return report_wrongly(what)


@pawl.task
def many_threads(_):
    time.sleep(0.02)
    return threading.get_ident()


@pawl.task
def unknown(n):
    raise AssertionError(f"{n} was cancelled before it ran")


def tell_blocked_signals(connection):
    """In place of a process that serves calls: whether Ctrl-C waits until it can be ignored."""
    blocked = signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    connection.recv()
    connection.send(("ended", (str(blocked).lower().encode(), None, 0, "")))


ALL = [value for value in list(globals().values()) if hasattr(value, "__pawl_task__") and value is not unknown]
