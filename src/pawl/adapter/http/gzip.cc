#include "pawl/adapter/http/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <memory>

namespace pawl {
namespace {

constexpr int gzip_window = 15 + 16;  // zlib's way to say: with gzip's header
constexpr int level = 1;              // most of the gain for the least time
constexpr size_t piece = 64 << 10;

Bytef* bytes_of(std::string_view text) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
}

}  // namespace

std::string gzip(std::string_view text) {
  z_stream stream{};
  int begun = deflateInit2(&stream, level, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY);
  PAWL_CHECK(begun == Z_OK, "zlib begins to pack");
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = bytes_of(text);
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = bytes_of(packed);
  stream.avail_out = static_cast<uInt>(packed.size());
  int ended = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  PAWL_CHECK(ended == Z_STREAM_END, "the bound of zlib holds");
  return packed;
}

Result<std::string> gunzip(std::string_view packed, uint64_t bytes_max) {
  z_stream stream{};
  int begun = inflateInit2(&stream, gzip_window);
  PAWL_CHECK(begun == Z_OK, "zlib begins to unpack");
  std::unique_ptr<z_stream, int (*)(z_stream*)> ends(&stream, inflateEnd);
  stream.next_in = bytes_of(packed);
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string text;
  int state = Z_OK;
  while (state != Z_STREAM_END) {
    size_t had = text.size();
    // One byte beyond the limit tells a body that just fits from one that does not.
    size_t room = std::min<uint64_t>(std::max(piece, had), bytes_max + 1 - had);
    text.resize(had + room);
    stream.next_out = bytes_of(std::string_view(text).substr(had));
    stream.avail_out = static_cast<uInt>(room);
    state = inflate(&stream, Z_NO_FLUSH);
    text.resize(had + room - stream.avail_out);
    if (text.size() > bytes_max)
      return Error{Code::resource_exhausted,
                   "unpacked it has more than " + std::to_string(bytes_max) + " bytes"};
    if (state == Z_STREAM_END) break;
    if (state != Z_OK || (stream.avail_in == 0 && stream.avail_out > 0))
      return Error{Code::invalid_argument, "the body is not gzip, or not all of it"};
  }
  if (stream.avail_in > 0)
    return Error{Code::invalid_argument, "bytes follow the end of the gzip body"};
  return text;
}

}  // namespace pawl
