// Any bytes, in any pieces: requests, and perhaps a refusal; the same ones however the bytes are cut.
#include "pawl/adapter/http/request_reader.h"

namespace {

using State = pawl::RequestReader::State;

struct Read {
  std::string requests;
  int refusal = 0;
};

Read read(std::string_view bytes, size_t piece) {
  pawl::HttpOptions options;
  options.head_bytes_max = 512;
  options.body_bytes_max = 4096;
  pawl::RequestReader reader(options);
  Read result;
  while (!bytes.empty()) {
    std::string_view part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    reader.add(part);
    State state = reader.read();
    for (; state == State::request || state == State::head; state = reader.read()) {
      if (state == State::head) continue;
      pawl::HttpRequest request = reader.take();
      PAWL_CHECK(request.body.size() <= options.body_bytes_max, "the limit of bodies holds");
      result.requests += request.method + " " + request.target + "\n" + request.body + "\n";
    }
    if (state == State::broken) {
      result.refusal = reader.refusal().status;
      break;
    }
  }
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Read whole = read(bytes, size + 1);
  Read cut = read(bytes, 7);
  PAWL_CHECK(whole.requests == cut.requests, "how bytes are cut changes nothing");
  // What is wrong may show only once the head is whole.
  PAWL_CHECK(cut.refusal == 0 || whole.refusal != 0, "what is refused in pieces is refused whole");
  return 0;
}
