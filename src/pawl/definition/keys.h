// Every key and every enumerated word of the file format: what the reader accepts, and what
// docs/schema/workflow.schema.json must say too (schema_test.cc).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace pawl {

enum class Section : uint8_t {
  workflow,
  node,
  retry,
  backoff,
  timeout,
  limits,
  affinity,
  anti_affinity
};

const std::vector<std::string_view>& keys_of(Section section);

const std::vector<std::string_view>& output_words();   // index: OutputMode
const std::vector<std::string_view>& failure_words();  // index: FailureKind; those one can retry on
const std::vector<std::string_view>& apart_words();    // index + 1: Apart

}  // namespace pawl
