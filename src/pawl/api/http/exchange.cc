// The exchanges of plain requests.
#include "pawl/api/http/exchange.h"

#include "pawl/api/http/open_api.h"
#include "pawl/api/json_codec.h"

namespace pawl {
namespace {

// One call, one response. A client that waits is answered with what there is when its time is up.
class OneCall final : public Exchange {
 public:
  OneCall(Place place, Translation translation)
      : Exchange(std::move(place)), translation_(std::move(translation)) {}

  bool begin() override {
    ask(std::move(*translation_.call));
    if (translation_.wait > Duration{}) set_alarm(desk().now() + translation_.wait);
    return false;
  }

 private:
  bool answered(Ticket, CallResult result) override {
    return respond(to_response(*translation_.route, result));
  }
  bool alarm() override {
    for (Ticket ticket : open()) desk().stop_waiting(ticket);
    return false;
  }
  Translation translation_;
};

// Of whoever is told a value itself, read part by part if it is large.
class ValueExchange : public Exchange {
 protected:
  using Exchange::Exchange;

  bool show_output(const ExecutionDetail& detail) {
    const ExecutionSummary& summary = detail.summary;
    if (summary.status != ExecutionStatus::succeeded) {
      std::string why = summary.error.empty() ? "" : ": " + summary.error;
      return respond(to_response(Error{Code::failed_precondition,
                                       to_text(summary.id) + " is " + name(summary.status) + why +
                                           "; an execution has an output once it has succeeded"}));
    }
    return detail.output.is_blob() ? read(detail.output.ref()) : show(detail.output.text());
  }
  bool read(const BlobRef& blob) {
    blob_ = blob;
    ask(ReadPayload{blob_, 0});
    return false;
  }
  bool add(PayloadPart part) {
    text_ += part.text;
    if (part.next >= blob_.size) return show(std::move(text_));
    ask(ReadPayload{blob_, part.next});
    return false;
  }
  std::vector<HttpField> fields_;  // of the response that shows it

 private:
  bool show(std::string text) {
    HttpResponse response;
    response.body = std::move(text);
    response.fields = std::move(fields_);
    return respond(std::move(response));
  }

  BlobRef blob_;
  std::string text_;
};

// The detail of an execution, at once or when it has settled; then it is shown, or its output is.
class ReadExecution final : public ValueExchange {
 public:
  ReadExecution(Place place, Translation translation)
      : ValueExchange(std::move(place)), translation_(std::move(translation)) {}

  bool begin() override {
    execution_ = std::get<GetExecution>(*translation_.call).execution;
    if (translation_.wait > Duration{}) {
      waits_ = ask(AwaitExecution{execution_});
      set_alarm(desk().now() + translation_.wait);
    } else {
      ask(GetExecution{execution_});
    }
    return false;
  }

 private:
  bool answered(Ticket ticket, CallResult result) override {
    if (ticket == waits_ && std::holds_alternative<Settlement>(result)) {
      set_alarm(Instant::never());
      ask(GetExecution{execution_});
      return false;
    }
    if (auto* part = std::get_if<PayloadPart>(&result)) return add(std::move(*part));
    const auto* detail = std::get_if<ExecutionDetail>(&result);
    if (detail == nullptr || translation_.route->kind == RouteKind::read)
      return respond(to_response(*translation_.route, result));
    if (translation_.route->kind == RouteKind::record) {
      HttpResponse response;
      response.body = execution_state_json(*detail);
      return respond(std::move(response));
    }
    return show_output(*detail);
  }

  bool alarm() override {
    forget(waits_);
    ask(GetExecution{execution_});
    return false;
  }

  Translation translation_;
  ExecutionId execution_;
  Ticket waits_ = 0;
};

// A workflow run for its output. What still runs when the time is up is shown as it is.
class RunForOutput final : public ValueExchange {
 public:
  RunForOutput(Place place, Translation translation)
      : ValueExchange(std::move(place)), translation_(std::move(translation)) {}

  bool begin() override {
    runs_ = ask(std::move(*translation_.call));
    set_alarm(desk().now() + translation_.wait);
    return false;
  }

 private:
  bool answered(Ticket, CallResult result) override {
    if (auto* part = std::get_if<PayloadPart>(&result)) return add(std::move(*part));
    const auto* detail = std::get_if<ExecutionDetail>(&result);
    if (detail == nullptr || detail->summary.status == ExecutionStatus::running)
      return respond(to_response(*translation_.route, result));
    set_alarm(Instant::never());
    fields_ = {location_of(detail->summary.id)};
    return show_output(*detail);
  }

  bool alarm() override {
    desk().stop_waiting(runs_);
    return false;
  }

  Translation translation_;
  Ticket runs_ = 0;
};

// A large payload.
class ReadContent final : public ValueExchange {
 public:
  ReadContent(Place place, Translation translation)
      : ValueExchange(std::move(place)), ref_(std::get<ReadPayload>(*translation.call).ref) {}
  bool begin() override { return read(ref_); }

 private:
  bool answered(Ticket, CallResult result) override {
    if (const auto* error = std::get_if<Error>(&result)) return respond(to_response(*error));
    return add(std::move(std::get<PayloadPart>(result)));
  }
  BlobRef ref_;
};

// Ready is whose engine takes work, and who does not stop.
class Ready final : public Exchange {
 public:
  using Exchange::Exchange;
  bool begin() override {
    if (desk().stopping())
      return respond(to_response(Error{Code::unavailable, "this server is stopping"}));
    ask(GetServer{});
    return false;
  }

 private:
  bool answered(Ticket, CallResult result) override {
    if (const auto* error = std::get_if<Error>(&result)) return respond(to_response(*error));
    const auto& server = std::get<ServerInfo>(result);
    if (!server.unready.empty())
      return respond(to_response(Error{Code::unavailable, server.unready}));
    HttpResponse response;
    response.body = R"({"ready":true})";
    return respond(std::move(response));
  }
};

// The figures of the gateway's side, and of this one.
class Scrape final : public Exchange {
 public:
  using Exchange::Exchange;
  bool begin() override {
    ask(GetMetrics{});
    return false;
  }

 private:
  bool answered(Ticket, CallResult result) override {
    if (const auto* error = std::get_if<Error>(&result)) return respond(to_response(*error));
    Exposition page;
    desk().write_metrics(page);
    HttpResponse response;
    response.content_type = Exposition::content_type;
    response.body = std::get<MetricsPage>(result).text + page.take();
    return respond(std::move(response));
  }
};

class Fixed final : public Exchange {
 public:
  Fixed(Place place, std::string body) : Exchange(std::move(place)), body_(std::move(body)) {}
  bool begin() override {
    HttpResponse response;
    response.body = std::move(body_);
    return respond(std::move(response));
  }

 private:
  bool answered(Ticket, CallResult) override { return false; }
  std::string body_;
};

}  // namespace

std::unique_ptr<Exchange> make_exchange(Exchange::Place place, Translation translation,
                                        HttpRequest request) {
  switch (translation.route->kind) {
    case RouteKind::call:
    case RouteKind::submit:
    case RouteKind::log:
      return std::make_unique<OneCall>(std::move(place), std::move(translation));
    case RouteKind::read:
    case RouteKind::record:
    case RouteKind::output:
      return std::make_unique<ReadExecution>(std::move(place), std::move(translation));
    case RouteKind::run:
      return std::make_unique<RunForOutput>(std::move(place), std::move(translation));
    case RouteKind::payload:
      return std::make_unique<ReadContent>(std::move(place), std::move(translation));
    case RouteKind::events:
      return make_event_stream(std::move(place), std::get<ReadHistory>(*translation.call), request);
    case RouteKind::log_events:
      return make_log_stream(std::move(place), std::get<ReadLog>(*translation.call), request);
    case RouteKind::socket:
      return make_call_socket(std::move(place), std::move(request));
    case RouteKind::document:
      return std::make_unique<Fixed>(std::move(place), open_api_json());
    case RouteKind::live:
      return std::make_unique<Fixed>(std::move(place), R"({"live":true})");
    case RouteKind::ready:
      return std::make_unique<Ready>(std::move(place));
    case RouteKind::metrics:
      return std::make_unique<Scrape>(std::move(place));
  }
  return nullptr;
}

}  // namespace pawl
