"""Kills embed_example with SIGKILL while it counts, and runs it again.

  python3 crash_test.py EMBED_EXAMPLE

Every result that had been shown as durable must count: its slice is not called again. The final result
is that of a run which nobody killed.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT = 1_500_000
PRIMES = 114_155  # below LIMIT
SLICES = 64
KILL_AT = 8  # slices shown as done
TRIES = 5  # a machine may be so busy that the program ends before it is killed


def calls_in(path):
    return [line.split()[1] for line in path.read_text().splitlines()] if path.exists() else []


def killed_run(program, folder):
    """How many slices were shown as done when it was killed; None if it ended before."""
    command = [program, folder / "state", str(LIMIT), folder / "first"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        shown = 0
        for line in process.stdout:
            if line.startswith("primes"):
                return None
            shown = int(line.split()[0])
            if shown >= KILL_AT:
                process.kill()
    return shown


def main():
    program = sys.argv[1]
    for _ in range(TRIES):
        with tempfile.TemporaryDirectory(prefix="pawl-embed-") as temporary:
            folder = Path(temporary)
            shown = killed_run(program, folder)
            if shown is None:
                continue
            first = calls_in(folder / "first")
            second_run = subprocess.run([program, folder / "state", str(LIMIT), folder / "second"],
                                        capture_output=True, text=True, check=True)
            second = calls_in(folder / "second")
            third_run = subprocess.run([program, folder / "state", str(LIMIT), folder / "third"],
                                       capture_output=True, text=True, check=True)
        wanted = f"primes below {LIMIT}: {PRIMES}"
        assert second_run.stdout.splitlines()[-1] == wanted, second_run.stdout
        assert third_run.stdout.splitlines()[-1] == wanted, third_run.stdout
        assert not calls_in(folder / "third"), "a run of something finished called a function"
        assert len(set(first + second)) == SLICES, "a slice was never counted"
        assert len(second) == len(set(second)), "a slice was counted twice in one life"
        assert shown >= KILL_AT and len(second) <= SLICES - shown, (shown, len(second))
        print(f"killed with {shown} slices durable, {len(first)} called; {len(second)} called afterwards")
        return
    sys.exit(f"embed_example ended {TRIES} times before it could be killed")


if __name__ == "__main__":
    main()
