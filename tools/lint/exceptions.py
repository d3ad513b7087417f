"""What is still allowed to break a rule. The list only shrinks:

    ceiling RULE N       at most N exceptions from this rule; git history may never see it rise
    RULE PATH N  reason  exactly N findings of this rule in this file are known

An entry that has become too large is an error too, so that ground once won is kept.
"""

import subprocess
from collections import Counter
from pathlib import Path

from source import Finding

RULES = {
    "exceptions.stale": "an exception that is no longer needed",
    "exceptions.ceiling": "more exceptions from a rule than its ceiling",
    "exceptions.risen": "a ceiling that is higher than it once was",
}
FILE = "tools/lint/exceptions.txt"


def parse(text):
    """-> {rule: ceiling}, {(rule, path): (count, line)}"""
    ceilings, entries = {}, {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if words[0] == "ceiling":
            ceilings[words[1]] = int(words[2])
        else:
            entries[words[0], words[1]] = (int(words[2]), number)
    return ceilings, entries


def past_ceilings(root):
    """The lowest ceiling each rule ever had, from git's history where there is one."""
    git = ["git", "-C", str(root)]
    try:
        commits = subprocess.run([*git, "log", "--format=%H", "--", FILE], capture_output=True,
                                 text=True, check=True).stdout.split()
    except (OSError, subprocess.CalledProcessError):
        return {}
    lowest = {}
    for commit in commits:
        shown = subprocess.run([*git, "show", f"{commit}:{FILE}"], capture_output=True, text=True)
        for rule, ceiling in parse(shown.stdout)[0].items():
            lowest[rule] = min(ceiling, lowest.get(rule, ceiling))
    return lowest


def apply(findings, text, lowest):
    """The findings that no exception covers, and those about the exceptions themselves."""
    ceilings, entries = parse(text)
    found = Counter((f.rule, f.path) for f in findings)
    kept = [f for f in findings if found[f.rule, f.path] > entries.get((f.rule, f.path), (0, 0))[0]]
    total = Counter()
    for (rule, path), (count, line) in entries.items():
        total[rule] += count
        if found[rule, path] < count:
            message = f"{path} has {found[rule, path]} of {rule}, not {count}: lower it"
            kept.append(Finding(FILE, line, "exceptions.stale", message))
    for rule in sorted(total | Counter(ceilings.keys())):
        ceiling = ceilings.get(rule, 0)
        if total[rule] > ceiling:
            message = f"{total[rule]} exceptions from {rule}, at most {ceiling}"
            kept.append(Finding(FILE, 1, "exceptions.ceiling", message))
        if ceiling > lowest.get(rule, ceiling):
            message = f"the ceiling of {rule} was {lowest[rule]} and may not rise to {ceiling}"
            kept.append(Finding(FILE, 1, "exceptions.risen", message))
    return kept


def read(root):
    path = Path(root) / FILE
    return path.read_text() if path.exists() else ""


