// A WebSocket: each message is a call in its JSON form (json_codec.h), and each call is answered by one
// message. `watch` is answered once the execution has ended; before that its events come, and what its tasks
// say, with its ticket. `unwatch` ends a watch.
#include <map>
#include <set>

#include "pawl/api/follower.h"
#include "pawl/api/http/exchange.h"
#include "pawl/api/http/subprotocol.h"
#include "pawl/api/json_codec.h"
#include "pawl/api/json_fields.h"
#include "pawl/base/json.h"

namespace pawl {
namespace {

constexpr uint16_t policy_violation = 1008;

class CallSocket final : public Exchange {
 public:
  CallSocket(Place place, HttpRequest request)
      : Exchange(std::move(place)), request_(std::move(request)) {}

  bool begin() override {
    Status open = listener().upgrade(id(), request_, subprotocol);
    if (!open.ok()) {
      HttpResponse refusal = problem(426, open.error().code, open.error().message);
      refusal.fields = {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}};
      return respond(std::move(refusal));
    }
    desk().answering(id(), 101);
    return false;
  }

  bool message(std::string_view text) override {
    if (Status valid = json_validate(text); !valid.ok()) return break_off(valid.error().message);
    std::string call = json_unquote(json_find(text, {"call"}).value_or(""));
    if (call == "watch" || call == "unwatch") return hear_watch(text, call == "watch");
    ReadCall read = call_from_json(text);
    if (read.ticket == 0)
      return break_off(read.call.ok() ? "a call's ticket must not be 0"
                                      : read.call.error().message);
    if (!read.call.ok()) return send(read.ticket, read.call.error());
    if (full(read.ticket)) return false;
    begin_request();
    client_ticket_[ask(std::move(*read.call))] = read.ticket;
    return false;
  }

  bool drained() override {
    for (auto& [ticket, watch] : watches_) {
      if (watch.question == 0 && !watch.at_end) watch_on(ticket, watch);
      const bool owed = watch.at_end ? watch.question == 0 : watch.progress.more();
      if (owed) ask_progress(ticket, watch);
    }
    return false;
  }

 private:
  struct Watch {
    explicit Watch(const ReadHistory& from) : follower(from), progress(from) {}
    Follower follower;
    ProgressFollower progress;
    Ticket question = 0;  // 0: a page is owed, once what waits has been taken
    Ticket progress_question = 0;
    bool at_end = false;        // of the history
    bool asked_at_end = false;  // what is said: nothing more will be
    std::string last_progress;
  };

  bool answered(Ticket ticket, CallResult result) override {
    if (auto asked = progress_of_.extract(ticket); !asked.empty())
      return show_progress(asked.mapped(), watches_.at(asked.mapped()), std::move(result));
    auto client = client_ticket_.extract(ticket);
    if (client.empty()) return false;
    auto watch = watches_.find(client.mapped());
    if (watch != watches_.end() && watch->second.question == ticket)
      return show(client.mapped(), watch->second, std::move(result));
    return send(client.mapped(), std::move(result));
  }

  bool show(Ticket client, Watch& watch, CallResult result) {
    const auto* history = std::get_if<History>(&result);
    if (history == nullptr) {  // an error, or how it has ended
      drop(client);
      if (const auto* detail = std::get_if<ExecutionDetail>(&result))
        result = Settlement{detail->summary.id, detail->summary.status};
      return send(client, std::move(result));
    }
    watch.follower.take(*history);
    if (watch.follower.over()) {
      watch.question = 0;
      watch.at_end = true;
      ask_progress(client, watch);  // what was said last
      return false;
    }
    for (const HistoryEntry& entry : history->entries)
      listener().send(
          id(), R"({"ticket":)" + std::to_string(client) + R"(,"event":)" + to_json(entry) + "}");
    watch.question = 0;
    if (listener().waiting(id()) == 0) watch_on(client, watch);
    return false;
  }

  // What cannot be told now comes with the next, or not at all: the end tells why.
  bool show_progress(Ticket client, Watch& watch, CallResult result) {
    watch.progress_question = 0;
    const auto* running = std::get_if<ProgressList>(&result);
    if (running != nullptr) {
      watch.progress.take(*running);
      std::string text = to_json(result);
      const bool changed = !running->tasks.empty() && text != watch.last_progress;
      if (has_words(*running) || (changed && !watch.at_end))
        listener().send(id(),
                        R"({"ticket":)" + std::to_string(client) + R"(,"progress":)" + text + "}");
      watch.last_progress = std::move(text);
      if (watch.progress.more() || watch.at_end != watch.asked_at_end) {
        if (listener().waiting(id()) == 0) ask_progress(client, watch);
        return false;
      }
    }
    if (!watch.at_end) return false;
    watch.question = ask(GetExecution{watch.follower.execution()});
    client_ticket_[watch.question] = client;
    return false;
  }

  bool alarm() override {
    if (watches_.empty()) return false;
    if (listener().waiting(id()) == 0) {
      for (auto& [ticket, watch] : watches_)
        if (!watch.at_end) ask_progress(ticket, watch);
    }
    set_alarm(desk().now() + desk().options().progress_every);
    return false;
  }

  void ask_progress(Ticket client, Watch& watch) {
    if (watch.progress_question != 0) return;
    watch.asked_at_end = watch.at_end;
    watch.progress_question = ask(watch.progress.next());
    progress_of_[watch.progress_question] = client;
  }

  void watch_on(Ticket client, Watch& watch) {
    watch.question = ask(watch.follower.next());
    client_ticket_[watch.question] = client;
  }

  void drop(Ticket client) {
    auto watch = watches_.extract(client);
    for (Ticket question : {watch.mapped().question, watch.mapped().progress_question}) {
      client_ticket_.erase(question);
      progress_of_.erase(question);
      forget(question);
    }
  }

  bool hear_watch(std::string_view text, bool begins) {
    uint64_t ticket = 0;
    if (!unsigned_from_json(json_find(text, {"ticket"}).value_or(""), ticket) || ticket == 0)
      return break_off("a call's ticket must be a number, and not 0");
    std::string_view with = json_find(text, {"with"}).value_or("{}");
    if (!begins) return unwatch(ticket, with);
    // A watch reads a history: the members are the same.
    Result<Call> read = call_from_json("read_history", with);
    if (!read.ok()) return send(ticket, read.error());
    if (full(ticket)) return false;
    if (watches_.contains(ticket))
      return send(ticket, Error{Code::invalid_argument, "this ticket already watches"});
    auto& query = std::get<ReadHistory>(*read);
    auto watch = watches_.emplace(ticket, Watch(query)).first;
    begin_request();
    watch_on(ticket, watch->second);
    if (watches_.size() == 1) set_alarm(desk().now() + desk().options().progress_every);
    return false;
  }

  bool unwatch(Ticket ticket, std::string_view with) {
    uint64_t which = 0;
    if (!unsigned_from_json(json_find(with, {"ticket"}).value_or(""), which))
      return send(ticket, Error{Code::invalid_argument, "unwatch needs the \"ticket\" of a watch"});
    auto watch = watches_.find(which);
    if (watch == watches_.end()) return send(ticket, Changed{0});
    drop(which);
    send(which, Error{Code::cancelled, "it is not watched any more"});
    return send(ticket, Changed{1});
  }

  bool full(Ticket ticket) {
    uint32_t most = desk().options().socket_calls_max;
    if (client_ticket_.size() < most) return false;
    send(ticket,
         Error{Code::resource_exhausted, "the limit socket_calls_max (" + std::to_string(most) +
                                             " open calls) is reached; wait for answers"});
    return true;
  }

  bool send(Ticket client, CallResult result) {
    listener().send(id(), to_json(CallAnswer{client, std::move(result)}));
    return false;
  }

  // What is no call at all cannot be answered: ticket 0 says why.
  bool break_off(const std::string& why) {
    send(0, Error{Code::invalid_argument, why});
    listener().close(id(), policy_violation, why);
    return false;
  }

  HttpRequest request_;
  std::map<Ticket, Ticket> client_ticket_;  // by ours
  std::map<Ticket, Watch> watches_;         // by the client's
  std::map<Ticket, Ticket> progress_of_;    // the client's, by ours that asks what is said
};

}  // namespace

std::unique_ptr<Exchange> make_call_socket(Exchange::Place place, HttpRequest request) {
  return std::make_unique<CallSocket>(std::move(place), std::move(request));
}

}  // namespace pawl
