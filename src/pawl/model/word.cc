#include "pawl/model/word.h"

#include <algorithm>

namespace pawl {

bool is_word(std::string_view text, std::string_view extra) {
  auto allowed = [extra](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           extra.find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= id_bytes_max &&
         std::all_of(text.begin(), text.end(), allowed);
}

}  // namespace pawl
