"""All lints over one tree:  python3 tools/lint/lint.py ROOT [BUILD]

Prints `path:line: [rule] message` for each finding that tools/lint/exceptions.txt does not cover, and
fails if there is one. With a build folder, sources that no target compiles are found too.
"""

import sys
from pathlib import Path

import bans
import dead_files
import docs
import exceptions
import layers
import shape
from source import Tree

RULES = layers.RULES | bans.RULES | shape.RULES | dead_files.RULES | docs.RULES | exceptions.RULES
TABLE = Path(__file__).with_name("layers.txt")


def run(root, build=None, table_path=TABLE):
    tree = Tree(root)
    table = layers.read_table(table_path)
    findings = [
        *layers.check(tree, table),
        *bans.check(tree, table),
        *shape.check(tree, table),
        *dead_files.check(tree, build),
        *docs.check(root),
    ]
    lowest = exceptions.past_ceilings(root)
    return sorted(exceptions.apply(findings, exceptions.read(root), lowest))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    root = Path(sys.argv[1]).resolve()
    build = Path(sys.argv[2]) if len(sys.argv) > 2 else root / "build/dev"
    findings = run(root, build)
    for finding in findings:
        print(finding)
    if findings:
        sys.exit(f"{len(findings)} findings; what each rule wants: tools/lint/README.md")
    print("lint: clean")


if __name__ == "__main__":
    main()
