#include "pawl/port/output_store.h"

#include <charconv>

namespace pawl {
namespace {

// At the front of `text`, which is shortened by it; no sign, no zeros before it.
bool take_number(std::string_view& text, uint32_t& number) {
  if (text.empty() || (text[0] == '0' && text.size() > 1 && text[1] != '.')) return false;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

bool is_node(std::string_view node) {
  return !node.empty() && node.size() <= 255 && node.find('\0') == std::string_view::npos &&
         !node.starts_with('.');
}

}  // namespace

const char* name(LogStream stream) {
  switch (stream) {
    case LogStream::out:
      return "stdout";
    case LogStream::err:
      return "stderr";
  }
  return "unknown";
}

std::string path_of(const LogKey& key) {
  return to_text(key.execution) + "/" + key.node + "/" + std::to_string(key.item) + "." +
         std::to_string(key.attempt) + (key.stream == LogStream::err ? ".err" : ".out");
}

bool key_from_path(std::string_view path, LogKey& key) {
  size_t first = path.find('/');
  size_t last = path.rfind('/');
  if (first == std::string_view::npos || first == last) return false;
  key.execution = execution_from_text(std::string(path.substr(0, first)));
  std::string_view node = path.substr(first + 1, last - first - 1);
  if (!key.execution || !is_node(node) || node.find('/') != std::string_view::npos) return false;
  key.node = node;
  std::string_view rest = path.substr(last + 1);
  if (!take_number(rest, key.item) || !rest.starts_with('.')) return false;
  rest.remove_prefix(1);
  if (!take_number(rest, key.attempt)) return false;
  key.stream = rest == ".err" ? LogStream::err : LogStream::out;
  return rest == ".out" || rest == ".err";
}

}  // namespace pawl
