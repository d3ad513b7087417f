// As much of jq's grammar as it takes to find the end of a piece of it: strings with what is
// interpolated in them, comments, and brackets of one kind.
#pragma once

#include <cstddef>
#include <string_view>

namespace pawl {

// Behind the `close`, a ) or }, of the bracket that was opened before text[at]; npos: there is none,
// or strings are nested too deep. Brackets of other kinds are left to jq, except that a string may
// hold any of them.
size_t end_of_jq(std::string_view text, size_t at, char close);

}  // namespace pawl
