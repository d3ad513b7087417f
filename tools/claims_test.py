"""What documents claim about the code: limits have the values shown, tests and defects named exist.

  python3 tools/claims_test.py REPOSITORY            fails where a document and the code part
  python3 tools/claims_test.py REPOSITORY --write    writes the values into docs/operations.md
  python3 tools/claims_test.py --self-test

Limits: rows of docs/operations.md under "Limits", 
"| `name` | value |" (all of model/limits.h, in its order) and "| `name` | `file below src/pawl` | value |". Tests: every name in the last column of a table whose
heading ends with "tests |", in docs/operations.md, docs/guarantees.md and docs/failures.md: `Suite.Test` of gtest,
`Case.test_name` of Python, a name of ctest, or a file. Defects: the rows under "The museum" in docs/simulation.md are those of
src/pawl/sim/museum*.cc, with their words.
"""

import re
import sys
import tempfile
from pathlib import Path

LIMITS = "src/pawl/model/limits.h"
HEADING = "\n## Limits\n"
MUSEUM_HEADING = "\n## The museum\n"
DOCUMENTS = ("docs/operations.md", "docs/guarantees.md", "docs/failures.md")
UNITS = {"nanoseconds": "ns", "microseconds": "us", "milliseconds": "ms", "seconds": "s", "minutes": "min",
         "hours": "h"}
FIELD = re.compile(r"^\s*(?:static )?(?:constexpr )?[\w:]+ (\w+) = ([^;]+);", re.M)
ROW = re.compile(r"^\| `(\w+)` \|(?: `([\w/.]+)` \|)? ([^|`]+) \| ([^|]*) \|$", re.M)
GTEST = re.compile(r"^(?:TEST|TEST_F|TEST_P|TYPED_TEST|TYPED_TEST_P)\(\s*(\w+),\s*(\w+)\)", re.M)
PYTHON = re.compile(r"^class (\w+)\(|^    def (test_\w+)\(", re.M)
CTEST = re.compile(r"(?:pawl_script_test\(|add_test\(NAME )([\w.${}]+)")


def shown(name, expression):
    """'64 MiB' for `64ull << 20` of a name with bytes in it; '10 s' for Duration::seconds(10)."""
    duration = re.fullmatch(r"Duration::(\w+)\(([\d']+)\)", expression)
    if duration:
        return f"{int(duration.group(2).replace(chr(39), '')):,} {UNITS[duration.group(1)]}"
    plain = re.sub(r"(?<=\d)(?:[uU]?[lL]{1,2}|[uU])\b", "", expression.replace("'", ""))
    if not re.fullmatch(r"[\d\s*<+()]+", plain):
        return None
    value = eval(plain)  # digits and operators alone
    if "bytes" not in name and name != "payload_inline_max":
        return f"{value:,}"
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if value >= size and value % size == 0:
            return f"{value // size} {unit}"
    return f"{value:,} bytes"


def values_in(text):
    return {name: shown(name, expression.strip()) for name, expression in FIELD.findall(text)}


def limit_faults(root, text):
    _, _, text = text.partition(HEADING)
    limits = values_in((root / LIMITS).read_text())
    rows = ROW.findall(text)
    listed = [name for name, file, _, _ in rows if not file]
    if listed != list(limits):
        yield f"docs/operations.md lists {listed}, {LIMITS} has {list(limits)}"
    for name, file, value, _ in rows:
        if file and not (root / "src/pawl" / file).exists():
            yield f"docs/operations.md: {name}: src/pawl/{file} does not exist"
            continue
        known = values_in((root / "src/pawl" / file).read_text()) if file else limits
        if known.get(name) != value:
            yield f"docs/operations.md: {name} is {known.get(name)}, not {value}"


def write(root):
    path = root / "docs/operations.md"
    limits = values_in((root / LIMITS).read_text())

    def row(match):
        name, file, _, what = match.groups()
        known = values_in((root / "src/pawl" / file).read_text()) if file else limits
        place = f" `{file}` |" if file else ""
        return f"| `{name}` |{place} {known[name]} | {what} |"

    before, heading, after = path.read_text().partition(HEADING)
    path.write_text(before + heading + ROW.sub(row, after))


def python_tests(text):
    case = ""
    for name, test in PYTHON.findall(text):
        case = name or case
        if test:
            yield f"{case}.{test}"


def known_tests(root):
    tests = set()
    for folder in ("src", "tests", "examples"):
        for path in (root / folder).rglob("*"):
            if path.suffix in (".cc", ".h"):
                tests |= {f"{suite}.{name}" for suite, name in GTEST.findall(path.read_text())}
            elif path.name.endswith("_test.py"):
                tests |= set(python_tests(path.read_text()))
            elif path.name == "CMakeLists.txt":
                tests |= set(CTEST.findall(path.read_text()))
                names = re.findall(r"foreach\(name IN ITEMS ([\w ]+)\)", path.read_text())
                tests |= {f"integration.{name}" for group in names for name in group.split()}
    return tests


def named_tests(text):
    """(line, name) of the last column of every table whose heading ends with `tests`."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("|"):
            inside = False
        elif line.rstrip().endswith("| tests |"):
            inside = True
        elif inside:
            for name in re.findall(r"`([^`]+)`", line.rstrip("| ").rsplit("|", 1)[1]):
                yield number, name


def test_faults(root, document, text, tests):
    found = list(named_tests(text))
    if not found:
        yield f"{document} names no test"
    for number, name in found:
        if name not in tests and not ("/" in name and (root / name).is_file()):
            yield f"{document}:{number}: there is no test {name}"


def museum_faults(root, text):
    listed = re.findall(r"^\| `(\w+)` \| (.*) \|$", text.partition(MUSEUM_HEADING)[2], re.M)
    code = "".join(path.read_text() for path in sorted((root / "src/pawl/sim").glob("museum*.cc")))
    shown = re.findall(r'\{"(\w+)",\s*"([^"]*)"', code)
    for name, incident in sorted(set(listed) ^ set(shown)):
        where = "src/pawl/sim has no" if (name, incident) in listed else "docs/simulation.md does not list the"
        yield f"{where} defect {name}: {incident}"


def faults(root):
    yield from museum_faults(root, (root / "docs/simulation.md").read_text())
    tests = known_tests(root)
    for document in DOCUMENTS:
        text = (root / document).read_text()
        yield from test_faults(root, document, text, tests)
        if document == DOCUMENTS[0]:
            yield from limit_faults(root, text)


def self_test():
    good = ("\n## Limits\n\n| limit | value | of what |\n|---|---|---|\n| `a_max` | 4,000 | x |\n| `b_bytes_max` | 8 MiB | x |\n"
            "| `c` | 10 s | x |\n| `d` | `e/f.h` | 3 | x |\n\n| what | tests |\n|---|---|\n| y | `S.T`, `t.one`, `P.test_a`, `Q.test_b` |\n")
    cases = {good: 0, good.replace("4,000", "4,001"): 1, good.replace("8 MiB", "9 MiB"): 1,
             good.replace("| `c` | 10 s | x |\n", ""): 1, good.replace("10 s", "10 ms"): 1,
             good.replace("`e/f.h` | 3", "`e/f.h` | 4"): 1, good.replace("f.h", "g.h"): 1,
             good.replace("S.T", "S.U"): 1, good.replace("t.one", "t.two"): 1,
             good.replace("P.test_a", "P.test_b"): 1,
             good.replace("`S.T`, `t.one`, `P.test_a`, `Q.test_b`", "none"): 1}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("src/pawl/model", "src/pawl/e", "tests", "docs"):
            (root / name).mkdir(parents=True)
        (root / LIMITS).write_text("  uint64_t a_max = 4'000;  // x\n  uint64_t b_bytes_max = 8 << 20;\n"
                                   "  Duration c = Duration::seconds(10);\n")
        (root / "src/pawl/e/f.h").write_text("constexpr int d = 3;\n")
        (root / "tests/a_test.cc").write_text("TEST(S, T) {}\n")
        (root / "tests/CMakeLists.txt").write_text("add_test(NAME t.one COMMAND x)\n")
        (root / "tests/p_test.py").write_text("class P(X):\n    def test_a(self):\n        pass\n\n\n"
                                               "class Q(P):\n    def test_b(self):\n        pass\n")
        (root / "src/pawl/sim").mkdir()
        (root / "src/pawl/sim/museum.cc").write_text('{"one", "a tale",\n  make}')
        for row, wanted in {"| `one` | a tale |": 0, "| `two` | a tale |": 2, "": 1}.items():
            assert len(list(museum_faults(root, f"\n## The museum\n\n{row}\n"))) == wanted, row
        for text, wanted in cases.items():
            tests = known_tests(root)
            found = [*test_faults(root, "d", text, tests), *limit_faults(root, text)]
            assert len(found) == wanted, (text, found)
    print(f"claims_test: {len(cases)} seeded documents judged rightly")


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    root = Path(sys.argv[1])
    if "--write" in sys.argv:
        write(root)
    if found := list(faults(root)):
        sys.exit("\n".join(found))
    print("claims_test: limits and tests are as the documents say")


if __name__ == "__main__":
    main()
