"""The seal of the pure zone: which symbols its archives want from outside, and what they can write to.

  python3 tools/lint/seal.py LIBRARY=ARCHIVE ...

An include lint sees what is written; this sees what is linked, whatever hid it. Libraries that
layers.txt does not call pure are passed over. A symbol is allowed when it is ours, part of the
standard library's strings, containers and allocation, or a function of memory and strings (shared
pointers ask whether there are threads); clocks,
threads, files, randomness and the environment are not. Writable data would be a global.
"""

import re
import subprocess
import sys
from pathlib import Path

import layers

TABLE = Path(__file__).with_name("layers.txt")
ALLOWED = re.compile(
    r"""pawl::|(vtable|typeinfo|typeinfo\ name|VTT|guard\ variable)\ for\ (pawl::|__cxxabiv1::|std::bad_|std::exception)
  | operator\ (new|delete)
  | (non-virtual|virtual)\ thunk\ to\ pawl::
  | std::__throw_ | std::nothrow$ | std::terminate | std::__glibcxx_assert_fail | std::__detail::_Prime_rehash_policy
  | std::exception:: | std::allocator< | std::_Rb_tree_ | std::__detail::_List_node_base | std::bad_\w+::
  | (\w.*\ )?std::(__cxx11::)?basic_string<char | std::from_chars | std::to_chars
  | (mem(cpy|move|set|cmp|chr|mem|rchr)|bcmp|str(len|cmp|ncmp|chr|rchr|nlen))$
  | __(memcpy|memmove|memset|strcpy)_chk$ | __cxa_(atexit|guard|begin|end|throw|rethrow|pure|free|allocate|call)
  | __gxx_personality_v0$ | __dso_handle$ | __libc_single_threaded$ | _Unwind_Resume$ | __stack_chk_fail$ | _GLOBAL_OFFSET_TABLE_$ | abort$
  | __(u?div|u?mod)ti[34]$ | __popcountdi2$ | strto(u?ll?)$
""",
    re.X,
)
EXTRA = {"base": re.compile(r"(__cpu_model|fprintf|fputs|fwrite|__fprintf_chk|stderr|s?n?printf|__snprintf_chk)$")}
# Constant in the source, though it lies where it could be written: initialised at its first use.
CONSTANTS = re.compile(r"DW\.ref\.|(guard variable for )?pawl::Payload::text(\[abi:cxx11\])?\(\) const::null_text$")
WRITABLE = re.compile(r"\.(data|bss|tdata|tbss)(\.(?!rel\.ro)|$)")


def nm(archive, *options):
    run = subprocess.run(["nm", "-C", "--format=sysv", *options, archive], capture_output=True, text=True,
                         check=True)
    for line in run.stdout.splitlines():
        parts = [part.strip() for part in line.split("|")]
        if len(parts) == 7 and parts[0] != "Name":
            yield parts[0], parts[2], parts[6]


def findings(library, archive):
    defined = {name for name, kind, _ in nm(archive) if kind not in "Uu"}
    extra = EXTRA.get(library)
    for name in sorted({name for name, kind, _ in nm(archive, "-u") if kind == "U"} - defined):
        if not ALLOWED.match(name) and not (extra and extra.match(name)):
            yield f"{library}: wants {name}"
    for name, _, section in nm(archive):
        if WRITABLE.match(section) and not CONSTANTS.match(name):
            yield f"{library}: {name} lies in {section}: a global that can be written"


def main():
    table = layers.read_table(TABLE)
    sealed, broken = 0, []
    for argument in sys.argv[1:]:
        library, _, archive = argument.partition("=")
        if library in table and table[library].zone == "pure":
            sealed += 1
            broken += findings(library, archive)
    print("\n".join(broken) or f"seal: {sealed} pure libraries want nothing from the world")
    if broken or not sealed:
        sys.exit(1)


if __name__ == "__main__":
    main()
