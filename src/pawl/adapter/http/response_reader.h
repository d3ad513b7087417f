// Bytes of a connection become one response.
//
//   ResponseReader reader({.head_bytes_max = 16 << 10, .body_bytes_max = 64 << 10});
//   reader.add(bytes);
//   switch (reader.read()) {
//     case ResponseReader::State::response: use(reader.response()); ...   // reader.rest() came behind it
//     case ResponseReader::State::more: wait for bytes; at their end call finish() ...
//     case ResponseReader::State::broken: reader.failure() says why
//   }
//
// Holds at most a head and a body at their limits. Errors: INVALID_ARGUMENT: this is no HTTP;
// RESOURCE_EXHAUSTED names the limit. Safe on any bytes. Threading: compatible.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "pawl/adapter/http/http_message.h"

namespace pawl {

struct ResponseLimits {
  uint32_t head_bytes_max = 16 << 10;
  uint64_t body_bytes_max = 64 << 10;
};

class ResponseReader {
 public:
  enum class State : uint8_t { more, response, broken };

  explicit ResponseReader(ResponseLimits limits);
  ~ResponseReader();
  ResponseReader(const ResponseReader&) = delete;
  ResponseReader& operator=(const ResponseReader&) = delete;

  void add(std::string_view bytes);
  State read();
  State finish();  // nothing more comes
  // Names of fields in lower case.
  const HttpResponse& response() const { return response_; }
  const std::string* field(std::string_view name) const;  // the first; null: there is none
  const Error& failure() const { return failure_; }
  std::string rest() { return std::move(buffer_); }

 private:
  class Parser;
  State judge(bool broken, bool limit, const std::string& why);

  ResponseLimits limits_;
  std::string buffer_;
  HttpResponse response_;
  std::unique_ptr<Parser> parser_;
  Error failure_;
};

}  // namespace pawl
