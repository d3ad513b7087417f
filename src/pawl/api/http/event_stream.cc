// Server-sent events of an execution: `state` at the beginning and at the end, `history` with its
// place as the id, `progress` of what runs.
#include "pawl/api/follower.h"
#include "pawl/api/http/exchange.h"
#include "pawl/api/json_codec.h"

namespace pawl {
namespace {

// Asks for the next page only once the client has taken the last one: whoever reads slowly holds one
// page here, and misses nothing.
class EventStream final : public Exchange {
 public:
  EventStream(Place place, ReadHistory from) : Exchange(std::move(place)), follower_(from) {}

  bool begin() override {
    detail_ = ask(GetExecution{follower_.execution()});
    return false;
  }
  bool drained() override {
    if (owed_) next_page();
    return false;
  }

 private:
  bool answered(Ticket ticket, CallResult result) override {
    if (const auto* error = std::get_if<Error>(&result)) return fail(*error);
    if (const auto* detail = std::get_if<ExecutionDetail>(&result)) return show(ticket, *detail);
    if (const auto* running = std::get_if<ProgressList>(&result)) return show(*running);
    return show(std::get<History>(result));
  }

  bool fail(const Error& error) {
    if (!streaming_) return respond(to_response(error));
    HttpResponse response = to_response(error);
    write(event_text("error", "", response.body));
    listener().end(id());
    return true;
  }

  bool show(Ticket ticket, const ExecutionDetail& detail) {
    bool last = ticket != detail_;
    state_ = event_text("state", "", to_json(CallResult(detail)));
    bool ended = detail.summary.status >= ExecutionStatus::succeeded;
    if (last) {
      write(state_);
      listener().end(id());
      return true;
    }
    // Of one that has ended there may be nothing left to tell.
    if (!ended) start();
    next_page();
    return false;
  }

  void start() {
    if (std::exchange(streaming_, true)) return;
    HttpResponse head = stream_head();
    desk().answering(id(), head.status);
    listener().start_stream(id(), head);
    write(state_);
    set_alarm(desk().now() + desk().options().progress_every);
  }

  bool show(const History& history) {
    follower_.take(history);
    if (follower_.over()) {
      if (streaming_) {
        ask(GetExecution{follower_.execution()});
        return false;
      }
      return respond(nothing_left());
    }
    start();
    std::string text;
    for (const HistoryEntry& entry : history.entries)
      text += event_text("history", to_text(entry.place()), to_json(entry));
    write(text);
    owed_ = true;
    if (listener().waiting(id()) == 0) next_page();
    return false;
  }

  bool show(const ProgressList& running) {
    asked_progress_ = false;
    std::string text = to_json(CallResult(running));
    if (!running.tasks.empty() && text != last_progress_) write(event_text("progress", "", text));
    last_progress_ = std::move(text);
    return false;
  }

  void next_page() {
    owed_ = false;
    ask(follower_.next());
  }

  void write(const std::string& text) {
    silent_since_ = desk().now();
    listener().write(id(), text);
  }

  bool alarm() override {
    const HttpServerOptions& options = desk().options();
    if (listener().waiting(id()) == 0) {
      if (desk().now() - silent_since_ >= options.keep_alive_every) write(": still here\n\n");
      if (!asked_progress_) ask(GetProgress{follower_.execution(), Follower::page});
      asked_progress_ = true;
    }
    set_alarm(desk().now() + options.progress_every);
    return false;
  }

  Follower follower_;
  Ticket detail_ = 0;  // the first question
  std::string state_;
  bool streaming_ = false;
  bool owed_ = false;  // a page, once what waits has been taken
  bool asked_progress_ = false;
  Instant silent_since_;
  std::string last_progress_;
};

}  // namespace

std::string event_text(std::string_view kind, const std::string& id, std::string_view data) {
  std::string text;
  text.reserve(data.size() + 64);
  text.append("event: ").append(kind).append("\n");
  if (!id.empty()) text.append("id: ").append(id).append("\n");
  return text.append("data: ").append(data).append("\n\n");
}

HttpResponse stream_head() {
  HttpResponse head;
  head.content_type = "text/event-stream";
  head.fields = {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
  return head;
}

HttpResponse nothing_left() {
  HttpResponse nothing;
  nothing.status = 204;
  nothing.content_type.clear();
  return nothing;
}

std::unique_ptr<Exchange> make_event_stream(Exchange::Place place, ReadHistory from,
                                            const HttpRequest& request) {
  const std::string* last = request.field("last-event-id");
  HistoryPlace after;
  if (last != nullptr && from_text(*last, after)) from.after = after;
  return std::make_unique<EventStream>(std::move(place), from);
}

}  // namespace pawl
