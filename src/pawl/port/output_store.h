// Where what programs write is kept for people, beyond the process that ran them: by attempt and stream.
//
//   PAWL_TRY(outputs.write({"e17/count/3.1.err", 0, "warning: ...\n"}));
//   PAWL_ASSIGN(Bytes more, outputs.read(path_of({ExecutionId{17}, "count", 3, 1, LogStream::err}), 9, 4096));
//
// Contract: `path` is <execution>/<node>/<item>.<attempt>.out or .err. A part may be written again, with
// the same bytes; parts of one file may come in any order. Not durable: a power cut may take the newest.
// Errors: INVALID_ARGUMENT for another kind of path; RESOURCE_EXHAUSTED when there is no room; NOT_FOUND when
// nothing is kept under a path that is read.
// Any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "pawl/base/bytes.h"
#include "pawl/base/result.h"
#include "pawl/model/ids.h"
#include "pawl/port/sink.h"

namespace pawl {

class Loop;

struct OutputPart {
  std::string path;
  uint64_t offset = 0;
  Bytes bytes;
};

enum class LogStream : uint8_t { out = 0, err = 1 };
const char* name(LogStream stream);  // "stdout"

// What one attempt has written to one stream; ordered as people read it.
struct LogKey {
  ExecutionId execution;
  std::string node;
  ItemIndex item = 0;
  AttemptNumber attempt = 0;
  LogStream stream = LogStream::out;

  friend auto operator<=>(const LogKey&, const LogKey&) = default;
};
std::string path_of(const LogKey& key);                  // "e17/count/3.1.err"
bool key_from_path(std::string_view path, LogKey& key);  // false: it is none

struct KeptLog {
  LogKey key;
  uint64_t size = 0;  // bytes so far
};

class OutputStore {
 public:
  virtual ~OutputStore() = default;
  virtual Status write(const OutputPart& part) = 0;
  // At most `size` bytes from `offset` on; fewer where the file ends.
  virtual Result<Bytes> read(const std::string& path, uint64_t offset, uint64_t size) = 0;
  // What is kept of a node, in order.
  virtual Result<std::vector<KeptLog>> list(ExecutionId execution, const std::string& node) = 0;
};

// Copies of what programs write, on their way to the store of another machine. Any thread.
class OutputCopies : public Sink<OutputPart> {
 public:
  // How many parts have been put so far; they are sent without waiting for more.
  virtual uint64_t hurry() = 0;
  // So many have been taken there, refused or dropped, the first of all that were put. Whenever it grows
  // towards what hurry() said, `loop` is woken.
  virtual uint64_t settled() const = 0;
  virtual void tell(Loop* loop) = 0;  // null: nobody
};

}  // namespace pawl
