// Server-sent events of what the program of one attempt writes: `output` with the place behind it as the id
// ("2-4096": attempt 2, byte 4,096), and `end` once the attempt has ended.
#include <charconv>

#include "pawl/api/http/exchange.h"
#include "pawl/api/json_codec.h"

namespace pawl {
namespace {

// "2-4096"; false: it is none.
bool place_from_text(std::string_view text, ReadLog& from) {
  const char* end = text.data() + text.size();
  auto [dash, bad] = std::from_chars(text.data(), end, from.attempt);
  if (bad != std::errc() || dash == end || *dash != '-') return false;
  auto [rest, worse] = std::from_chars(dash + 1, end, from.offset);
  return worse == std::errc() && rest == end;
}

// Asks for the next part only once the client has taken the last one: whoever reads slowly holds one part
// here, and misses nothing.
class LogStreamer final : public Exchange {
 public:
  LogStreamer(Place place, ReadLog from) : Exchange(std::move(place)), next_(std::move(from)) {}

  bool begin() override {
    next_.wait = false;  // whatever there is to refuse is refused at once
    ask(next_);
    return false;
  }
  bool drained() override {
    if (std::exchange(owed_, false)) ask(next_);
    return false;
  }

 private:
  bool answered(Ticket, CallResult result) override {
    if (const auto* error = std::get_if<Error>(&result)) return fail(*error);
    const auto& part = std::get<LogPart>(result);
    if (part.over && part.content().empty() && !streaming_) return respond(nothing_left());
    start();
    next_.attempt = part.attempt;
    next_.offset = part.next;
    next_.wait = true;
    std::string place = std::to_string(part.attempt) + "-" + std::to_string(part.next);
    if (!part.content().empty()) write(event_text("output", place, to_json(result)));
    if (part.over) {
      write(event_text("end", place, R"({"attempt":)" + std::to_string(part.attempt) + "}"));
      listener().end(id());
      return true;
    }
    owed_ = true;
    return listener().waiting(id()) == 0 ? drained() : false;
  }

  bool fail(const Error& error) {
    HttpResponse response = to_response(error);
    if (!streaming_) return respond(std::move(response));
    write(event_text("error", "", response.body));
    listener().end(id());
    return true;
  }

  void start() {
    if (std::exchange(streaming_, true)) return;
    HttpResponse head = stream_head();
    desk().answering(id(), head.status);
    listener().start_stream(id(), head);
    set_alarm(desk().now() + desk().options().keep_alive_every);
  }

  void write(const std::string& text) {
    silent_since_ = desk().now();
    listener().write(id(), text);
  }

  bool alarm() override {
    const Duration every = desk().options().keep_alive_every;
    if (listener().waiting(id()) == 0 && desk().now() - silent_since_ >= every)
      write(": still here\n\n");
    set_alarm(desk().now() + every);
    return false;
  }

  ReadLog next_;
  bool streaming_ = false;
  bool owed_ = false;  // a part, once what waits has been taken
  Instant silent_since_;
};

}  // namespace

std::unique_ptr<Exchange> make_log_stream(Exchange::Place place, ReadLog from,
                                          const HttpRequest& request) {
  const std::string* last = request.field("last-event-id");
  ReadLog after = from;
  if (last != nullptr && place_from_text(*last, after)) from = after;
  return std::make_unique<LogStreamer>(std::move(place), std::move(from));
}

}  // namespace pawl
