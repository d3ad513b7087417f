#include "pawl/isolate/process_output.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "pawl/base/json.h"
#include "pawl/base/utf8.h"

namespace pawl {
namespace {

Error not_as_declared(std::string message) {
  return Error{Code::failed_precondition, std::move(message)};
}

Result<std::string> whole(ProcessOutput& out, uint64_t bytes_max) {
  if (out.whole_in_head()) return std::move(out.head);
  if (out.bytes > bytes_max) {
    return not_as_declared("stdout has " + std::to_string(out.bytes) +
                           " bytes, and a result at most " + std::to_string(bytes_max) +
                           "; declare `output: none` or a file");
  }
  if (!out.error.empty()) return Error{Code::unavailable, "stdout could not be kept: " + out.error};
  if (out.cut || out.path.empty()) return not_as_declared("stdout was not kept whole");
  std::string text(out.bytes, '\0');
  int fd = open(out.path.c_str(), O_RDONLY | O_CLOEXEC);
  size_t got = 0;
  for (ssize_t n = 1; fd >= 0 && got < text.size() && n > 0; got += static_cast<size_t>(n)) {
    n = pread(fd, text.data() + got, text.size() - got, static_cast<off_t>(got));
    if (n < 0) break;
  }
  if (fd >= 0) close(fd);
  if (got < text.size()) return not_as_declared("cannot read " + out.path + " back");
  return text;
}

// Another byte would become another one on its way, and so name another file.
Status check_utf8(std::string_view text) {
  size_t at = utf8_prefix(text);
  if (at == text.size()) return {};
  return not_as_declared("stdout is not UTF-8 at byte " + std::to_string(at + 1) +
                         "; declare `output: none` and a file, or encode it (base64)");
}

std::string lines_of(std::string_view text) {
  JsonWriter json;
  json.begin_array();
  while (!text.empty()) {
    size_t end = text.find('\n');
    json.string(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  json.end_array();
  return json.take();
}

Result<std::string> stdout_as(OutputMode mode, std::string text) {
  switch (mode) {
    case OutputMode::none:
      return std::string();
    case OutputMode::lines:
      PAWL_TRY(check_utf8(text));
      return lines_of(text);
    case OutputMode::text:
      PAWL_TRY(check_utf8(text));
      [[fallthrough]];
    case OutputMode::lossy: {
      size_t last = text.find_last_not_of('\n');
      return json_quote(std::string_view(text).substr(0, last == std::string::npos ? 0 : last + 1));
    }
    case OutputMode::json:
      break;
  }
  if (Status valid = json_validate(text); !valid.ok()) {
    return not_as_declared("stdout is not JSON: " + valid.error().message);
  }
  return json_compact(text);
}

}  // namespace

Result<std::string> declared_output(const DeclaredOutput& declared, ProcessOutput out) {
  std::string text;
  if (declared.mode != OutputMode::none) {
    PAWL_ASSIGN(text, whole(out, declared.bytes_max));
  }
  PAWL_ASSIGN(std::string json, stdout_as(declared.mode, std::move(text)));
  if (declared.files.empty()) return json;

  JsonWriter with_files;
  with_files.begin_object().key("stdout").raw(json.empty() ? "null" : json);
  with_files.key("files").begin_object();
  for (const auto& [name, path] : declared.files) {
    bool absolute = path.starts_with('/') || declared.directory.empty();
    std::string file = absolute ? path : declared.directory + "/" + path;
    struct stat info {};
    if (stat(file.c_str(), &info) != 0) {
      return not_as_declared("the declared output file \"" + name + "\" is not there: " + file +
                             ": " + std::strerror(errno));
    }
    with_files.key(name).string(file);
  }
  with_files.end_object().end_object();
  return with_files.take();
}

Result<Payload> make_payload(std::string json, const TaskKey& task, AttemptNumber attempt,
                             PayloadStore& payloads) {
  if (json.empty()) return Payload();
  if (json.size() <= payload_inline_max) return Payload::inline_json(std::move(json));
  BlobRef ref;
  ref.owner = task.execution;
  ref.sequence = output_blob_sequence(task, attempt);
  ref.size = json.size();
  ref.hash = hash128(json);
  PAWL_TRY(payloads.put(ref, json));
  return Payload::blob(ref);
}

}  // namespace pawl
