// Any bytes, in any pieces: the same response, or a failure; never more than the limits.
#include "pawl/adapter/http/response_reader.h"

#include "pawl/adapter/http/http_url.h"

namespace {

using State = pawl::ResponseReader::State;

struct Read {
  State state = State::more;
  int status = 0;
  std::string body;
};

Read read(std::string_view bytes, size_t piece) {
  pawl::ResponseLimits limits{512, 4096};
  pawl::ResponseReader reader(limits);
  Read result;
  while (!bytes.empty() && result.state == State::more) {
    std::string_view part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    reader.add(part);
    result.state = reader.read();
  }
  if (result.state == State::more) result.state = reader.finish();
  PAWL_CHECK(result.state != State::more, "an end is an end");
  PAWL_CHECK(reader.response().body.size() <= limits.body_bytes_max, "the limit of bodies holds");
  if (result.state == State::broken) PAWL_CHECK(!reader.failure().message.empty(), "it says why");
  result.status = reader.response().status;
  result.body = reader.response().body;
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Read whole = read(bytes, size + 1);
  Read cut = read(bytes, 7);
  bool same = whole.state == cut.state && whole.status == cut.status && whole.body == cut.body;
  // What is wrong may show only once the head is whole.
  PAWL_CHECK(same || whole.state == State::broken, "how bytes are cut changes nothing");
  if (auto url = pawl::parse_http_url(bytes); url.ok())
    PAWL_CHECK(!url->host.empty() && url->port != 0, "an address has a host and a port");
  return 0;
}
