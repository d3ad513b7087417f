#include "pawl/api/http/http_metrics.h"

namespace pawl {
namespace {

const char* path_of(const Route* route) {
  return route != nullptr ? route->path : "none";
}
const char* method_of(const Route* route) {
  return route != nullptr ? route->method : "";
}

}  // namespace

void HttpFigures::answered(const Route* route, int status, Duration took) {
  OfRoute& here = routes_[route];
  ++here.by_status[status];
  here.took.observe(took);
}

void HttpFigures::write(Exposition& page) const {
  page.family("pawl_http_requests_total", Exposition::counter, "Requests answered, by route");
  for (const auto& [route, here] : routes_) {
    for (const auto& [status, count] : here.by_status)
      page.sample({{"method", method_of(route)},
                   {"route", path_of(route)},
                   {"status", std::to_string(status)}},
                  count);
  }
  page.family("pawl_http_request_seconds", Exposition::histogram,
              "From a whole request until its answer, or the end of its stream");
  for (const auto& [route, here] : routes_)
    page.sample({{"method", method_of(route)}, {"route", path_of(route)}}, here.took);
}

}  // namespace pawl
