"""docs/protocol.md against proto/pawl/v1/*.proto: every service, call, message, field and value.

  python3 tools/protocol_test.py REPOSITORY            says where page and files part
  python3 tools/protocol_test.py REPOSITORY --print    the page's tables as they should be
  python3 tools/protocol_test.py --self-test
"""

import re
import sys
from pathlib import Path

FIELD = re.compile(r"^\s*(repeated |optional )?([\w.]+) (\w+) = (\d+)(?: \[[^\]]*\])?;", re.M)
VALUE = re.compile(r"^\s*(\w+) = (\d+);", re.M)
CALL = re.compile(r"rpc (\w+)\((stream )?(\w+)\) returns \((stream )?(\w+)\)")
ROW = re.compile(r"^\| `(\w+)` \| (.*) \|$", re.M)


def blocks(text):
    """(kind, name, body) of every block at the top of a file, braces counted."""
    text = re.sub(r"//[^\n]*", "", text)
    for start in re.finditer(r"^(message|enum|service) (\w+) \{", text, re.M):
        depth, at = 1, start.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
        yield start.group(1), start.group(2), text[start.end():at - 1]


def described(kind, body):
    if kind == "service":
        return ", ".join(f"`{name}({'stream ' if a else ''}{asked}) -> {'stream ' if b else ''}{told}`"
                         for name, a, asked, b, told in CALL.findall(body))
    if kind == "enum":
        return ", ".join(f"`{name}` {number}" for name, number in VALUE.findall(body))
    fields = ", ".join(f"`{name}` {number} {label}{kind}"
                       for label, kind, name, number in FIELD.findall(body))
    return fields or "none"


def wanted(files):
    return {name: described(kind, body) for text in files for kind, name, body in blocks(text)}


def faults(page, files):
    there = dict(ROW.findall(page))
    should = wanted(files)
    for name in sorted(should.keys() | there.keys()):
        if name not in there:
            yield f"{name} has no row"
        elif name not in should:
            yield f"row `{name}` names nothing in proto/"
        elif there[name] != should[name]:
            yield f"{name} is\n    {should[name]}\n  but the page says\n    {there[name]}"


def self_test():
    proto = ("service S {\n  // Says.\n  rpc Do(stream A) returns (B);\n}\n"
             "message A {\n  oneof x {\n    bytes y = 1;  // why\n    B z = 2;\n  }\n  repeated E e = 3 [packed = true];\n"
             "  optional pawl.v1.B b = 4;\n}\n"
             "message B {}\nenum E {\n  NONE = 0;\n  ONE = 1;\n}\n")
    good = ("| `S` | `Do(stream A) -> B` |\n| `A` | `y` 1 bytes, `z` 2 B, `e` 3 repeated E, `b` 4 optional pawl.v1.B |\n"
            "| `B` | none |\n| `E` | `NONE` 0, `ONE` 1 |\n")
    assert list(faults(good, [proto])) == []
    assert list(faults(good.replace("`z` 2", "`z` 4"), [proto]))
    assert list(faults(good + "| `Gone` | none |\n", [proto])) == ["row `Gone` names nothing in proto/"]
    assert list(faults(good.replace("| `B` | none |\n", ""), [proto])) == ["B has no row"]


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    root = Path(sys.argv[1])
    files = [path.read_text() for path in sorted(root.glob("proto/pawl/v1/*.proto"))]
    if sys.argv[2:] == ["--print"]:
        for name, text in wanted(files).items():
            print(f"| `{name}` | {text} |")
        return None
    found = list(faults((root / "docs/protocol.md").read_text(), files))
    for fault in found:
        print(f"docs/protocol.md: {fault}")
    if found:
        print("tools/protocol_test.py REPOSITORY --print shows the rows as they should be")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
