// The door for whoever watches over a process that has no gateway: GET /metrics, and the probes /livez,
// /readyz and /startupz, over HTTP/1.1.
//
//   PAWL_ASSIGN(auto door, ProbeDoor::open(http, loop, clock, metrics, [&]() -> Status { ... }));
//   door->port();
//
// `ready` is asked for each /readyz: its error is the answer of a 503. Nothing can be changed here, and
// nothing of tasks is shown. Limits are those of HttpOptions. Errors of open(): those of HttpListener.
// Threading: the loop's thread.
#pragma once

#include <functional>
#include <memory>

#include "pawl/adapter/http/http_listener.h"
#include "pawl/api/exposition.h"

namespace pawl {

class ProbeDoor final : private HttpHandler {
 public:
  using Ready = std::function<Status()>;

  static Result<std::unique_ptr<ProbeDoor>> open(HttpOptions options, LinuxLoop& loop, Clock& clock,
                                                 const MetricSource& metrics, Ready ready);
  uint16_t port() const { return listener_->port(); }

 private:
  ProbeDoor(const MetricSource& metrics, Ready ready)
      : metrics_(metrics), ready_(std::move(ready)) {}
  HttpResponse answer(const HttpRequest& request) const;

  void heard(ExchangeId id, HttpRequest request) override;
  void message(ExchangeId, std::string_view) override {}
  void drained(ExchangeId) override {}
  void gone(ExchangeId) override {}

  const MetricSource& metrics_;
  Ready ready_;
  std::unique_ptr<HttpListener> listener_;
};

}  // namespace pawl
