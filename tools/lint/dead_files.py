"""Files that nobody builds or includes."""

import json

from source import CPP_FOLDERS, Finding, INCLUDE

RULES = {
    "dead.source": "a .cc file that no target compiles",
    "dead.header": "a .h file that nothing includes",
}


def check(tree, build):
    """`build` is a build folder with compile_commands.json, or None: then sources are not judged."""
    included = {header for source in tree.sources for _, header, _ in source.includes}
    for folder in CPP_FOLDERS:  # C files are built by examples, and judged by nobody
        for path in (tree.root / folder).rglob("*.c"):
            included |= {header for _, header in INCLUDE.findall(path.read_text())}
    for source in tree.sources:
        if source.is_header:
            name = source.path.removeprefix("src/")
            if name not in included and source.path.rsplit("/", 1)[-1] not in included:
                yield Finding(source.path, 1, "dead.header", "nothing includes it")
    commands = build / "compile_commands.json" if build else None
    if commands is None or not commands.exists():
        return
    compiled = {entry["file"] for entry in json.loads(commands.read_text())}
    for source in tree.sources:
        if source.path.endswith(".cc") and str((tree.root / source.path).resolve()) not in compiled:
            yield Finding(source.path, 1, "dead.source", "no target compiles it")
