#include "pawl/model/trace.h"

#include <algorithm>

#include "pawl/base/bytes.h"
#include "pawl/base/random.h"

namespace pawl {
namespace {

constexpr size_t version_end = 2;
constexpr size_t id_begin = 3;
constexpr size_t span_begin = 36;
constexpr size_t flags_begin = 53;
constexpr size_t length = 55;

bool read_hex(std::string_view digits, uint64_t& number) {
  number = 0;
  for (char c : digits) {
    bool decimal = c >= '0' && c <= '9';
    if (!decimal && (c < 'a' || c > 'f')) return false;
    number = number << 4 | static_cast<uint64_t>(decimal ? c - '0' : c - 'a' + 10);
  }
  return true;
}

void append_hex(std::string& text, uint64_t number, size_t digits) {
  text.append(digits, '0');
  for (size_t at = text.size(); digits-- > 0; number >>= 4)
    text[--at] = "0123456789abcdef"[number & 15];
}

Error not_a_traceparent(std::string_view text) {
  return {Code::invalid_argument, "\"" + std::string(text.substr(0, 80)) +
                                      "\" is no traceparent: it is 00-, 32 hex digits, -, 16 hex "
                                      "digits, -, 2 hex digits, in small "
                                      "letters, and neither id is all zeros"};
}

}  // namespace

Result<Trace> parse_traceparent(std::string_view text) {
  uint64_t version = 0;
  uint64_t flags = 0;
  Trace trace;
  bool shaped = text.size() >= length && text[version_end] == '-' && text[span_begin - 1] == '-' &&
                text[flags_begin - 1] == '-' && read_hex(text.substr(0, version_end), version) &&
                read_hex(text.substr(id_begin, 16), trace.id.high) &&
                read_hex(text.substr(id_begin + 16, 16), trace.id.low) &&
                read_hex(text.substr(span_begin, 16), trace.span) &&
                read_hex(text.substr(flags_begin, 2), flags);
  bool ends = version == 0 ? text.size() == length : text.size() == length || text[length] == '-';
  if (!shaped || !ends || version == 0xff || trace.id == Hash128{} || trace.span == 0)
    return not_a_traceparent(text);
  trace.flags = static_cast<uint8_t>(flags);
  return trace;
}

std::string traceparent(const Trace& trace, uint64_t span) {
  std::string text = "00-" + trace_id_text(trace.id) + "-";
  append_hex(text, span, 16);
  append_hex(text += '-', trace.flags, 2);
  return text;
}

std::string trace_id_text(const Hash128& id) {
  std::string text;
  text.reserve(32);
  append_hex(text, id.high, 16);
  append_hex(text, id.low, 16);
  return text;
}

Trace derived_trace(const Hash128& cluster, ExecutionId execution) {
  Trace trace;
  ByteWriter out;
  out.text("trace");
  for (uint64_t word : {cluster.low, cluster.high, execution.value}) out.u64(word);
  trace.id = hash128(out.view());
  trace.id.low |= 1;
  return trace;
}

uint64_t span_of(const Hash128& cluster, const TaskKey& task, AttemptNumber attempt) {
  ByteWriter out;
  out.text("span");
  for (uint64_t word : {cluster.low, cluster.high, task.execution.value, uint64_t{task.node},
                        uint64_t{task.item}, uint64_t{attempt}})
    out.u64(word);
  return hash128(out.view()).low | 1;
}

}  // namespace pawl
