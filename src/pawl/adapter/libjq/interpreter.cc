#include "pawl/adapter/libjq/interpreter.h"

extern "C" {
#include <jq.h>  // knows no C++
}

#include <list>
#include <utility>

namespace pawl::jq {
namespace {

constexpr int results_counted_max = 1000;

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
void drop(void*, jv message) {
  jv_free(message);
}

Error failed(std::string text) {
  return {Code::invalid_argument, std::move(text)};
}

// Consumes `context`.
Result<std::string> run(jq_state* program, jv context) {
  jq_start(program, context, 0);
  std::string value;
  int results = 0;
  jv result = jq_next(program);
  for (; jv_is_valid(result); result = jq_next(program)) {
    if (++results == 1) value = text_of(jv_dump_string(jv_copy(result), 0));
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
  if (results == 1) return value;
  return failed("expected one value, got " + std::to_string(results) +
                (results == results_counted_max ? " or more" : ""));
}

}  // namespace

// Compiled programs, the least recently used one in front.
class Interpreter::Programs {
 public:
  Programs(size_t programs_max, void (*out_of_memory)(void*))
      : programs_max_(programs_max), out_of_memory_(out_of_memory) {}
  ~Programs() {
    for (auto& [expression, program] : programs_) jq_teardown(&program);
  }
  Programs(const Programs&) = delete;
  Programs& operator=(const Programs&) = delete;

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
  jq_state* compile(const std::string& expression, std::string& error) {
    if (expression.find('\0') != std::string::npos) {
      error = "the expression holds a NUL byte";
      return nullptr;
    }
    jq_state* program = jq_init();
    if (program == nullptr) out_of_memory_(nullptr);
    jq_set_nomem_handler(program, out_of_memory_, nullptr);  // jq 1.6 forgets the pointer
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
  void (*out_of_memory_)(void*);
  std::list<std::pair<std::string, jq_state*>> programs_;
};

struct Interpreter::Context {
  jv value = jv_invalid();
  ~Context() { jv_free(value); }
};

Interpreter::Interpreter(size_t programs_max, void (*out_of_memory)(void*))
    : programs_(std::make_unique<Programs>(programs_max, out_of_memory)),
      context_(std::make_unique<Context>()) {}
Interpreter::~Interpreter() = default;

void Interpreter::read(std::string_view context) {
  jv_free(context_->value);
  context_->value = jv_parse_sized(context.data(), static_cast<int>(context.size()));
}

Status Interpreter::check(const std::string& expression) {
  std::string error;
  if (programs_->get(expression, error) == nullptr) return failed(std::move(error));
  return {};
}

Result<std::string> Interpreter::evaluate(const std::string& expression) {
  std::string error;
  jq_state* program = programs_->get(expression, error);
  if (program == nullptr) return failed(std::move(error));
  if (!jv_is_valid(context_->value)) return failed("the context is no JSON document");
  return run(program, jv_copy(context_->value));
}

}  // namespace pawl::jq
