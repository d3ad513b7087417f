#include "pawl/adapter/http/byte_stream.h"

#include <sys/socket.h>

#include <cerrno>

namespace pawl {
namespace {

class PlainStream final : public ByteStream {
 public:
  explicit PlainStream(int fd) : fd_(fd) {}
  Moved read(char* into, size_t size) override {
    return moved(recv(fd_, into, size, MSG_DONTWAIT));
  }
  Moved write(const char* from, size_t size) override {
    return moved(send(fd_, from, size, MSG_DONTWAIT | MSG_NOSIGNAL));
  }

 private:
  static Moved moved(ssize_t size) {
    if (size > 0) return {Moved::State::bytes, static_cast<size_t>(size)};
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return {Moved::State::again, 0};
    return {Moved::State::ended, 0};
  }
  int fd_;
};

}  // namespace

std::unique_ptr<ByteStream> plain_stream(int fd) {
  return std::make_unique<PlainStream>(fd);
}

}  // namespace pawl
