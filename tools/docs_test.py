"""Runs the commands that a document shows.

  python3 tools/docs_test.py REPOSITORY PROGRAMS DOCUMENT...     PROGRAMS: the folder that holds `pawl`
  python3 tools/docs_test.py --self-test

Each document gets a directory of its own with copies of examples/ and proto/, an empty home and `pawl` on the
PATH; its blocks run there in order, each as one bash script that must succeed.

  ```sh         every line is run
  ```console    lines after "$ " (and the lines a backslash joins to them) are run; the other lines must
                appear in the output, in this order; numbers may differ, and "..." stands for any lines

A mark on its own line before a block changes what is expected of it:

  <!-- no-test: REASON -->    not run; counted by the docs lint, and the count may only shrink
  <!-- exit: N -->            ends with this status
  <!-- output: varies -->     the shown output is only an example

`./dev run` and `./dev pawl` run the built program; for the other verbs of ./dev, which would start this
very test again or take long, it is only checked that they exist.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

BLOCK_SECONDS_MAX = 120
MARK = re.compile(r"<!--\s*(no-test|exit|output)\s*:\s*(.*?)\s*-->")
DEV = """#!/bin/bash
verb=${1:-}; shift
case $verb in
  run) exec pawl run "$@" ;;
  pawl) exec pawl "$@" ;;
  *) exec bash -c '"$0" --help | grep -Eq "^  $1( |$)"' "$REPOSITORY/dev" "$verb" ;;
esac
"""


@dataclass
class Block:
    language: str
    line: int
    marks: dict
    lines: list = field(default_factory=list)

    @property
    def script(self):
        if self.language == "sh":
            return "\n".join(self.lines)
        commands, joined = [], False
        for line in self.lines:
            if line.startswith("$ ") or joined:
                commands.append(line if joined else line[2:])
                joined = line.endswith("\\")
        return "\n".join(commands)

    @property
    def shown(self):
        shown, joined = [], False
        for line in self.lines if self.language == "console" else []:
            if not line.startswith("$ ") and not joined and line.strip():
                shown.append(line)
            joined = (line.startswith("$ ") or joined) and line.endswith("\\")
        return shown


def blocks(text):
    current, marks = None, {}
    for number, line in enumerate(text.splitlines(), 1):
        fence = line.strip().startswith("```")
        if current is not None:
            if fence:
                if current.language in ("sh", "console"):
                    yield current
                current = None
            else:
                current.lines.append(line)
        elif fence:
            current, marks = Block(line.strip()[3:].strip(), number, marks), {}
        elif line.strip():
            marks = {m.group(1): m.group(2) for m in MARK.finditer(line)}


def plain(line):
    """A line without what differs from run to run: numbers, units of time, white space, colour."""
    line = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", line)
    return re.sub(r"\s+", " ", re.sub(r"[0-9][0-9a-f.,:]*(\s?(ns|us|µs|ms|s|m|h))?\b", "#", line)).strip()


def missing_line(shown, output):
    """The first shown line that does not follow in the output, or None."""
    lines = iter([plain(line) for line in output.splitlines()])
    for line in shown:
        if line.strip() != "..." and not any(plain(line) == other for other in lines):
            return line
    return None


def run_block(block, folder, environment):
    """What went wrong, or None."""
    if not block.script.strip():
        return "no command in this block (console commands start with \"$ \")"
    process = subprocess.Popen(["bash", "-euo", "pipefail", "-c", block.script], cwd=folder, env=environment,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, errors="replace", start_new_session=True)
    try:
        output, _ = process.communicate(timeout=BLOCK_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        output = f"not done after {BLOCK_SECONDS_MAX} s\n"
    finally:
        try:  # the block's own process group: also what it left in the background
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
    wanted = int(block.marks.get("exit", 0))
    if process.returncode != wanted:
        return f"ended with {process.returncode}, not {wanted}:\n{output}"
    if block.marks.get("output") != "varies" and (line := missing_line(block.shown, output)) is not None:
        return f'does not print "{line}"; it prints:\n{output}'
    return None


def run_document(document, repository, programs):
    """The number of blocks run, and what went wrong."""
    failures, ran = [], 0
    with tempfile.TemporaryDirectory(prefix="pawl-docs-") as temporary:
        folder = Path(temporary)
        for name in ("work", "home", "bin"):
            (folder / name).mkdir()
        for name in ("examples", "proto"):
            if (repository / name).is_dir():
                shutil.copytree(repository / name, folder / "work" / name)
        (folder / "work/dev").write_text(DEV)
        (folder / "work/dev").chmod(0o755)
        environment = {
            "PATH": f"{programs}:{os.environ.get('PATH', '/usr/bin:/bin')}",
            "HOME": str(folder / "home"), "LANG": "C.UTF-8", "NO_COLOR": "1",
            "REPOSITORY": str(repository),
        }
        for block in blocks(document.read_text()):
            if "no-test" in block.marks:
                continue
            ran += 1
            wrong = run_block(block, folder / "work", environment)
            if wrong:
                failures.append(f"{document}:{block.line}: {wrong}")
    return ran, failures


SEEDED = {  # document text -> does it pass?
    "```sh\ntrue\n```\n": True,
    "```sh\nfalse\n```\n": False,
    "<!-- exit: 3 -->\n```sh\nexit 3\n```\n": True,
    "<!-- no-test: needs root -->\n```sh\nfalse\n```\n": True,
    "```console\n$ echo took 12 ms \\\n  and more\ntook 99 ms and more\n```\n": True,
    "```console\n$ printf 'a\\nb\\nc\\n'\na\n...\nc\n```\n": True,
    "```console\n$ echo one\ntwo\n```\n": False,
    "<!-- output: varies -->\n```console\n$ echo one\ntwo\n```\n": True,
    "```console\njust output\n```\n": False,
    "```sh\n./dev test\n```\n": True,
    "```sh\n./dev dance\n```\n": False,
    "```sh\necho 1 > a\n```\n\nthen\n\n```sh\ntest -e a\n```\n": True,
}


def self_test(repository):
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder) / "seeded.md"
        for text, passes in SEEDED.items():
            document.write_text(text)
            _, failures = run_document(document, repository, folder)
            if passes != (not failures):
                wrong.append(f"{'must pass' if passes else 'must fail'}:\n{text}{failures}")
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"docs_test: {len(SEEDED)} seeded documents judged rightly")


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test(Path(__file__).resolve().parent.parent)
        return
    repository, programs = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    total, wrong = 0, []
    for name in sys.argv[3:]:
        ran, failures = run_document(Path(name), repository, programs)
        total += ran
        wrong += failures
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"docs_test: {total} blocks ran")


if __name__ == "__main__":
    main()
