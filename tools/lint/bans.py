"""What may not be written, and where: patterns over the code, words in comments, names of files."""

import re
from dataclasses import dataclass
from pathlib import Path

from source import Finding

WORDS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|\bstub(s|bed)?\b", re.I)
NAMES = {"common", "util", "utils", "helpers", "manager", "misc"}


@dataclass
class Ban:
    rule: str
    pattern: re.Pattern
    where: str  # pure: the pure zone; library: all but adapters; source: all libraries; all: tests too
    message: str


def ban(rule, pattern, where, message):
    return Ban(rule, re.compile(pattern), where, message)


BANS = (
    ban("ban.float", r"\b(float|double)\b", "pure", "no floating point in the pure zone"),
    ban(
        "ban.thread",
        r"\bstd::(thread|jthread|mutex|shared_mutex|recursive_mutex|atomic\w*|condition_variable\w*"
        r"|async|future|promise|this_thread|latch|barrier|counting_semaphore)\b|\bpthread_\w+"
        r"|\bthread_local\b",
        "pure",
        "no threads in the pure zone",
    ),
    ban(
        "ban.time",
        r"\bstd::chrono\b|\bclock_gettime\b|\bgettimeofday\b|\btime\s*\(\s*(?:nullptr|NULL|0)\s*\)",
        "pure",
        "time arrives in the stamp of a command, or through the Clock port",
    ),
    ban(
        "ban.random",
        r"\bstd::(random_device|mt19937\w*|minstd_rand\w*|default_random_engine)\b|(?<![\w.>:])s?rand\s*\("
        r"|\bgetrandom\b|\bgetentropy\b",
        "pure",
        "dice arrive in the stamp of a command",
    ),
    ban("ban.io", r"\bstd::(cout|cerr|ifstream|ofstream|fstream)\b|\bgetenv\b|(?<![\w.>:])(printf|fopen)\s*\(",
        "pure", "no I/O in the pure zone"),
    ban("ban.throw", r"\bthrow\b", "library", "expected failures are a Result; exceptions stay in adapters"),
    ban("ban.sleep", r"\b(sleep_for|sleep_until|usleep|nanosleep)\b|\bsleep\s*\(\s*\d", "all",
        "no sleeping: wait for the event itself"),
    ban("ban.distribution", r"\bstd::(\w+_distribution|shuffle|sample)\b", "all",
        "results differ between standard libraries; use pawl::Random"),
    ban("ban.hash", r"\bstd::hash\b", "source", "results differ between standard libraries; use pawl/base/hash.h"),
    ban("ban.using", r"\busing\s+namespace\b", "source", "names stay in their namespace"),
)

RULES = {b.rule: b.message for b in BANS} | {
    "ban.unordered": "iterating an unordered container in the pure zone",
    "ban.word": "a word that promises work instead of doing it",
    "ban.name": "a file named for everything and nothing",
}

DECLARED = re.compile(r"\bunordered_(?:multi)?(?:map|set)\s*<")


def applies(where, source, zone, folder):
    if where == "all":
        return True
    if source.is_beside or not source.path.startswith("src/"):
        return False
    if where == "pure":
        return zone == "pure"
    return where == "source" or not folder.startswith("adapter/")


def unordered_names(code):
    """Names of variables and members declared as unordered containers."""
    for match in DECLARED.finditer(code):
        depth, at = 1, match.end()
        while depth and at < len(code):
            depth += {"<": 1, ">": -1}.get(code[at], 0)
            at += 1
        name = re.match(r"[\s&*]*(?:const\s+)?(\w+)\s*[;={(,)]", code[at:])
        if name:
            yield name.group(1)


def unordered(sources):
    names = {name for source in sources for name in unordered_names(source.code)}
    if not names:
        return
    any_name = "|".join(sorted(map(re.escape, names)))
    loop = re.compile(rf"\bfor\s*\([^;()]*:\s*(?:[\w.\->]*[.>])?({any_name})\s*\)|\b({any_name})\.c?begin\s*\(")
    for source in sources:
        for match in loop.finditer(source.code):
            name = match.group(1) or match.group(2)
            yield Finding(source.path, source.line_of(match.start()), "ban.unordered",
                          f"the order of {name} differs between machines; sort, or use a map")


def check(tree, table):
    pure = {}
    for source in tree.sources:
        library = tree.owner(source.path)
        folder = library.folder if library else ""
        zone = table[folder].zone if folder in table else "world"
        if zone == "pure" and not source.is_beside:
            pure.setdefault(folder, []).append(source)
        for rule in BANS:
            if not applies(rule.where, source, zone, folder):
                continue
            for match in rule.pattern.finditer(source.code):
                line = source.line_of(match.start())
                yield Finding(source.path, line, rule.rule, f"{match.group(0).strip()}: {rule.message}")
        for line, comment in source.comments:
            for match in WORDS.finditer(comment):
                at = line + comment.count("\n", 0, match.start())
                yield Finding(source.path, at, "ban.word", f'"{match.group(0)}" in a comment')
        stem = Path(source.path).stem
        if NAMES & set(stem.split("_")) or NAMES & set(Path(source.path).parts):
            yield Finding(source.path, 1, "ban.name", "say what the file is about")
    for sources in pure.values():
        yield from unordered(sources)
