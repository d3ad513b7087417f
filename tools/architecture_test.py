"""docs/architecture.md against the tree, and the structure of every Mermaid diagram in docs/.

  python3 tools/architecture_test.py REPOSITORY
  python3 tools/architecture_test.py --self-test

Every folder of src/pawl has a row in the document; every row names a folder of the tree or of the
plan (tools/lint/layers.txt); the ports named are the interfaces in src/pawl/port; every diagram has a
known kind, balanced brackets, quotes and blocks, and lines of that kind's grammar.
"""

import re
import sys
from pathlib import Path

ROW = re.compile(r"^\| `([\w/]+)` \|", re.M)
INTERFACE = re.compile(r"^class (\w+) (?:final )?(?:: public \w+(?:, public \w+)* )?\{\n public:\n  virtual ", re.M)
HELD_BY_ANOTHER = {"File", "LogReader", "ViewCursor", "Actor"}  # handed out or taken by a port
NODE = r"\w+(?:\[\([^\[\]()]+\)\]|\[[^\[\]]+\])?"
ARROW = r"(?:-->|---|-\.[^.]+\.->| -- [^-]+ -->)"
FLOW = re.compile(rf"(?:subgraph {NODE}|end|{NODE}(?:\s*{ARROW}\s*{NODE})*)")
SEQUENCE = re.compile(r"(?:participant \w+(?: as .+)?|Note (?:over|left of|right of) \w+(?:,\w+)?: .+"
                      r"|\w+-?->>\w+: .+)")


def section(text, heading):
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    return found.group(1) if found else ""


def folders(root):
    source = root / "src/pawl"
    return {str(p.parent.relative_to(source)) for p in source.rglob("CMakeLists.txt")} - {"."}


def planned(root):
    lines = (root / "tools/lint/layers.txt").read_text().splitlines()
    return {line.split()[0] for line in lines if line and not line.startswith("#")}


def tree_faults(text, present, plan):
    rows = set(ROW.findall(section(text, "The tree")))
    yield from (f"{name} has no row under 'The tree'" for name in sorted(present - rows))
    yield from (f"row `{name}` names no folder" for name in sorted(rows - present - plan))


def port_faults(text, interfaces):
    rows = set(ROW.findall(section(text, "The ports")))
    yield from (f"port {name} has no row" for name in sorted(interfaces - rows))
    yield from (f"row `{name}` names no port" for name in sorted(rows - interfaces))


def diagram_faults(text):
    for diagram in re.findall(r"^```mermaid\n(.*?)^```", text, re.M | re.S):
        first, *lines = [line.strip() for line in diagram.splitlines() if line.strip()]
        if re.fullmatch(r"(flowchart|graph) (TD|TB|LR|RL|BT)", first):
            grammar = FLOW
        elif first == "sequenceDiagram":
            grammar = SEQUENCE
        else:
            yield f"unknown kind of diagram: {first}"
            continue
        yield from (f"not understood: {line}" for line in lines if not grammar.fullmatch(line))
        opened = sum(line.startswith("subgraph") for line in lines)
        if grammar is FLOW and opened != lines.count("end"):
            yield f"{opened} subgraphs, {lines.count('end')} ends"
        if grammar is SEQUENCE:
            known = {line.split()[1] for line in lines if line.startswith("participant")}
            used = {name for line in lines for name in re.findall(r"^(\w+)-?->>(\w+):", line)}
            yield from (f"unknown participant {name}" for pair in used for name in pair if name not in known)


def check(root):
    text = (root / "docs/architecture.md").read_text()
    headers = "\n".join(p.read_text() for p in sorted((root / "src/pawl/port").glob("*.h")))
    faults = list(tree_faults(text, folders(root), planned(root)))
    faults += port_faults(text, set(INTERFACE.findall(headers)) - HELD_BY_ANOTHER)
    if text.count("```mermaid") < 3:
        faults.append("a component, a sequence and a deployment diagram are expected")
    for document in sorted((root / "docs").rglob("*.md")):
        faults += (f"{document.name}: {fault}" for fault in diagram_faults(document.read_text()))
    return faults


def self_test():
    doc = "## The tree\n\n| `a` | x |\n| `gone` | x |\n\n## The ports\n\n| `Log` | x |\n"
    assert list(tree_faults(doc, {"a"}, {"gone"})) == []
    assert len(list(tree_faults(doc, {"a", "b"}, set()))) == 2
    assert len(list(port_faults(doc, {"View"}))) == 2
    def faults(diagram):
        return len(list(diagram_faults(f"```mermaid\n{diagram}\n```\n")))
    assert faults("flowchart TD\na[x] --> b[(y)]\nsubgraph c[z]\nd -.e.-> f\nend") == 0
    assert faults("flowchart TD\na[x --> b") == 1
    assert faults("flowchart TD\nsubgraph a") == 1
    assert faults("pie") == 1
    assert faults("sequenceDiagram\nparticipant A\nA->>A: x") == 0
    assert faults("sequenceDiagram\nparticipant A\nA->>B: x") == 1
    assert faults("sequenceDiagram\nA to B") == 1
    assert INTERFACE.findall("class X {\n public:\n  virtual ~X() = default;\n") == ["X"]


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        self_test()
    else:
        found = check(Path(sys.argv[1]))
        print("\n".join(found))
        sys.exit(bool(found))
