// What a person types becomes the JSON that an execution is given.
//
//   object_from_pairs({"n=3", "dir=/tmp", "tags=[1,2]"}, "--input")
//       ->  {"n":3,"dir":"/tmp","tags":[1,2]}
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pawl/base/result.h"

namespace pawl::cli {

// Values are UTF-8: any other byte would become another one on its way, and so name another file.
// `what` begins the error: "item 3".
Status check_text(std::string_view text, const std::string& what);

// Where relative paths begin; as a value, so it is checked.
Result<std::string> current_directory();

// A value that is JSON is taken as such, anything else as a text. `option` is for the error.
Result<std::string> object_from_pairs(const std::vector<std::string>& pairs,
                                      const std::string& option);

// The whole file, "-" for standard input; more than `bytes_max` is RESOURCE_EXHAUSTED, unread.
Result<std::string> read_text(const std::string& path, uint64_t bytes_max);

// "e17", "e17/count", "e17/count[42]": what the verbs take.
struct Subject {
  uint64_t execution = 0;
  std::string node;  // empty: the whole execution
  std::optional<uint32_t> item;
};
Result<Subject> parse_subject(const std::string& text);

// "10ms", "1.5s", "5m", "2h", "1d"; a number alone is seconds.
Result<std::string> duration_text(const std::string& text, const std::string& option);

// The trace to submit into: as typed, for the server to judge; else TRACEPARENT of the environment, where
// it is one; else none.
std::string traceparent_of(const std::optional<std::string>& typed);

}  // namespace pawl::cli
