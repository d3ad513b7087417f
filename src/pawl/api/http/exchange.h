// A request on its way to its answer, or what a stream or WebSocket is busy with. Each kind is a small
// state machine over calls; the desk is what it works with.
//
//   class Hello final : public Exchange {
//     bool begin() override { ask(GetServer{}); return false; }
//     bool answered(Ticket, CallResult result) override { respond(to_response(route, result)); return true; }
//   };
//
// Each function returns true when the exchange is over: it has responded, or ended its stream. Then it is
// destroyed, and what it has asked and got no answer to is forgotten. Threading: the sockets' thread.
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "pawl/adapter/http/http_listener.h"
#include "pawl/api/exposition.h"
#include "pawl/api/http/http_server.h"
#include "pawl/api/http/translate.h"

namespace pawl {

class Desk {
 public:
  virtual ~Desk() = default;
  virtual HttpListener& listener() = 0;
  virtual const HttpServerOptions& options() const = 0;
  virtual Instant now() = 0;
  virtual bool stopping() const = 0;
  virtual Ticket ask(ExchangeId id, Call call, const Caller& caller) = 0;
  virtual void stop_waiting(Ticket ticket) = 0;
  virtual void forget(Ticket ticket) = 0;
  virtual void set_alarm(ExchangeId id, Instant before, Instant at) = 0;  // never: none
  virtual void answering(ExchangeId id, int status) = 0;                  // for figures
  virtual void write_metrics(Exposition& page) const = 0;                 // of the sockets' side
};

class Exchange {
 public:
  struct Place {
    Desk& desk;
    ExchangeId id;
    Caller caller;
  };
  explicit Exchange(Place place) : place_(std::move(place)) {}
  virtual ~Exchange() {
    for (Ticket ticket : open_) place_.desk.forget(ticket);
    set_alarm(Instant::never());
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  virtual bool begin() = 0;
  bool take(Ticket ticket, CallResult result) {
    std::erase(open_, ticket);
    return answered(ticket, std::move(result));
  }
  // All that it waits for is answered so: nothing else will come.
  bool stop(const Error& why) {
    while (!open_.empty()) {
      Ticket ticket = open_.front();
      place_.desk.forget(ticket);
      if (take(ticket, why)) return true;
    }
    return false;
  }
  bool wake() {
    alarm_at_ = Instant::never();
    return alarm();
  }
  virtual bool message(std::string_view) { return false; }
  virtual bool drained() { return false; }

 protected:
  virtual bool answered(Ticket ticket, CallResult result) = 0;
  virtual bool alarm() { return false; }

  Desk& desk() { return place_.desk; }
  HttpListener& listener() { return place_.desk.listener(); }
  ExchangeId id() const { return place_.id; }
  // The first question counts against the rate of its caller, and the first of each further request.
  Ticket ask(Call call) {
    open_.push_back(place_.desk.ask(place_.id, std::move(call), place_.caller));
    place_.caller.counted = true;
    return open_.back();
  }
  void begin_request() { place_.caller.counted = false; }
  void forget(Ticket ticket) {
    if (std::erase(open_, ticket) > 0) place_.desk.forget(ticket);
  }
  const std::vector<Ticket>& open() const { return open_; }
  void set_alarm(Instant at) {
    if (at != alarm_at_) place_.desk.set_alarm(place_.id, alarm_at_, at);
    alarm_at_ = at;
  }
  bool respond(HttpResponse response) {
    place_.desk.answering(id(), response.status);
    listener().respond(id(), std::move(response));
    return true;
  }

 private:
  Place place_;
  std::vector<Ticket> open_;
  Instant alarm_at_ = Instant::never();
};

// One server-sent event; `id` may be empty.
std::string event_text(std::string_view kind, const std::string& id, std::string_view data);
HttpResponse stream_head();
HttpResponse nothing_left();  // so that an EventSource does not come back for more

// What answers this request.
std::unique_ptr<Exchange> make_exchange(Exchange::Place place, Translation translation,
                                        HttpRequest request);

std::unique_ptr<Exchange> make_event_stream(Exchange::Place place, ReadHistory from,
                                            const HttpRequest& request);
std::unique_ptr<Exchange> make_log_stream(Exchange::Place place, ReadLog from,
                                          const HttpRequest& request);
std::unique_ptr<Exchange> make_call_socket(Exchange::Place place, HttpRequest request);

}  // namespace pawl
