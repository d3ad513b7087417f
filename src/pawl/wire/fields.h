// One description for both directions: fields(io, value) names the fields of a value in their
// order, and `io` is an Encoder or a Decoder. So what is written and what is read cannot part.
//
//   ByteWriter out;  Encoder io(out);  fields(io, policy);
//   ByteReader in(out.view());  Decoder back(in);  RetryPolicy copy;  fields(back, copy);
//   if (!in.ok()) return Error{Code::data_loss, "..."};
//
// What has been released only grows at its end, by appended(): left out while it says nothing, so that
// old bytes stay as they are, and read if there is anything left.
//
// Numbers are varints, signed ones zigzag, enumerations one byte, lists a count and their elements.
// A Decoder never allocates more than a small multiple of the bytes it was given, and leaves the
// reader failed when a number is out of its type's range.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "pawl/base/bytes.h"
#include "pawl/base/hash.h"
#include "pawl/model/payload.h"

namespace pawl {

template <class Out>
class Encoder {
 public:
  static constexpr bool decoding = false;
  template <class T>
  using Ref = const T&;

  explicit Encoder(Out& out) : out_(out) {}

  void number(uint64_t v) { out_.varint(v); }
  void signed_number(int64_t v) { out_.svarint(v); }
  void fixed(uint64_t v) { out_.u64(v); }  // random numbers: 8 bytes are shorter
  void flag(bool v) { out_.u8(v ? 1 : 0); }
  void text(const std::string& v) { out_.text(v); }
  void hash(const Hash128& v) {
    out_.u64(v.low);
    out_.u64(v.high);
  }
  void payload(const Payload& v) { v.encode(out_); }
  template <class E>
  void choice(E v, E /*last*/) {
    out_.u8(static_cast<uint8_t>(v));
  }
  template <class Body>
  void appended(bool says_something, Body body) {
    if (says_something) body();
  }
  template <class T, class Each>
  void list(const std::vector<T>& values, Each each) {
    out_.varint(values.size());
    for (const T& value : values) each(value);
  }

 private:
  Out& out_;
};

class Decoder {
 public:
  static constexpr bool decoding = true;
  template <class T>
  using Ref = T&;

  explicit Decoder(ByteReader& in) : in_(in) {}

  void fail() { in_.fail(); }
  void number(uint64_t& v) { v = in_.varint(); }
  void number(uint32_t& v) { v = narrow<uint32_t>(in_.varint()); }
  void number(uint8_t& v) { v = narrow<uint8_t>(in_.varint()); }
  void signed_number(int64_t& v) { v = in_.svarint(); }
  void signed_number(int32_t& v) { v = narrow<int32_t>(in_.svarint()); }
  void fixed(uint64_t& v) { v = in_.u64(); }
  void flag(bool& v) { v = in_.boolean(); }
  void text(std::string& v) { v = in_.text(); }
  void hash(Hash128& v) {
    v.low = in_.u64();
    v.high = in_.u64();
  }
  void payload(Payload& v) { v = Payload::decode(in_); }
  template <class E>
  void choice(E& v, E last) {
    uint8_t byte = in_.u8();
    if (byte > static_cast<uint8_t>(last)) return in_.fail();
    v = static_cast<E>(byte);
  }
  template <class Body>
  void appended(bool, Body body) {
    if (in_.ok() && !in_.at_end()) body();
  }
  template <class T, class Each>
  void list(std::vector<T>& values, Each each) {
    values.clear();
    // Not reserved: a lying count must not allocate before the bytes have been seen.
    for (uint64_t left = in_.count(); left > 0 && in_.ok(); --left) {
      values.emplace_back();
      each(values.back());
    }
  }

 private:
  template <class Narrow, class Wide>
  Narrow narrow(Wide v) {
    if (v < Wide{std::numeric_limits<Narrow>::min()} ||
        v > Wide{std::numeric_limits<Narrow>::max()})
      in_.fail();
    return in_.ok() ? static_cast<Narrow>(v) : Narrow{};
  }

  ByteReader& in_;
};

}  // namespace pawl
