// The bytes of one connection: plain, or inside TLS.
//
//   PAWL_ASSIGN(std::shared_ptr<TlsContext> tls, TlsContext::load(options.tls));
//   std::unique_ptr<ByteStream> stream = tls ? tls->accept(fd) : plain_stream(fd);
//   Moved moved = stream->read(buffer, sizeof buffer);      // never waits
//   PAWL_ASSIGN(stream, connect_tls(fd, "pawl.example.org", {.ca_file = "ca.pem"}));   // the other end
//
// The handshake happens inside the first reads. Threading: compatible; a context may be shared.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "pawl/adapter/http/http_message.h"

namespace pawl {

struct Moved {
  enum class State : uint8_t { bytes, again, ended };  // `again`: once the descriptor is ready
  State state = State::again;
  size_t bytes = 0;
};

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  virtual Moved read(char* into, size_t size) = 0;
  virtual Moved write(const char* from, size_t size) = 0;
  virtual bool wants_to_write() const { return false; }   // although nothing is being written
  virtual bool holds_bytes() const { return false; }      // read, and not given out yet
  virtual std::string certificate() const { return {}; }  // HttpRequest::certificate
  virtual bool established() const { return true; }       // the handshake is over
  virtual std::string failure() const { return {}; }  // of TLS, why it has ended; empty: hung up
  virtual void finish() {}                            // says goodbye, if the other side listens
};

std::unique_ptr<ByteStream> plain_stream(int fd);  // does not own the descriptor

// PEM; without a ca_file those that this machine trusts.
struct HttpClientTls {
  std::string ca_file{};           // who has signed the server's certificate
  std::string certificate_file{};  // to be shown; empty: none
  std::string key_file{};
};
// The server must prove to be `host`. INVALID_ARGUMENT names the file that cannot be used.
Result<std::unique_ptr<ByteStream>> connect_tls(int fd, const std::string& host,
                                                const HttpClientTls& files);

class TlsContext {
 public:
  // INVALID_ARGUMENT naming the file that cannot be used, and why.
  static Result<std::shared_ptr<TlsContext>> load(const HttpTls& files);
  // Changes when one of the files is replaced or written.
  static uint64_t state_of(const HttpTls& files);
  virtual ~TlsContext() = default;
  virtual std::unique_ptr<ByteStream> accept(int fd) = 0;
};

}  // namespace pawl
