#include "pawl/access/base64url.h"

#include <cstdint>

namespace pawl {
namespace {

constexpr std::string_view digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

}  // namespace

std::string base64url(ByteView bytes) {
  std::string text;
  uint32_t gathered = 0;
  int bits = 0;
  for (char c : bytes) {
    gathered = gathered << 8 | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6;) text += digits[(gathered >> (bits -= 6)) & 63];
  }
  if (bits > 0) text += digits[(gathered << (6 - bits)) & 63];
  return text;
}

// One spelling per value: what is left over must be zero bits.
std::optional<Bytes> from_base64url(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  Bytes bytes;
  uint32_t gathered = 0;
  int bits = 0;
  for (char c : text) {
    size_t digit = digits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    gathered = gathered << 6 | static_cast<uint32_t>(digit);
    if ((bits += 6) < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<char>((gathered >> bits) & 0xff));
  }
  if ((gathered & ((1u << bits) - 1)) != 0) return std::nullopt;
  return bytes;
}

}  // namespace pawl
