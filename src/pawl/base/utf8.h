// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
//
//   utf8_prefix("f\xff")  ->  1        what follows is no UTF-8
//
// Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace pawl {

// Length of the well-formed sequence at the start of `text`, 0 if there is none. Of nothing it is 1.
size_t utf8_length(std::string_view text);

// How many bytes of `text` come before the first that is not UTF-8; all of them if there is none.
size_t utf8_prefix(std::string_view text);

}  // namespace pawl
