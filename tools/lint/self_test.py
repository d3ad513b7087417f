"""Each rule of each lint must catch a violation planted for it; a clean tree must stay clean.

A rule without a seed here fails the test: a lint that cannot fail is no lint.
"""

import subprocess
import tempfile
import unittest
from pathlib import Path

import exceptions
import layers
import lint
import seal
from source import Source
from shape import functions

LIB = "src/pawl/base"
CLEAN = {
    f"{LIB}/CMakeLists.txt": "pawl_library(base)\n",
    f"{LIB}/README.md": "# base\n",
    f"{LIB}/a.h": "#include <string>\nstruct A { std::string s; };\n",
    f"{LIB}/a.cc": '#include "pawl/base/a.h"\nint f() { return 1; }\n',
    "src/pawl/model/CMakeLists.txt": "pawl_library(model DEPS base)\n",
    "src/pawl/model/README.md": "# model\n",
    "src/pawl/model/m.h": "#include <vector>\n",
    "src/pawl/model/m.cc": '#include "pawl/model/m.h"\n#include "pawl/base/a.h"\n',
    "src/pawl/engine/CMakeLists.txt": "pawl_library(engine DEPS model)\n",
    "src/pawl/engine/README.md": "# engine\n",
    "src/pawl/engine/e.cc": "#include <unistd.h>\n#include <thread>\nint g() { return 2; }\n",
    "CHANGELOG.md": "## [Unreleased]\n",
    "README.md": "# A\n\n[a](#a) [b](src/pawl/base/README.md)\n\n```sh\ntrue\n```\n",
}
LONG = "int f() {\n" + "  g();\n" * 80 + "}\n"
SEEDS = {
    "layer.unlisted": {"src/pawl/odd/CMakeLists.txt": "pawl_library(odd)\n"},
    "layer.include": {f"{LIB}/b.cc": '#include "pawl/model/m.h"\n'},
    "layer.undeclared": {"src/pawl/engine/b.cc": '#include "pawl/port/clock.h"\n'},
    "layer.foreign": {"src/pawl/engine/b.cc": "#include <rocksdb/db.h>\n"},
    "layer.lean": {"src/pawl/engine/b.h": "#include <functional>\n"},
    "layer.pure": {f"{LIB}/b.cc": "#include <chrono>\n"},
    "layer.first": {f"{LIB}/a.cc": '#include <string>\n#include "pawl/base/a.h"\n'},
    "ban.float": {f"{LIB}/b.cc": "double ratio = 0;\n"},
    "ban.thread": {f"{LIB}/b.cc": "std::mutex lock;\n"},
    "ban.time": {f"{LIB}/b.cc": "auto t = time(nullptr);\n"},
    "ban.random": {f"{LIB}/b.cc": "int d = rand();\n"},
    "ban.io": {f"{LIB}/b.cc": 'auto home = std::getenv("HOME");\n'},
    "ban.throw": {"src/pawl/engine/b.cc": "void f() { throw 1; }\n"},
    "ban.sleep": {"src/pawl/engine/b_test.cc": "void f() { usleep(5); }\n"},
    "ban.distribution": {"src/pawl/engine/b.cc": "std::uniform_int_distribution<int> d;\n"},
    "ban.hash": {"src/pawl/engine/b.cc": "std::hash<int> h;\n"},
    "ban.using": {"src/pawl/engine/b.cc": "using namespace std;\n"},
    "ban.unordered": {
        f"{LIB}/b.h": "struct B { std::unordered_map<int, std::vector<int>> seats_; };\n",
        f"{LIB}/b.cc": '#include "pawl/base/b.h"\n' "void f(B& b) { for (auto& [k, v] : b.seats_) g(k, v); }\n",
    },
    "ban.word": {"src/pawl/engine/b.cc": "// To" + "do: everything\n"},
    "ban.name": {"src/pawl/engine/file_utils.cc": "int x();\n"},
    "shape.function": {"src/pawl/engine/b.cc": "namespace a {\nclass B {\n" + LONG + "};\n}\n"},
    "shape.header": {"src/pawl/engine/b.h": "\n" * 301},
    "shape.file": {"src/pawl/engine/b.cc": "\n" * 801},
    "shape.readme": {f"{LIB}/README.md": "long\n" * 41},
    "dead.header": {"src/pawl/engine/nobody.h": "int n();\n"},
    "dead.source": {"build/compile_commands.json": "[]"},
    "docs.link": {"docs/a.md": "[there](nowhere.md)\n"},
    "docs.fence": {"docs/a.md": "```\nx\n```\n"},
    "docs.no_test": {"docs/a.md": "<!-- no-test: needs a cluster -->\n```sh\nfalse\n```\n"},
    "docs.quote": {"docs/a.md": "<!-- from: src/pawl/base/a.cc -->\n```cpp\nint f() { return 2; }\n```\n"},
    "docs.adr": {"docs/adr/0001-a.md": "# 0001: A\n\n## Status\n\n## Context\n\n## Decision\n"},
    "docs.changelog": {"CHANGELOG.md": "# nothing\n"},
    "exceptions.stale": {exceptions.FILE: "ceiling ban.float 1\nban.float src/pawl/base/a.cc 1 once\n"},
    "exceptions.ceiling": {
        exceptions.FILE: "ban.float src/pawl/base/b.cc 1 why\n",
        f"{LIB}/b.cc": "double x();\n",
    },
}
ELSEWHERE = {"layer.table", "exceptions.risen"}  # tests of their own below


def rules_found(files):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, text in {**CLEAN, **files}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        for header in ("m", "b"):  # every header but the dead one is included somewhere
            includes = f'#include "pawl/base/{header}.h"\n#include "pawl/engine/{header}.h"\n'
            (root / f"tests/{header}_user.cc").parent.mkdir(exist_ok=True)
            (root / f"tests/{header}_user.cc").write_text(includes)
        return [finding.rule for finding in lint.run(root, root / "build")]


class Lints(unittest.TestCase):
    def test_a_clean_tree_is_clean(self):
        self.assertEqual(rules_found({}), [])

    def test_every_rule_has_a_seed(self):
        self.assertEqual(set(lint.RULES), set(SEEDS) | ELSEWHERE)

    def test_every_seed_is_caught(self):
        for rule, files in SEEDS.items():
            with self.subTest(rule=rule):
                self.assertIn(rule, rules_found(files))

    def test_an_exception_covers_its_finding_and_nothing_more(self):
        listed = {exceptions.FILE: "ceiling ban.float 1\nban.float src/pawl/base/b.cc 1 why\n"}
        self.assertEqual(rules_found({**listed, f"{LIB}/b.cc": "double x();\n"}), [])
        self.assertEqual(rules_found({**listed, f"{LIB}/b.cc": "double x();\nfloat y();\n"}),
                         ["ban.float", "ban.float"])

    def test_a_ceiling_may_not_rise(self):
        kept = exceptions.apply([], "ceiling ban.float 2\n", {"ban.float": 1})
        self.assertEqual([finding.rule for finding in kept], ["exceptions.risen"])

    def test_comments_and_literals_are_not_code(self):
        text = 'auto s = "throw"; auto r = R"x(double)x"; // float\nint n = 1\'000\'000; char c = \'"\';\n'
        code = Source("src/a.cc", text).code
        for word in ("throw", "double", "float"):
            self.assertNotIn(word, code)
        self.assertIn("1'000'000", code)

    def test_a_header_of_tests_alone_is_a_test(self):
        fixture = {f"{LIB}/fixture.h": "#include <gtest/gtest.h>\n"}
        user = '#include "pawl/base/fixture.h"\n'
        self.assertEqual(rules_found({**fixture, f"{LIB}/a_test.cc": user}), [])
        self.assertEqual(rules_found({**fixture, f"{LIB}/b.cc": user}), ["layer.foreign"])

    def test_functions_are_measured_where_they_stand(self):
        text = "namespace a {\nint x[] = {1, 2};\nstruct S {\n  int f() const {\n    return 1;\n  }\n};\n" \
               "void g(int a) {\n  auto l = [] {\n  };\n}\n}\n"
        found = [(name, lines) for _, lines, name in functions(Source("src/a.cc", text))]
        self.assertEqual(found, [("f", 3), ("g", 4)])


class Layers(unittest.TestCase):
    def test_an_upward_arrow_in_the_table_is_caught(self):
        table = layers.read_table(lint.TABLE)
        self.assertEqual(list(layers.table_findings(table)), [])
        table["base"].allowed = {"engine"}
        self.assertEqual([f.rule for f in layers.table_findings(table)], ["layer.table"])


class Seal(unittest.TestCase):
    def broken(self, code):
        with tempfile.TemporaryDirectory() as folder:
            source, archive = Path(folder) / "a.cc", Path(folder) / "a.o"
            source.write_text(code)
            subprocess.run(["g++", "-O1", "-c", "-o", archive, source], check=True)
            return list(seal.findings("model", archive))

    def test_pure_code_passes(self):
        self.assertEqual(self.broken("#include <string>\nnamespace pawl { const char* const names[] = {\"a\"};"
                                     "std::string f() { return names[0]; } }"), [])

    def test_a_clock_is_caught(self):
        code = "#include <ctime>\nlong f() { timespec t; clock_gettime(0, &t); return t.tv_sec; }"
        self.assertEqual(self.broken(code), ["model: wants clock_gettime"])

    def test_a_global_is_caught(self):
        self.assertEqual(len(self.broken("int counter = 7;")), 1)


if __name__ == "__main__":
    unittest.main()
