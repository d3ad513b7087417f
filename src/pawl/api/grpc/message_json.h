// Messages of proto/pawl/v1 as the members of calls and answers in JSON (json_codec.h), by their names.
//
//   WaitRequest{execution: "e17"}               json_of() -> {"execution":"e17"}
//   {"execution":"e17","status":"succeeded"}    fill()    -> Settlement{"e17", EXECUTION_STATUS_SUCCEEDED}
//
// A field has the name of its member, or that and `_json`: then it holds the member's JSON text. Fields that
// are not set are left out, lists never. Enumerations are the members' words without their prefix, times RFC 3339,
// payloads and references to large ones as json_fields.h has them. Members that a message has no field for
// are left out. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

#include "pawl/base/result.h"

namespace google::protobuf {
class Message;
}

namespace pawl {

// INVALID_ARGUMENT: a field that must be JSON is none.
Result<std::string> json_of(const google::protobuf::Message& message);
// `json`: a valid object.
void fill(google::protobuf::Message& message, std::string_view json);

}  // namespace pawl
