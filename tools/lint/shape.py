"""Sizes: a function fits on a screen, a file in a head, a README on a page."""

import re
from pathlib import Path

from source import Finding

FUNCTION_MAX, HEADER_MAX, FILE_MAX, README_MAX = 70, 300, 800, 40
RULES = {
    "shape.function": f"a function over {FUNCTION_MAX} lines",
    "shape.header": f"a header over {HEADER_MAX} lines",
    "shape.file": f"a file over {FILE_MAX} lines",
    "shape.readme": f"a library's README.md is missing or over {README_MAX} lines",
}
SCOPE = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b")


def blank_directives(code):
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), code,
                  flags=re.M)


def functions(source):
    """(first line, number of lines, name) of every function body, by counting braces."""
    code = blank_directives(source.code)
    stack, start = [], 0  # stack of scopes; start: where the current statement began
    body = None  # (depth, offset of the signature, name)
    for match in re.finditer(r"[{};]", code):
        at, what = match.start(), match.group(0)
        if what == "{":
            head = code[start:at].strip()
            stack.append(head)
            if body is None and "(" in head and not re.match(r"(?:export\s+)?(?:inline\s+)?namespace\b", head):
                plain = re.sub(r"<[^<>]*>", "", head)
                if not SCOPE.search(plain.split("(")[0]) and not re.search(r"=\s*$", plain):
                    name = re.search(r"([\w:~]+)\s*\(", plain)
                    offset = start + len(code[start:at]) - len(code[start:at].lstrip())
                    body = (len(stack), offset, name.group(1) if name else "?")
        elif what == "}" and stack:
            if body and body[0] == len(stack):
                first, last = source.line_of(body[1]), source.line_of(at)
                yield first, last - first + 1, body[2]
                body = None
            stack.pop()
        start = match.end()


def check(tree, table):
    del table
    for source in tree.sources:
        lines = source.text.count("\n")
        if source.is_header and lines > HEADER_MAX:
            yield Finding(source.path, 1, "shape.header", f"{lines} lines, at most {HEADER_MAX}")
        elif lines > FILE_MAX:
            yield Finding(source.path, 1, "shape.file", f"{lines} lines, at most {FILE_MAX}")
        for first, count, name in functions(source):
            if count > FUNCTION_MAX:
                message = f"{name} has {count} lines, at most {FUNCTION_MAX}"
                yield Finding(source.path, first, "shape.function", message)
    for path in sorted((tree.root / "tools").rglob("*.py")):
        lines = path.read_text().count("\n")
        if lines > FILE_MAX:
            yield Finding(path.relative_to(tree.root).as_posix(), 1, "shape.file", f"{lines} lines")
    for folder in tree.libraries:
        readme = Path("src/pawl") / folder / "README.md"
        whole = tree.root / readme
        if not whole.exists():
            yield Finding(str(readme), 1, "shape.readme", "missing: what it owns, what it refuses to know")
        elif (lines := whole.read_text().count("\n")) > README_MAX:
            yield Finding(str(readme), 1, "shape.readme", f"{lines} lines, at most {README_MAX}")
