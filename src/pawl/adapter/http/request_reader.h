// Bytes of a connection become requests, one after another.
//
//   RequestReader reader(options);
//   reader.add(bytes);
//   switch (reader.read()) {
//     case RequestReader::State::head: look at reader.head() ...       // and read() again
//     case RequestReader::State::request: handle(reader.take()); ...   // likewise
//     case RequestReader::State::more: wait for bytes ...
//     case RequestReader::State::broken: send reader.refusal(), hang up
//   }
//
// `head` comes once for each request that has a body, before anything of it is kept: the end of the
// connection is then the only other way on. Holds at most a head and a body at their limits, and what
// came with them; a packed body is unpacked here, within body_bytes_max. Fields behind a body say
// nothing. What is refused: 400 malformed, 413 body_bytes_max, 415 an encoding that is not gzip,
// 431 head_bytes_max (also of what stands between and behind chunks), 501 a transfer coding that is
// not chunked, 505 not HTTP/1.x. Safe on any bytes. Threading: compatible.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "pawl/adapter/http/http_message.h"

namespace pawl {

class RequestReader {
 public:
  enum class State : uint8_t { more, head, request, broken };

  explicit RequestReader(const HttpOptions& options);
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  void add(std::string_view bytes);
  State read();
  HttpRequest& head() { return request_; }
  HttpRequest take();
  bool keep_alive() const { return keep_alive_; }      // as the last request wishes
  bool knows_chunks() const { return knows_chunks_; }  // HTTP/1.0 does not
  const HttpResponse& refusal() const { return refusal_; }

  bool started() const { return !buffer_.empty() || parser_ != nullptr; }  // part of one is here
  bool in_body() const;
  bool wants_continue();  // once: the client waits for 100 Continue
  size_t buffered() const { return buffer_.size(); }
  std::string rest() { return std::move(buffer_); }  // what came behind an upgrade

 private:
  class Parser;
  void begin();
  State meet();  // the head has come
  State complete();
  State refuse(HttpResponse refusal);

  const HttpOptions& options_;
  std::unique_ptr<Parser> parser_;
  std::string buffer_;
  HttpRequest request_;
  HttpResponse refusal_;
  bool keep_alive_ = true;
  bool knows_chunks_ = true;
  bool broken_ = false;
};

}  // namespace pawl
