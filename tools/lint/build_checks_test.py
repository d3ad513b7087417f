"""The checks that the build itself makes must be able to fail.

Configures a small project of libraries, each with one mistake, and expects its build to refuse each:

  python3 tools/lint/build_checks_test.py REPOSITORY
"""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

REPOSITORY = Path(sys.argv.pop() if len(sys.argv) > 1 else ".").resolve()
FILES = {
    "CMakeLists.txt": f"""cmake_minimum_required(VERSION 3.25)
project(seeded LANGUAGES CXX)
set(CMAKE_CXX_STANDARD 20)
include({REPOSITORY}/cmake/pawl.cmake)
add_subdirectory(src/pawl/low)
add_subdirectory(src/pawl/declared)
add_subdirectory(src/pawl/undeclared)
add_subdirectory(src/pawl/leaning)
""",
    "src/pawl/low/CMakeLists.txt": "pawl_library(low)\n",
    "src/pawl/low/low.h": "int low();\n",
    "src/pawl/low/low.cc": '#include "pawl/low/low.h"\nint low() { return 1; }\n',
    "src/pawl/declared/CMakeLists.txt": "pawl_library(declared DEPS low)\n",
    "src/pawl/declared/a.cc": '#include "pawl/low/low.h"\nint a();\nint a() { return low(); }\n',
    "src/pawl/undeclared/CMakeLists.txt": "pawl_library(undeclared)\n",
    "src/pawl/undeclared/a.cc": '#include "pawl/low/low.h"\nint b();\nint b() { return low(); }\n',
    "src/pawl/leaning/CMakeLists.txt": "pawl_library(leaning)\n",
    "src/pawl/leaning/leaning.h": "inline std::string s() { return {}; }\n",
}


class BuildChecks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        root = Path(cls.folder.name)
        for name, text in FILES.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        configure = ["cmake", "-S", root, "-B", root / "build", "-G", "Ninja"]
        done = subprocess.run(configure, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def build(self, target):
        command = ["cmake", "--build", f"{self.folder.name}/build", "--target", target]
        return subprocess.run(command, capture_output=True, text=True)

    def test_a_declared_dependency_links(self):
        done = self.build("declared_links")
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_an_undeclared_dependency_does_not_link(self):
        done = self.build("undeclared_links")
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stdout, "undefined symbol.*low|undefined reference.*low")

    def test_a_header_that_leans_on_others_does_not_compile(self):
        done = self.build("leaning_headers")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("leaning.h", done.stdout)


if __name__ == "__main__":
    unittest.main()
