// Where what programs write is kept for people, beyond the process that ran them: by attempt and stream.
//
//   PAWL_TRY(outputs.write({"e17/count/3.1.err", 0, "warning: ...\n"}));
//
// Contract: `path` is <execution>/<node>/<item>.<attempt>.out or .err. A part may be written again, with
// the same bytes; parts of one file may come in any order. Not durable: a power cut may take the newest.
// Errors: INVALID_ARGUMENT for another kind of path; RESOURCE_EXHAUSTED when there is no room.
// Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "pawl/base/bytes.h"
#include "pawl/base/result.h"

namespace pawl {

struct OutputPart {
  std::string path;
  uint64_t offset = 0;
  Bytes bytes;
};

class OutputStore {
 public:
  virtual ~OutputStore() = default;
  virtual Status write(const OutputPart& part) = 0;
};

}  // namespace pawl
