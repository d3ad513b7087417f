// What travels between JqEvaluator and its helper: frames of a 32-bit length and that many bytes.
//
//   request   u8 kind, text expression, u8 context source, text context (when sent)
//   response  u8 outcome, text: the value as JSON, or the error in one line
#pragma once

#include <cstdint>

#include "pawl/base/bytes.h"

namespace pawl::jq {

enum class RequestKind : uint8_t { evaluate = 0, check = 1 };
enum class ContextSource : uint8_t { none = 0, sent = 1, same_as_before = 2 };
enum class Outcome : uint8_t { value = 0, error = 1 };

constexpr int helper_socket = 3;        // descriptor in the helper
constexpr int out_of_memory_exit = 42;  // the helper's exit code
constexpr uint32_t frame_bytes_max = 1u << 30;

}  // namespace pawl::jq
