"""Documents: links lead somewhere, blocks say what they are, untested commands are counted."""

import re
from pathlib import Path

from source import Finding

RULES = {
    "docs.link": "a link to a file or heading that does not exist",
    "docs.fence": "a code block without a language, or never closed",
    "docs.no_test": "a command block that is not run by the tests",
    "docs.quote": "a block marked as quoted that does not stand in its source",
    "docs.adr": "a decision without one of its sections, or missing in docs/adr/README.md",
    "docs.changelog": "CHANGELOG.md without an Unreleased section",
}
QUOTE = re.compile(r"<!-- from: (\S+) -->\n+```[^\n]*\n(.*?)```", re.S)
DECISION_SECTIONS = ("Status", "Context", "Decision", "Alternatives", "Consequences")
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)|!\[[^\]\n]*\]\(([^)\s]+)\)")
NO_TEST = re.compile(r"<!--\s*no-test\b:?\s*(.*?)-->")


def documents(root):
    skip = {"build", ".git", "node_modules", "corpus"}
    for path in sorted(Path(root).rglob("*.md")):
        if not skip & set(path.relative_to(root).parts):
            yield path


def outside_fences(text):
    """(line number, line) of prose; code is left out."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield number, re.sub(r"`[^`]*`", "", line)


def slugs(path):
    for _, line in outside_fences(path.read_text()):
        if line.startswith("#"):
            title = re.sub(r"[^\w\- ]", "", line.lstrip("#").strip().lower())
            yield title.replace(" ", "-")


def broken(path, target):
    if re.match(r"[a-z]+:", target):
        return False
    name, _, anchor = target.partition("#")
    file = (path.parent / name).resolve() if name else path
    if not file.exists():
        return True
    return bool(anchor) and file.suffix == ".md" and anchor not in set(slugs(file))


def check_one(path, shown):
    text = path.read_text()
    opened = None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.lstrip().startswith("```"):
            continue
        if opened is None:
            opened = number
            if not line.strip()[3:]:
                yield Finding(shown, number, "docs.fence", "name the language (text, if it is none)")
        else:
            opened = None
    if opened is not None:
        yield Finding(shown, opened, "docs.fence", "this block is never closed")
    for number, line in outside_fences(text):
        for match in LINK.finditer(line):
            target = match.group(1) or match.group(2)
            if broken(path, target):
                yield Finding(shown, number, "docs.link", f"{target} does not exist")
        for match in NO_TEST.finditer(line):
            reason = match.group(1).strip() or "without a reason"
            yield Finding(shown, number, "docs.no_test", f"not run: {reason}")


def check_quotes(root, path, shown):
    """`<!-- from: FILE -->` before a block: its lines stand in that file, as they are."""
    text = path.read_text()
    for match in QUOTE.finditer(text):
        source = root / match.group(1)
        if not source.is_file() or match.group(2) not in source.read_text():
            line = text.count("\n", 0, match.start()) + 1
            yield Finding(shown, line, "docs.quote", f"{match.group(1)} does not hold this block")


def check_decisions(folder):
    pages = sorted(folder.glob("[0-9]*.md"))
    index = folder / "README.md"
    listed = index.read_text() if index.exists() else ""
    for page in pages:
        shown = f"docs/adr/{page.name}"
        lines = page.read_text().splitlines()
        if not lines or not lines[0].startswith(f"# {page.name[:4]}: "):
            yield Finding(shown, 1, "docs.adr", f'the title begins with "# {page.name[:4]}: "')
        found = [line[3:] for line in lines if line.startswith("## ")]
        if found != list(DECISION_SECTIONS):
            yield Finding(shown, 1, "docs.adr", "its sections are " + ", ".join(DECISION_SECTIONS))
        if f"]({page.name})" not in listed:
            yield Finding(shown, 1, "docs.adr", "docs/adr/README.md does not list it")


def check(root):
    root = Path(root)
    yield from check_decisions(root / "docs/adr")
    for path in documents(root):
        shown = path.relative_to(root).as_posix()
        yield from check_one(path, shown)
        yield from check_quotes(root, path, shown)
    changelog = root / "CHANGELOG.md"
    if not changelog.exists() or "## [Unreleased]" not in changelog.read_text():
        yield Finding("CHANGELOG.md", 1, "docs.changelog", "users look for what changed under Unreleased")
