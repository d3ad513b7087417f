// Any bytes as the request of any method: the first byte says which.
#include <google/protobuf/message.h>

#include <memory>

#include "pawl/adapter/grpc/frame_stream.h"
#include "pawl/api/grpc/message_json.h"
#include "pawl/api/grpc/methods.h"
#include "pawl/api/json_codec.h"
#include "pawl/base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pawl;
  static const bool silent = (silence_libraries(), true);
  if (!silent || size == 0) return 0;
  const Method& method = methods()[data[0] % methods().size()];
  std::unique_ptr<google::protobuf::Message> request(method.request->New());
  if (!request->ParseFromArray(data + 1, static_cast<int>(size - 1))) return 0;
  Result<std::string> members = json_of(*request);
  if (!members.ok()) return 0;
  PAWL_CHECK(json_validate(*members).ok(), "members are valid JSON");
  (void)call_from_json(method.call, *members);
  return 0;
}
