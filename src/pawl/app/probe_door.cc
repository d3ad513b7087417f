#include "pawl/app/probe_door.h"

#include <utility>

namespace pawl {

Result<std::unique_ptr<ProbeDoor>> ProbeDoor::open(HttpOptions options, LinuxLoop& loop,
                                                   Clock& clock, const MetricSource& metrics,
                                                   const Probed& probed) {
  std::unique_ptr<ProbeDoor> door(new ProbeDoor(metrics, probed));
  PAWL_ASSIGN(door->listener_, HttpListener::open(std::move(options), loop, clock, *door));
  return door;
}

HttpResponse ProbeDoor::answer(const HttpRequest& request) const {
  std::string_view path = request.path();
  bool probe = path == "/livez" || path == "/readyz" || path == "/startupz";
  if (!probe && path != "/metrics")
    return problem(
        404, Code::not_found,
        "nothing here but /metrics, /livez, /readyz and /startupz: clients speak with the server");
  if (request.method != "GET" && request.method != "HEAD") {
    HttpResponse refused = problem(405, Code::invalid_argument, "only GET is served here");
    refused.fields.push_back({"Allow", "GET, HEAD"});
    return refused;
  }
  HttpResponse response;
  if (probe) {
    Status ready = path == "/readyz" ? probed_.ready() : Status();
    if (!ready.ok()) return problem(503, ready.error().code, ready.error().message);
    response.body = path == "/readyz" ? R"({"ready":true})" : R"({"live":true})";
    return response;
  }
  Exposition page;
  metrics_.write(page);
  response.content_type = Exposition::content_type;
  response.body = page.take();
  return response;
}

std::optional<HttpResponse> ProbeDoor::admit(ExchangeId, const HttpRequest& head, bool) {
  return answer(head);
}

}  // namespace pawl
