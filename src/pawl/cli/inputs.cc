#include "pawl/cli/inputs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "pawl/base/json.h"
#include "pawl/base/utf8.h"
#include "pawl/definition/quantity.h"
#include "pawl/model/ids.h"
#include "pawl/model/trace.h"

namespace pawl::cli {
namespace {

Error wrong(std::string message) {
  return Error{Code::invalid_argument, std::move(message)};
}

Error too_large(const std::string& path, uint64_t bytes_max) {
  return Error{Code::resource_exhausted, path + " is larger than the limit of " +
                                             std::to_string(bytes_max) + " bytes; it was not read"};
}

constexpr size_t shown_bytes_max = 80;

// One line, with \xff for the bytes that no terminal shows.
std::string shown(std::string_view text) {
  std::string line;
  for (unsigned char byte : text.substr(0, shown_bytes_max)) {
    if (byte >= 0x20 && byte < 0x7f) {
      line += static_cast<char>(byte);
    } else {
      line.append("\\x").append(1, "0123456789abcdef"[byte >> 4]);
      line += "0123456789abcdef"[byte & 15];
    }
  }
  return line + (text.size() > shown_bytes_max ? "..." : "");
}

}  // namespace

Status check_text(std::string_view text, const std::string& what) {
  size_t at = utf8_prefix(text);
  if (at == text.size()) return {};
  return wrong(what + " is not UTF-8 at byte " + std::to_string(at + 1) + ": " + shown(text));
}

Result<std::string> current_directory() {
  char here[PATH_MAX];
  if (getcwd(here, sizeof here) == nullptr)
    return Error{Code::not_found, "the current directory is not there any more"};
  PAWL_TRY(check_text(here, "the name of the current directory"));
  return std::string(here);
}

Result<std::string> object_from_pairs(const std::vector<std::string>& pairs,
                                      const std::string& option) {
  JsonWriter object;
  object.begin_object();
  for (const std::string& pair : pairs) {
    size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      return wrong(option + " needs NAME=VALUE, not \"" + pair + "\"");
    }
    std::string value = pair.substr(equals + 1);
    PAWL_TRY(check_text(pair.substr(0, equals), "a name of " + option));
    PAWL_TRY(check_text(value, option + " " + pair.substr(0, equals)));
    object.key(pair.substr(0, equals));
    if (json_validate(value).ok()) {
      object.raw(json_compact(value));
    } else {
      object.string(value);
    }
  }
  return object.end_object().take();
}

Result<std::string> read_text(const std::string& path, uint64_t bytes_max) {
  int fd = path == "-" ? 0 : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    Code code = errno == ENOENT ? Code::not_found : Code::permission_denied;
    return Error{code, "cannot read " + path + ": " + std::strerror(errno)};
  }
  struct stat info {};
  bool known = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  std::string text;
  std::string problem;
  bool large = known && static_cast<uint64_t>(info.st_size) > bytes_max;
  char buffer[64 * 1024];
  while (!large) {
    ssize_t got = read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) problem = std::strerror(errno);
    if (got <= 0) break;
    text.append(buffer, static_cast<size_t>(got));
    large = text.size() > bytes_max;
  }
  if (fd != 0) close(fd);
  if (large) return too_large(path, bytes_max);
  if (!problem.empty()) return Error{Code::unavailable, "cannot read " + path + ": " + problem};
  return text;
}

Result<Subject> parse_subject(const std::string& text) {
  Error form = wrong("\"" + text +
                     "\" is no execution, node or item; write e17, e17/count or "
                     "'e17/count[42]'");
  Subject subject;
  size_t slash = text.find('/');
  subject.execution = execution_from_text(text.substr(0, slash)).value;
  if (subject.execution == 0) return form;
  if (slash == std::string::npos) return subject;
  subject.node = text.substr(slash + 1);
  size_t bracket = subject.node.find('[');
  if (bracket != std::string::npos) {
    std::string index = subject.node.substr(bracket + 1);
    uint32_t item = 0;
    auto [end, error] = std::from_chars(index.data(), index.data() + index.size(), item);
    if (error != std::errc() || std::string_view(end) != "]") return form;
    subject.item = item;
    subject.node.resize(bracket);
  }
  if (subject.node.empty()) return form;
  return subject;
}

Result<std::string> duration_text(const std::string& text, const std::string& option) {
  bool bare = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || c == '.';
  });
  std::string with_unit = bare ? text + "s" : text;
  Result<Duration> parsed = parse_duration(with_unit);
  if (!parsed.ok()) return wrong(option + ": " + parsed.error().message);
  return with_unit;
}

std::string traceparent_of(const std::optional<std::string>& typed) {
  if (typed) return *typed;
  const char* inherited = getenv("TRACEPARENT");
  return inherited != nullptr && parse_traceparent(inherited).ok() ? inherited : "";
}

}  // namespace pawl::cli
