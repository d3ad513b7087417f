#include "pawl/model/name_space.h"

#include <algorithm>

namespace pawl {
namespace {

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

Status check_name_space(const std::string& name) {
  bool good = !name.empty() && name.size() <= name_space_bytes_max &&
              is_letter_or_digit(name.front()) && std::all_of(name.begin(), name.end(), [](char c) {
                return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-';
              });
  if (good) return {};
  return Error{Code::invalid_argument,
               "\"" + name.substr(0, name_space_bytes_max) +
                   "\" is no namespace: a name has 1 to " + std::to_string(name_space_bytes_max) +
                   " letters, digits, '.', '_' and '-', and begins with a letter or digit"};
}

// The halves change places, so that nothing of the default namespace can come to the same.
Hash128 hash_in(const std::string& name_space, ByteView bytes) {
  if (name_space == default_namespace) return hash128(bytes);
  ByteWriter named;
  named.text(name_space);
  named.text(bytes);
  Hash128 hash = hash128(named.view());
  return {hash.high, hash.low};
}

}  // namespace pawl
