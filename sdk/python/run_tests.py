"""Tests the Python package in an environment of its own:  python3 run_tests.py FOLDER [TEST...]

The environment is made once below FOLDER, from PyPI, and again when what it holds should change. Exits with
77 (skipped) when PyPI is out of reach. PAWL_BIN names the folder of the built programs.
"""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = ["hatchling", "editables", "grpcio-tools"]
CHECKERS = ["mypy", "ruff"]
EXTRAS = "[worker,jq]"
SKIPPED = 77


def recipe():
    """Changes when the environment must be made anew."""
    made_of = [
        HERE / "pyproject.toml",
        HERE / "hatch_build.py",
        Path(__file__),
        *sorted((HERE.parents[1] / "proto").rglob("*.proto")),
    ]
    text = sys.version + str(HERE) + "".join(path.read_text() for path in made_of)
    return hashlib.sha256(text.encode()).hexdigest()


def environment(folder):
    python = folder / "bin/python"
    stamp = folder / "recipe"
    if stamp.exists() and stamp.read_text() == recipe():
        return python
    print(f"making {folder}", flush=True)
    venv.create(folder, clear=True, with_pip=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    steps = [[*pip, *BUILD, *CHECKERS], [*pip, "--no-build-isolation", "--editable", f"{HERE}{EXTRAS}"]]
    for step in steps:
        done = subprocess.run(step, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            offline = "Could not find a version" in done.stderr or "Connection" in done.stderr
            print(done.stderr, file=sys.stderr)
            print("SKIPPED: PyPI is out of reach" if offline else "the environment could not be made", file=sys.stderr)
            sys.exit(SKIPPED if offline else 1)
    stamp.write_text(recipe())
    return python


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    python = environment(Path(sys.argv[1]).resolve() / "environment")
    tests = sys.argv[2:] or ["discover", "-p", "*_test.py"]
    variables = {**os.environ, "PYTHONPYCACHEPREFIX": str(Path(sys.argv[1]).resolve() / "cache")}
    steps = [
        [python, "-W", "error::ResourceWarning", "-m", "unittest", *tests],
        [python, "-m", "mypy", "--cache-dir", Path(sys.argv[1]) / "mypy", "src/pawl"],
        [python, "-m", "ruff", "check", "--no-cache", "."],
        [python, "-m", "ruff", "format", "--no-cache", "--check", "."],
    ]
    for step in steps:
        folder = HERE / "tests" if "unittest" in step else HERE
        if subprocess.run(step, check=False, cwd=folder, env=variables).returncode != 0:
            sys.exit(f"failed: {' '.join(map(str, step[1:]))}")


if __name__ == "__main__":
    main()
