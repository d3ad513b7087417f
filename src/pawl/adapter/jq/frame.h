// What travels between JqEvaluator and its helpers: frames of a 32-bit length and that many bytes.
//
//   request   u8 kind, text expression, u8 context source, text context (when sent)
//   response  u8 outcome, text: the value as JSON, or the error in one line
#pragma once

#include <cstdint>
#include <string>

#include "pawl/base/bytes.h"
#include "pawl/base/result.h"

namespace pawl::jq {

enum class RequestKind : uint8_t { evaluate = 0, check = 1 };
enum class ContextSource : uint8_t { none = 0, sent = 1, same_as_before = 2 };
enum class Outcome : uint8_t { value = 0, error = 1 };

constexpr int helper_socket = 3;        // descriptor in the helper
constexpr int out_of_memory_exit = 42;  // the helper's exit code
constexpr uint32_t frame_bytes_max = 1u << 30;

Bytes check_request(const std::string& expression);
// RESOURCE_EXHAUSTED above frame_bytes_max. No context: the same as before.
Result<Bytes> evaluate_request(const std::string& expression, const std::string* context);
Result<std::string> value_in(ByteView answer);

}  // namespace pawl::jq
