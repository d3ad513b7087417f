"""Includes against layers.txt: arrows point down only, third-party headers stay behind their door."""

import fnmatch
from dataclasses import dataclass
from pathlib import Path

from source import Finding

RULES = {
    "layer.table": "layers.txt itself lets an arrow point up",
    "layer.unlisted": "a library without a line in layers.txt",
    "layer.include": "an include of a library that layers.txt does not allow",
    "layer.undeclared": "an include of a library that CMakeLists.txt does not name in DEPS",
    "layer.foreign": "a third-party or system header where it may not be",
    "layer.lean": "a heavy standard header in a header",
    "layer.pure": "a standard header that the pure zone does not know",
    "layer.first": "a .cc file that does not include its own header first",
}

PURE_STD = set(
    "algorithm array bit bitset charconv cinttypes climits compare concepts cstddef cstdint "
    "cstring deque initializer_list iterator limits list map memory new numeric optional queue set "
    "span stack string string_view tuple type_traits unordered_map unordered_set utility variant "
    "vector version".split()
)
OTHER_STD = set(
    "any atomic barrier cctype cassert cerrno cfenv cfloat chrono clocale cmath codecvt complex "
    "condition_variable coroutine csetjmp csignal cstdarg cstdio cstdlib ctime cuchar cwchar cwctype "
    "exception execution filesystem forward_list fstream functional future iomanip ios iosfwd "
    "iostream istream latch locale memory_resource mutex numbers ostream random ranges ratio regex "
    "scoped_allocator semaphore shared_mutex source_location sstream stdexcept stop_token streambuf "
    "strstream syncstream system_error thread typeindex typeinfo valarray".split()
)
HEAVY = {"chrono", "functional", "regex", "ranges", "iostream"}
GENERATED = "pawl/v1/"  # from proto/: as third-party as gRPC itself
SYSTEM = (
    "sys/*", "linux/*", "netinet/*", "arpa/*", "net/*", "asm/*", "bits/*", "unistd.h", "fcntl.h",
    "poll.h", "signal.h", "spawn.h", "pthread.h", "sched.h", "dirent.h", "termios.h", "pwd.h",
    "grp.h", "errno.h", "netdb.h", "dlfcn.h", "glob.h", "ftw.h", "time.h", "stdio.h", "stdlib.h",
    "string.h", "limits.h", "malloc.h", "getopt.h", "immintrin.h", "nmmintrin.h", "x86intrin.h",
    "wmmintrin.h", "cpuid.h", "locale.h", "langinfo.h", "wchar.h", "pty.h", "utmp.h", "ucontext.h",
    "execinfo.h", "fnmatch.h", "endian.h", "mntent.h",
)


@dataclass
class Layer:
    level: int
    zone: str
    allowed: set
    extra: tuple
    line: int


def read_table(path):
    table = {}
    for number, line in enumerate(Path(path).read_text().splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        name, level, zone, allowed, extra = words
        table[name] = Layer(
            int(level),
            zone,
            set() if allowed == "-" else set(allowed.split(",")),
            () if extra == "-" else tuple(extra.split(",")),
            number,
        )
    for layer in table.values():
        if "*" in layer.allowed:
            layer.allowed = {n for n, other in table.items() if other.level < layer.level}
    return table


def table_findings(table, path="tools/lint/layers.txt"):
    for name, layer in table.items():
        for other in sorted(layer.allowed):
            if other not in table:
                yield Finding(path, layer.line, "layer.table", f"{name} names {other}, which has no line")
            elif table[other].level >= layer.level:
                yield Finding(path, layer.line, "layer.table", f"{name} may not stand on {other}")
            elif layer.zone == "pure" and table[other].zone not in ("pure", "port"):
                yield Finding(path, layer.line, "layer.table", f"{name} is pure, {other} is not")


def matches(header, patterns):
    return any(fnmatch.fnmatch(header, pattern) for pattern in patterns)


def foreign(source, layer, line, header, beside):
    """What an include of a header that is neither ours nor of the pure list breaks."""
    if header in PURE_STD:
        return None
    listed = matches(header, layer.extra)
    if header in OTHER_STD or matches(header, SYSTEM):
        if source.is_header and header in HEAVY:
            return Finding(source.path, line, "layer.lean", f"<{header}> is too heavy for a header")
        allowed = layer.zone == "world" or (layer.zone in ("std", "port") and header in OTHER_STD)
        if allowed or beside or (listed and not source.is_header):
            return None
        return Finding(source.path, line, "layer.pure", f"<{header}> is not for a library of the zone {layer.zone}")
    if beside and header.startswith("gtest/"):
        return None
    if listed and (not source.is_header or header.startswith("gtest/")):
        return None
    where = "a header" if source.is_header else "this library (layers.txt, column extra)"
    return Finding(source.path, line, "layer.foreign", f"<{header}> may not be included in {where}")


def own(source, library, layer, tree, line, header, beside):
    """What an include of one of our own headers breaks."""
    target = tree.owner("src/" + header)
    folder = target.folder if target else str(Path(header).parent).removeprefix("pawl/")
    if library is None or folder == library.folder:
        return
    if beside:
        if folder not in tree.closure([library.name, *library.test_deps]):
            yield Finding(source.path, line, "layer.undeclared", f"{folder} is not in DEPS or TEST_DEPS")
        return
    if folder not in layer.allowed:
        yield Finding(source.path, line, "layer.include", f"{library.folder} may not know {folder}")
    elif folder not in tree.closure(library.deps):
        yield Finding(source.path, line, "layer.undeclared", f"{folder} is not in DEPS")


def first_header(source, paths):
    stem = source.path.removesuffix(".cc")
    if source.is_beside or source.is_header or stem + ".h" not in paths:
        return
    wanted = stem.removeprefix("src/") + ".h"
    if not source.includes or source.includes[0][1] != wanted:
        yield Finding(source.path, 1, "layer.first", f'"{wanted}" comes first')


def check(tree, table):
    yield from table_findings(table)
    paths = {source.path for source in tree.sources}
    for folder in tree.libraries:
        if folder not in table:
            path = f"src/pawl/{folder}/CMakeLists.txt"
            yield Finding(path, 1, "layer.unlisted", f"{folder} has no line in tools/lint/layers.txt")
    for source in tree.sources:
        library = tree.owner(source.path)
        layer = table.get(library.folder) if library else Layer(9, "world", set(), ("*",), 0)
        if layer is None:
            continue
        yield from first_header(source, paths)
        for line, header, _ in source.includes:
            if header.startswith("pawl/") and not header.startswith(GENERATED):
                yield from own(source, library, layer, tree, line, header, source.is_beside)
            else:
                found = foreign(source, layer, line, header, source.is_beside)
                if found:
                    yield found
