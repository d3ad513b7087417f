#include "pawl/api/input.h"

#include "pawl/base/json.h"
#include "pawl/definition/definition.h"

namespace pawl {
namespace {

// Each declared input, given or by default, and whatever else was given.
std::string merge(const std::string& defaults, const std::string& given) {
  if (defaults.empty()) return given.empty() ? "{}" : json_compact(given);
  std::string_view over = given.empty() ? std::string_view("{}") : std::string_view(given);
  JsonWriter out;
  out.begin_object();
  for (JsonItems items(defaults); items.next();) {
    std::string key = json_unquote(items.key());
    out.key(key).raw(json_compact(json_find(over, {key}).value_or(items.value())));
  }
  out.end_object();
  return out.take();
}

}  // namespace

Status check_object(const char* what, const std::string& json) {
  if (json.empty()) return {};
  if (Status valid = json_validate(json); !valid.ok())
    return Error{Code::invalid_argument,
                 std::string("the ") + what + " is not JSON: " + valid.error().message};
  if (json_kind(json) != JsonKind::object)
    return Error{Code::invalid_argument, std::string("the ") + what + " must be a JSON object"};
  return {};
}

Result<Input> make_input(const Workflow& workflow, const std::string& given,
                         const InputStaging& staging) {
  PAWL_TRY(check_object("input", given));
  PAWL_TRY(check_input(workflow, given));
  std::string merged = merge(workflow.input_defaults, given);
  if (merged.size() <= payload_inline_max)
    return Input{Payload::inline_json(std::move(merged)), nullptr};
  if (merged.size() > staging.limits.input_bytes_max)
    return Error{Code::invalid_argument, "the input has " + std::to_string(merged.size()) +
                                             " bytes; the limit input_bytes_max is " +
                                             std::to_string(staging.limits.input_bytes_max) +
                                             "; pass a file's name instead"};
  PAWL_ASSIGN(StagedInputRef staged, StagedInput::put(staging.blob, staging.sequence, merged));
  Payload payload = staged->payload();
  return Input{std::move(payload), std::move(staged)};
}

}  // namespace pawl
