// pawl-jq: evaluates jq expressions for one parent, which may kill it at any time.
//
//   pawl-jq MEMORY_LIMIT_BYTES PROGRAMS_MAX        requests and answers on descriptor 3 (frame.h)
//
// Ends when the parent closes the socket or dies.
extern "C" {
#include <jq.h>  // knows no C++
}
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <list>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "pawl/adapter/jq/frame.h"

namespace pawl::jq {
namespace {

constexpr int results_counted_max = 1000;

[[noreturn]] void out_of_memory() {
  _exit(out_of_memory_exit);
}

std::string one_line(std::string text) {
  for (char& c : text)
    if (c == '\n' || c == '\r' || c == '\t') c = ' ';
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

void cut_out(std::string& text, std::string_view part) {
  size_t at = text.find(part);
  if (at != std::string::npos) text.erase(at, part.size());
}

// Consumes `message`.
std::string text_of(jv message) {
  if (jv_get_kind(message) != JV_KIND_STRING) message = jv_dump_string(message, 0);
  std::string text(jv_string_value(message),
                   static_cast<size_t>(jv_string_length_bytes(jv_copy(message))));
  jv_free(message);
  return text;
}

void keep_first_error(void* into, jv message) {
  auto& error = *static_cast<std::string*>(into);
  std::string text = text_of(message);
  if (!error.empty()) return;
  cut_out(text, "jq: error: ");
  cut_out(text, " (Unix shell quoting issues?)");
  cut_out(text, " at <top-level>, line 1:");
  error = one_line(std::move(text));
}

jv no_input(jq_state*, void*) {
  return jv_invalid();
}
void out_of_memory_in_jq(void*) {
  out_of_memory();
}
void drop(void*, jv message) {
  jv_free(message);
}

struct Answer {
  Outcome outcome = Outcome::value;
  std::string text;
};

Answer failed(std::string text) {
  return {Outcome::error, std::move(text)};
}

// Compiled programs, the least recently used one in front.
class Programs {
 public:
  explicit Programs(size_t programs_max) : programs_max_(programs_max) {}

  // Null: `error` says why.
  jq_state* get(const std::string& expression, std::string& error) {
    for (auto it = programs_.begin(); it != programs_.end(); ++it) {
      if (it->first != expression) continue;
      programs_.splice(programs_.end(), programs_, it);
      return it->second;
    }
    jq_state* program = compile(expression, error);
    if (program == nullptr) return nullptr;
    if (programs_.size() >= programs_max_) {
      jq_teardown(&programs_.front().second);
      programs_.pop_front();
    }
    programs_.emplace_back(expression, program);
    return program;
  }

 private:
  static jq_state* compile(const std::string& expression, std::string& error) {
    if (expression.find('\0') != std::string::npos) {
      error = "the expression holds a NUL byte";
      return nullptr;
    }
    jq_state* program = jq_init();
    if (program == nullptr) out_of_memory();
    jq_set_nomem_handler(program, out_of_memory_in_jq, nullptr);
    jq_set_error_cb(program, keep_first_error, &error);
    jq_set_debug_cb(program, drop, nullptr);
    jq_set_input_cb(program, no_input, nullptr);
    jq_set_attr(program, jv_string("JQ_LIBRARY_PATH"), jv_array());
    jq_set_attr(program, jv_string("JQ_ORIGIN"), jv_string("/nonexistent"));
    jq_set_attr(program, jv_string("PROGRAM_ORIGIN"), jv_string("/nonexistent"));
    if (jq_compile(program, expression.c_str()) == 0) {
      if (error.empty()) error = "it does not compile";
      jq_teardown(&program);
      return nullptr;
    }
    jq_set_error_cb(program, drop, nullptr);
    return program;
  }

  size_t programs_max_;
  std::list<std::pair<std::string, jq_state*>> programs_;
};

// Consumes `context`.
Answer run(jq_state* program, jv context) {
  jq_start(program, context, 0);
  Answer answer;
  int results = 0;
  jv result = jq_next(program);
  for (; jv_is_valid(result); result = jq_next(program)) {
    if (++results == 1) answer.text = text_of(jv_dump_string(jv_copy(result), 0));
    jv_free(result);
    if (results == results_counted_max) break;
  }
  if (results < results_counted_max) {
    if (jq_halted(program)) {
      jv_free(result);
      return failed("halt has no meaning here");
    }
    if (jv_invalid_has_msg(jv_copy(result))) {
      std::string text = one_line(text_of(jv_invalid_get_msg(result)));
      return failed(text == "break" ? "input: there is none" : text);  // jq 1.6 says no more
    }
    jv_free(result);
  }
  if (results == 1) return answer;
  return failed("expected one value, got " + std::to_string(results) +
                (results == results_counted_max ? " or more" : ""));
}

class Server {
 public:
  explicit Server(size_t programs_max) : programs_(programs_max) {}

  Answer answer(ByteView request) {
    ByteReader in(request);
    auto kind = static_cast<RequestKind>(in.u8());
    std::string expression(in.text());
    auto source = static_cast<ContextSource>(in.u8());
    if (source == ContextSource::sent) {
      std::string_view text = in.text();
      jv_free(context_);
      context_ = jv_parse_sized(text.data(), static_cast<int>(text.size()));
    }
    if (!in.ok()) return failed("malformed request");
    std::string error;
    jq_state* program = programs_.get(expression, error);
    if (program == nullptr) return failed(std::move(error));
    if (kind == RequestKind::check) return {};
    if (!jv_is_valid(context_)) return failed("the context is no JSON document");
    return run(program, jv_copy(context_));
  }

 private:
  Programs programs_;
  jv context_ = jv_invalid();
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
    Answer answer = server.answer(request);
    ByteWriter body;
    body.u8(static_cast<uint8_t>(answer.outcome));
    body.text(answer.text);
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
