// Bytes in memory, and the two small classes that every encoding is made of. Integers are
// little-endian; `varint` is LEB128 (at most 10 bytes).
//
//   ByteWriter out;                        ByteReader in(out.view());
//   out.varint(300);                       uint64_t n = in.varint();
//   out.text("hello");                     std::string_view s = in.text();
//                                          if (!in.ok()) return Error{Code::data_loss, "..."};
//
// A reader never reads past its end: after the first short or malformed read every further read
// gives zero or empty and ok() is false, so a decoder checks once, at the end.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace pawl {

using Bytes = std::string;          // owned
using ByteView = std::string_view;  // borrowed

constexpr size_t varint_bytes_max = 10;

// Writes `v` at `into`, which has room for varint_bytes_max; the number of bytes written.
inline size_t put_varint(char* into, uint64_t v) {
  size_t size = 0;
  for (; v >= 0x80; v >>= 7) into[size++] = static_cast<char>(v | 0x80);
  into[size++] = static_cast<char>(v);
  return size;
}
constexpr uint64_t zigzag(int64_t v) {
  return (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63);
}

class ByteWriter {
 public:
  ByteWriter() = default;
  explicit ByteWriter(Bytes reuse) : bytes_(std::move(reuse)) { bytes_.clear(); }

  void u8(uint8_t v) { bytes_.push_back(static_cast<char>(v)); }
  void u32(uint32_t v) { raw(&v, sizeof v); }
  void u64(uint64_t v) { raw(&v, sizeof v); }
  void boolean(bool v) { u8(v ? 1 : 0); }
  void varint(uint64_t v) {
    if (v < 0x80) return u8(static_cast<uint8_t>(v));
    char digits[varint_bytes_max];
    bytes_.append(digits, put_varint(digits, v));
  }
  // Signed numbers near zero stay short (zigzag).
  void svarint(int64_t v) { varint(zigzag(v)); }
  void text(std::string_view v) {
    varint(v.size());
    bytes_.append(v);
  }
  void raw(const void* data, size_t size) { bytes_.append(static_cast<const char*>(data), size); }

  // A block is its length (varint) and then all that is written until
  // end_block(begin). Blocks nest.
  size_t begin_block() {
    u8(0);
    return bytes_.size();
  }
  void end_block(size_t begin) {
    char digits[varint_bytes_max];
    size_t size = put_varint(digits, bytes_.size() - begin);
    bytes_[begin - 1] = digits[0];
    if (size > 1) bytes_.insert(begin, digits + 1, size - 1);
  }

  ByteView view() const { return bytes_; }
  size_t size() const { return bytes_.size(); }
  Bytes take() { return std::move(bytes_); }
  void clear() { bytes_.clear(); }

 private:
  Bytes bytes_;
};

class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) : rest_(bytes) {}

  uint8_t u8() {
    uint8_t v = 0;
    raw(&v, sizeof v);
    return v;
  }
  uint32_t u32() {
    uint32_t v = 0;
    raw(&v, sizeof v);
    return v;
  }
  uint64_t u64() {
    uint64_t v = 0;
    raw(&v, sizeof v);
    return v;
  }
  bool boolean() {
    uint8_t v = u8();
    if (v > 1) fail();
    return v == 1;
  }
  uint64_t varint() {
    uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      uint8_t byte = u8();
      if (shift == 63 && byte > 1) break;
      v |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return v;
    }
    fail();
    return 0;
  }
  int64_t svarint() {
    uint64_t v = varint();
    return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1);
  }
  std::string_view text() {
    uint64_t size = varint();
    return view(size);
  }
  ByteView view(uint64_t size) {
    if (!ok_ || size > rest_.size()) {
      fail();
      return {};
    }
    ByteView part = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return part;
  }
  void raw(void* into, size_t size) {
    ByteView part = view(size);
    if (part.size() == size) std::memcpy(into, part.data(), size);
  }
  // For counts: a list of n elements needs at least n bytes, so a lying count cannot allocate much.
  uint64_t count() {
    uint64_t n = varint();
    if (n > rest_.size()) {
      fail();
      return 0;
    }
    return n;
  }

  void fail() {
    ok_ = false;
    rest_ = {};
  }
  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }
  ByteView rest() const { return rest_; }

 private:
  ByteView rest_;
  bool ok_ = true;
};

}  // namespace pawl
