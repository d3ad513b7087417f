// The door for whoever watches over a process that has no gateway: GET /metrics, and the probes /livez,
// /readyz and /startupz, over HTTP/1.1.
//
//   PAWL_ASSIGN(auto door, ProbeDoor::open(http, loop, clock, metrics, probed));
//   door->port();
//
// `probed` is asked for each /readyz: its error is the answer of a 503. Nothing can be changed here, and
// nothing of tasks is shown. Limits are those of HttpOptions. Errors of open(): those of HttpListener.
// Threading: the loop's thread.
#pragma once

#include <memory>

#include "pawl/adapter/http/http_listener.h"
#include "pawl/api/exposition.h"

namespace pawl {

class Probed {
 public:
  virtual ~Probed() = default;
  virtual Status ready() const = 0;
};

class ProbeDoor final : private HttpHandler {
 public:
  static Result<std::unique_ptr<ProbeDoor>> open(HttpOptions options, LinuxLoop& loop, Clock& clock,
                                                 const MetricSource& metrics, const Probed& probed);
  uint16_t port() const { return listener_->port(); }

 private:
  ProbeDoor(const MetricSource& metrics, const Probed& probed)
      : metrics_(metrics), probed_(probed) {}
  HttpResponse answer(const HttpRequest& request) const;

  // Everything is answered by its head: no body is ever read.
  std::optional<HttpResponse> admit(ExchangeId id, const HttpRequest& head,
                                    bool body_follows) override;
  void heard(ExchangeId, HttpRequest) override {}
  void message(ExchangeId, std::string_view) override {}
  void drained(ExchangeId) override {}
  void gone(ExchangeId) override {}

  const MetricSource& metrics_;
  const Probed& probed_;
  std::unique_ptr<HttpListener> listener_;
};

}  // namespace pawl
