#include "pawl/api/exposition.h"

#include "pawl/base/check.h"

namespace pawl {
namespace {

constexpr const char* type_names[] = {"counter", "gauge", "histogram"};

// "0.0025"
std::string in_seconds(uint64_t seconds, uint64_t rest_ns) {
  std::string text = std::to_string(seconds);
  if (rest_ns == 0) return text;
  std::string digits = std::to_string(1'000'000'000 + rest_ns).substr(1);
  while (digits.back() == '0') digits.pop_back();
  return text + "." + digits;
}

std::string in_seconds(Duration value) {
  constexpr int64_t second = 1'000'000'000;
  bool below_zero = value.ns < 0;
  uint64_t ns = below_zero ? -static_cast<uint64_t>(value.ns) : static_cast<uint64_t>(value.ns);
  return (below_zero ? "-" : "") + in_seconds(ns / second, ns % second);
}

void escape(std::string& out, std::string_view value) {
  for (char c : value) {
    if (c == '\n') {
      out += "\\n";
    } else {
      if (c == '\\' || c == '"') out += '\\';
      out += c;
    }
  }
}

}  // namespace

void Exposition::family(std::string_view name, Type type, std::string_view help) {
  family_ = name;
  text_.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ");
  text_.append(name).append(" ").append(type_names[type]).append("\n");
}

void Exposition::line(std::string_view suffix, Labels labels, std::string_view bound,
                      std::string_view value) {
  PAWL_CHECK(!family_.empty(), "a sample stands below its family");
  text_.append(family_).append(suffix);
  char before = '{';
  for (const Label& label : labels) {
    text_ += before;
    text_.append(label.name).append("=\"");
    escape(text_, label.value);
    text_ += '"';
    before = ',';
  }
  if (!bound.empty()) {
    text_ += before;
    text_.append("le=\"").append(bound).append("\"");
    before = ',';
  }
  if (before == ',') text_ += '}';
  text_.append(" ").append(value).append("\n");
}

void Exposition::sample(Labels labels, uint64_t value) {
  line("", labels, "", std::to_string(value));
}

void Exposition::seconds(Labels labels, Duration value) {
  line("", labels, "", in_seconds(value));
}

void Exposition::sample(Labels labels, const Histogram& value) {
  for (size_t i = 0; i < Histogram::bounds.size(); ++i)
    line("_bucket", labels, in_seconds(Histogram::bounds[i]), std::to_string(value.at_most(i)));
  line("_bucket", labels, "+Inf", std::to_string(value.count()));
  line("_sum", labels, "", in_seconds(value.sum_seconds(), value.sum_rest_ns()));
  line("_count", labels, "", std::to_string(value.count()));
}

void Exposition::counted(std::string_view name, std::string_view help, uint64_t value) {
  family(name, counter, help);
  sample({}, value);
}

void Exposition::measured(std::string_view name, std::string_view help, uint64_t value) {
  family(name, gauge, help);
  sample({}, value);
}

void Exposition::measured(std::string_view name, std::string_view help, Duration value) {
  family(name, gauge, help);
  seconds({}, value);
}

void Exposition::timed(std::string_view name, std::string_view help, const Histogram& value) {
  family(name, histogram, help);
  sample({}, value);
}

}  // namespace pawl
