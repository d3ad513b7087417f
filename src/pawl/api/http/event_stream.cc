// Server-sent events of an execution: `state` at the beginning and at the end, `history` as it happens,
// `progress` with what running tasks say. The id of an event is how far both have come: "12-3", or "12-3~77"
// behind the word at place 77.
#include "pawl/api/follower.h"
#include "pawl/api/http/exchange.h"
#include "pawl/api/json_codec.h"
#include "pawl/api/json_fields.h"

namespace pawl {
namespace {

// Asks for the next page only once the client has taken the last one: whoever reads slowly holds one
// page here, and misses nothing.
class EventStream final : public Exchange {
 public:
  EventStream(Place place, ReadHistory from)
      : Exchange(std::move(place)), follower_(from), progress_(from) {}

  bool begin() override {
    detail_ = ask(GetExecution{follower_.execution()});
    return false;
  }
  bool drained() override {
    if (owed_) next_page();
    if (std::exchange(owed_words_, false)) ask_progress();
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
      at_end_ = true;
      ask_progress();  // what was said last
      return false;
    }
    start();
    std::string text;
    for (const HistoryEntry& entry : history.entries)
      text += event_text("history", id_at(entry.place()), to_json(entry));
    write(text);
    owed_ = true;
    if (listener().waiting(id()) == 0) next_page();
    return false;
  }

  bool show(const ProgressList& running) {
    asked_progress_ = false;
    progress_.take(running);
    std::string text = to_json(CallResult(running));
    const bool changed = !running.tasks.empty() && text != last_progress_;
    if (has_words(running) || (changed && !at_end_)) {
      start();
      write(event_text("progress", id_at(follower_.place()), text));
    }
    last_progress_ = std::move(text);
    if (progress_.more() || at_end_ != asked_at_end_) {
      owed_words_ = listener().waiting(id()) > 0;
      if (!owed_words_) ask_progress();
      return false;
    }
    if (!at_end_) return false;
    if (!streaming_) return respond(nothing_left());
    ask(GetExecution{follower_.execution()});
    return false;
  }

  void ask_progress() {
    if (std::exchange(asked_progress_, true)) return;
    asked_at_end_ = at_end_;
    ask(progress_.next());
  }

  std::string id_at(const HistoryPlace& place) const {
    std::string id = to_text(place);
    return progress_.place() == 0 ? id : id + "~" + std::to_string(progress_.place());
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
      if (!at_end_) ask_progress();
    }
    set_alarm(desk().now() + options.progress_every);
    return false;
  }

  Follower follower_;
  ProgressFollower progress_;
  Ticket detail_ = 0;  // the first question
  std::string state_;
  bool streaming_ = false;
  bool owed_ = false;  // a page, once what waits has been taken
  bool owed_words_ = false;
  bool asked_progress_ = false;
  bool at_end_ = false;        // of the history
  bool asked_at_end_ = false;  // what is said: nothing more will be
  Instant silent_since_;
  std::string last_progress_;
};

// Behind the event with this id; one that is none is not looked at.
void go_on_behind(std::string_view id, ReadHistory& from) {
  const size_t mark = id.find('~');
  HistoryPlace after;
  if (!from_text(id.substr(0, mark), after)) return;
  from.after = after;
  uint64_t word = 0;
  if (mark != std::string_view::npos && unsigned_from_json(id.substr(mark + 1), word))
    from.words_after = word;
}

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
  if (const std::string* last = request.field("last-event-id")) go_on_behind(*last, from);
  return std::make_unique<EventStream>(std::move(place), from);
}

}  // namespace pawl
