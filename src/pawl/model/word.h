// How ids and queues are named.
//
//   is_word("part-1", "_-")  ->  true
//
// Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace pawl {

constexpr size_t id_bytes_max = 128;

// 1 to id_bytes_max letters, digits and characters of `extra`.
bool is_word(std::string_view text, std::string_view extra);

inline bool is_queue_name(std::string_view text) {
  return is_word(text, "_-.");
}
constexpr std::string_view queue_name_rule =
    "a queue's name is 1 to 128 letters, digits or _ - .";  // , not "a b"

}  // namespace pawl
