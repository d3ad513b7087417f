// Where a value may stand in a shell line: as a word, or a part of one, outside of quotes. It comes in
// single quotes of its own (worker/render.h), which protect it nowhere else.
//
//   shell_trouble(scan_template("echo Hello ${ .name }").text)        -> nothing
//   shell_trouble(scan_template("echo \"Hello ${ .name }\"").text)    -> {.part = 1, .where = "inside \"...\""}
//
// Follows the quoting of the POSIX shell, and keeps to what dash and bash read alike: behind anything
// else (`$'\n'`, a `case` inside `$( )`) no value may stand. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "pawl/model/expression.h"

namespace pawl {

struct ShellTrouble {
  size_t part = 0;    // of the template: the first expression that may not stand where it does
  std::string where;  // "inside \"...\""
};

std::optional<ShellTrouble> shell_trouble(const Template& line);

// What to write instead, for whoever has an expression or a placeholder there.
std::string shell_advice(std::string_view value);

}  // namespace pawl
