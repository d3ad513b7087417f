"""The command line of the package.

  python -m pawl worker MODULE[:NAME] [--server HOST:PORT] [--concurrency N] [--name NAME] [--drain SECONDS]

runs the tasks of a module until SIGTERM: NAME is a task, a list of tasks, or a pawl.Worker, which takes no options;
without it all tasks of the module. The current directory is searched first.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Callable, Optional

from pawl.errors import PawlError
from pawl.tasks import is_task

if TYPE_CHECKING:
    from pawl.worker import Worker


class WrongUsage(Exception):
    """One line for people."""


def arguments(words: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m pawl", description="Pawl for Python")
    verbs = parser.add_subparsers(dest="verb", required=True)
    worker = verbs.add_parser("worker", help="run the tasks of a module until SIGTERM")
    worker.add_argument("app", metavar="MODULE[:NAME]")
    worker.add_argument("--server", metavar="HOST:PORT", help="default: PAWL_WORKERS, or 127.0.0.1:7070")
    worker.add_argument("--concurrency", type=int, metavar="N", help="calls at once (default: 8)")
    worker.add_argument("--name", help="for people (default: host and process)")
    worker.add_argument("--drain", type=float, metavar="SECONDS", help="for what runs to end (default: 30)")
    return parser.parse_args(words)


def load(app: str) -> Any:
    """A worker, or the tasks that MODULE[:NAME] names."""
    module_name, _, name = app.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise WrongUsage(f"{app}: {error}") from None
    if not name:
        return [value for value in vars(module).values() if is_task(value)]
    try:
        return getattr(module, name)
    except AttributeError:
        raise WrongUsage(f"{app}: {module_name} has no {name!r}") from None


def worker_of(app: str, found: Any, options: dict[str, Any]) -> Worker:
    """`options`: those that were given."""
    from pawl.worker import Worker

    if not isinstance(found, Worker):
        return Worker(tasks=tasks_of(app, found), **options)
    if options:
        raise WrongUsage(f"{app} is a worker, which the program has made: no --{' and no --'.join(options)} beside it")
    return found


def tasks_of(app: str, found: Any) -> list[Callable[..., Any]]:
    tasks = [found] if is_task(found) else list(found) if isinstance(found, (list, tuple)) else []
    if not tasks or not all(is_task(task) for task in tasks):
        raise WrongUsage(f"{app}: no tasks there; write @pawl.task above a function")
    return tasks


def main(words: Optional[Sequence[str]] = None) -> int:
    given = arguments(words)
    logging.basicConfig(level=logging.INFO, format="pawl: %(message)s", stream=sys.stderr)
    sys.path.insert(0, os.getcwd())
    try:
        names = ("server", "concurrency", "name", "drain")
        options = {name: value for name in names if (value := getattr(given, name)) is not None}
        worker = worker_of(given.app, load(given.app), options)
        worker.run()
    except (WrongUsage, PawlError, ImportError, ValueError) as error:
        print(f"pawl: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
