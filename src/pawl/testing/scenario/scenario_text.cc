#include "pawl/testing/scenario/scenario_text.h"

#include <charconv>

namespace pawl {
namespace {

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> words;
  for (size_t at = 0; at < text.size();) {
    size_t begin = text.find_first_not_of(' ', at);
    if (begin == std::string_view::npos) break;
    size_t end = std::min(text.find(' ', begin), text.size());
    words.emplace_back(text.substr(begin, end - begin));
    at = end;
  }
  return words;
}

}  // namespace

std::optional<std::string> ScenarioStep::value(std::string_view key, size_t from) const {
  for (size_t i = from; i + 1 < words.size(); ++i) {
    if (words[i] == key) return words[i + 1];
  }
  return std::nullopt;
}

std::optional<std::string> ScenarioStep::after(std::string_view key) const {
  std::string padded = " " + std::string(key) + " ";
  size_t at = text.find(padded);
  if (at == std::string::npos) return std::nullopt;
  return text.substr(at + padded.size());
}

std::vector<ScenarioStep> scenario_steps(std::string_view text) {
  std::vector<ScenarioStep> steps;
  uint32_t number = 0;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.starts_with(' ') && !steps.empty()) {
      steps.back().block += std::string(line) + "\n";
    } else if (!line.empty() && !line.starts_with('#')) {
      steps.push_back({number, std::string(line), split(line), ""});
    }
  }
  return steps;
}

std::optional<uint64_t> scenario_number(std::string_view text) {
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<ScenarioTarget> scenario_target(std::string_view text) {
  size_t slash = std::min(text.find('/'), text.size());
  ScenarioTarget target;
  target.execution = execution_from_text(std::string(text.substr(0, slash)));
  if (!target.execution) return std::nullopt;
  if (slash == text.size()) return target;
  text.remove_prefix(slash + 1);
  size_t bracket = std::min(text.find('['), text.size());
  target.node = text.substr(0, bracket);
  if (bracket == text.size()) return target;
  std::string_view items = text.substr(bracket + 1);
  if (!items.ends_with(']')) return std::nullopt;
  items.remove_suffix(1);
  size_t dots = std::min(items.find(".."), items.size());
  auto first = scenario_number(items.substr(0, dots));
  auto last = dots == items.size() ? first : scenario_number(items.substr(dots + 2));
  if (!first || !last) return std::nullopt;
  target.first = static_cast<ItemIndex>(*first);
  target.last = static_cast<ItemIndex>(*last);
  return target;
}

std::optional<Duration> scenario_duration(std::string_view text) {
  size_t unit_at = std::min(text.find_first_not_of("0123456789"), text.size());
  auto number = scenario_number(text.substr(0, unit_at));
  if (!number) return std::nullopt;
  auto n = static_cast<int64_t>(*number);
  std::string_view unit = text.substr(unit_at);
  if (unit == "ms") return Duration::milliseconds(n);
  if (unit == "s") return Duration::seconds(n);
  if (unit == "m") return Duration::minutes(n);
  if (unit == "h") return Duration::hours(n);
  return std::nullopt;
}

}  // namespace pawl
