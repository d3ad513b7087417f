// pawl-jq: evaluates jq expressions for one parent, which may kill it at any time.
//
//   pawl-jq MEMORY_LIMIT_BYTES PROGRAMS_MAX        requests and answers on descriptor 3 (frame.h)
//
// Ends when the parent closes the socket or dies.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <new>
#include <string>

#include "pawl/adapter/jq/frame.h"
#include "pawl/adapter/libjq/interpreter.h"

namespace pawl::jq {
namespace {

[[noreturn]] void out_of_memory() {
  _exit(out_of_memory_exit);
}
void out_of_memory_in_jq(void*) {
  out_of_memory();
}

class Server {
 public:
  explicit Server(size_t programs_max) : interpreter_(programs_max, out_of_memory_in_jq) {}

  Result<std::string> answer(ByteView request) {
    ByteReader in(request);
    auto kind = static_cast<RequestKind>(in.u8());
    std::string expression(in.text());
    auto source = static_cast<ContextSource>(in.u8());
    if (source == ContextSource::sent) interpreter_.read(in.text());
    if (!in.ok()) return Error{Code::invalid_argument, "malformed request"};
    if (kind == RequestKind::evaluate) return interpreter_.evaluate(expression);
    PAWL_TRY(interpreter_.check(expression));
    return std::string();
  }

 private:
  Interpreter interpreter_;
};

bool read_all(void* into, size_t size) {
  char* at = static_cast<char*>(into);
  while (size > 0) {
    ssize_t n = read(helper_socket, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

bool write_all(ByteView bytes) {
  while (!bytes.empty()) {
    ssize_t n = write(helper_socket, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

// A bound on memory; no core files; and no further descriptor, so that no file can be opened.
void confine(uint64_t memory_bytes) {
  rlimit memory{memory_bytes, memory_bytes};
  rlimit none{0, 0};
  rlimit descriptors{helper_socket + 1, helper_socket + 1};
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  memory.rlim_cur = memory.rlim_max = RLIM_INFINITY;  // shadow memory is reserved in terabytes
#endif
  if (memory_bytes > 0) setrlimit(RLIMIT_AS, &memory);
  setrlimit(RLIMIT_CORE, &none);
  setrlimit(RLIMIT_NOFILE, &descriptors);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
}

int serve(size_t programs_max) {
  Server server(programs_max);
  std::string request;
  for (uint32_t size = 0; read_all(&size, sizeof size);) {
    if (size > frame_bytes_max) return 1;
    request.resize(size);
    if (!read_all(request.data(), size)) return 0;
    Result<std::string> answer = server.answer(request);
    ByteWriter body;
    body.u8(static_cast<uint8_t>(answer.ok() ? Outcome::value : Outcome::error));
    body.text(answer.ok() ? *answer : answer.error().message);
    ByteWriter frame;
    frame.u32(static_cast<uint32_t>(body.size()));
    if (!write_all(frame.view()) || !write_all(body.view())) return 0;
  }
  return 0;
}

}  // namespace
}  // namespace pawl::jq

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::set_new_handler(pawl::jq::out_of_memory);
  pawl::jq::confine(std::strtoull(argv[1], nullptr, 10));
  return pawl::jq::serve(std::strtoull(argv[2], nullptr, 10));
}
