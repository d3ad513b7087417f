"""The tree as the lints see it: files with their code, comments and includes told apart."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

CPP_FOLDERS = ("src", "tests", "bench", "examples")
TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<d>[^()\\\s]{0,16})\(.*?\)(?P=d)"'
    r'|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Za-z_])\'(?:\\.|[^\'\\\n])+\'',
    re.S,
)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.M)


@dataclass(frozen=True, order=True)
class Finding:
    path: str
    line: int
    rule: str
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: [{self.rule}] {self.message}"


@dataclass
class Source:
    path: str  # relative to the root, with slashes
    text: str
    for_tests: bool = False  # a header that only tests, fuzzers and benchmarks include

    @property
    def is_header(self):
        return self.path.endswith(".h")

    @property
    def is_beside(self):
        """Tests, fuzzers, benchmarks and programs: what stands beside a library, not in it."""
        name = Path(self.path).name
        return self.for_tests or not self.path.startswith("src/") or bool(
            re.search(r"_(test|fuzz|bench)\.cc$|^main\.cc$|^fuzz_driver\.cc$", name)
        )

    @cached_property
    def _split(self):
        comments = []

        def blank(match):
            token = match.group(0)
            if token.startswith(("//", "/*")):
                comments.append((self.line_of(match.start()), token))
            return re.sub(r"[^\n]", " ", token)

        return TOKEN.sub(blank, self.text), comments

    @property
    def code(self):
        """The text with comments and literals blanked, every line where it was."""
        return self._split[0]

    @property
    def comments(self):
        return self._split[1]

    @cached_property
    def includes(self):
        """(line, header, is it written with quotes)"""
        return [
            (self.line_of(m.start(2)), m.group(2), m.group(1) == '"')
            for m in INCLUDE.finditer(self.text)
        ]

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1


@dataclass
class Library:
    name: str
    folder: str  # below src/pawl
    deps: list = field(default_factory=list)
    test_deps: list = field(default_factory=list)


class Tree:
    def __init__(self, root):
        self.root = Path(root)
        self.sources = [
            Source(path.relative_to(self.root).as_posix(), path.read_text(errors="replace"))
            for folder in CPP_FOLDERS
            for path in sorted((self.root / folder).rglob("*"))
            if path.suffix in (".h", ".cc") and path.is_file()
        ]
        self._find_headers_for_tests()
        self.libraries = {lib.folder: lib for lib in self._declared()}

    def _find_headers_for_tests(self):
        users = {}
        for source in self.sources:
            for _, header, _ in source.includes:
                users.setdefault("src/" + header, []).append(source)
        changed = True
        while changed:  # one such header may include another
            changed = False
            for source in self.sources:
                mine = users.get(source.path)
                if source.is_header and not source.for_tests and mine and all(u.is_beside for u in mine):
                    source.for_tests = changed = True

    def _declared(self):
        base = self.root / "src/pawl"
        for path in sorted(base.rglob("CMakeLists.txt")):
            call = re.search(r"^pawl_library\(([^)]*)\)", path.read_text(), re.M)
            if not call:
                continue
            words = call.group(1).split()
            lists = {"DEPS": [], "EXTERNAL": [], "TEST_DEPS": [], "LABELS": []}
            current = None
            for word in words[1:]:
                if word in lists:
                    current = lists[word]
                elif current is not None:
                    current.append(word)
            folder = path.parent.relative_to(base).as_posix()
            yield Library(words[0], folder, lists["DEPS"], lists["TEST_DEPS"])

    def folder_of(self, name):
        return next((lib.folder for lib in self.libraries.values() if lib.name == name), name)

    def closure(self, names):
        """The folders of these libraries and of all they depend on."""
        seen, todo = set(), list(names)
        while todo:
            folder = self.folder_of(todo.pop())
            if folder in seen:
                continue
            seen.add(folder)
            todo += self.libraries[folder].deps if folder in self.libraries else []
        return seen

    def owner(self, path):
        """The declared library whose folder holds src/pawl/... `path`, or None."""
        parts = Path(path).parts[2:-1] if path.startswith("src/pawl/") else ()
        for end in range(len(parts), 0, -1):
            found = self.libraries.get("/".join(parts[:end]))
            if found:
                return found
        return None
