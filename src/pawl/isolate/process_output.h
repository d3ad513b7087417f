// From what a process left behind to the output of its task.
//
//   text   a JSON string, without the newlines at the end (as $(...) does in shells)
//   lossy  the same, with U+FFFD for bytes that are not UTF-8; with `text` and `lines` they are an error
//   json   the JSON value printed
//   lines  an array of strings, one per line
//   none   null
// With declared output files: {"stdout": <as above>, "files": {"name": "path", ...}}; each file
// must exist, and relative paths are given from `directory`.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "pawl/base/result.h"
#include "pawl/isolate/process.h"
#include "pawl/model/ids.h"
#include "pawl/model/payload.h"
#include "pawl/port/payload_store.h"

namespace pawl {

struct DeclaredOutput {
  OutputMode mode = OutputMode::text;
  std::vector<std::pair<std::string, std::string>> files;  // name -> path, rendered
  std::string directory;
  uint64_t bytes_max = 0;  // of stdout, as a result
};

// JSON text; empty for null. The error says what is not as declared.
Result<std::string> declared_output(const DeclaredOutput& declared, ProcessOutput out);

// Text above payload_inline_max goes to the blob store. The sequence number follows from task and
// attempt alone: 1 node:14 item:24 attempt:25, from the top.
Result<Payload> make_payload(std::string json, const TaskKey& task, AttemptNumber attempt,
                             PayloadStore& payloads);

}  // namespace pawl
