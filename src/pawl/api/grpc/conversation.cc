#include "pawl/api/grpc/conversation.h"

#include <google/protobuf/message.h>

#include <deque>

#include "pawl/api/follower.h"
#include "pawl/api/grpc/grpc_door.h"
#include "pawl/api/grpc/message_json.h"
#include "pawl/api/json_codec.h"
#include "pawl/v1/executions.pb.h"

namespace pawl {
namespace {

// One call, one message.
class OneCall final : public Conversation {
 public:
  using Conversation::Conversation;
  void begin(Call call) override { ask(std::move(call)); }

 private:
  void answered(Ticket, CallResult result) override {
    if (auto* error = std::get_if<Error>(&result)) return desk().finish(call(), std::move(*error));
    std::unique_ptr<google::protobuf::Message> message(call().method().response->New());
    fill(*message, to_json(result));
    desk().answer(call(), *message);
  }
};

// Payloads part by part: the next is asked for when the client has taken the last.
class Content final : public Conversation {
 public:
  using Conversation::Conversation;
  void begin(Call call) override {
    if (const auto* read = std::get_if<ReadPayload>(&call)) read_ = *read;
    ask(std::move(call));
  }
  void written() override {
    if (read_.offset >= read_.ref.size) return desk().finish(call(), {});
    ask(read_);
  }

 private:
  void answered(Ticket, CallResult result) override {
    if (auto* error = std::get_if<Error>(&result)) return desk().finish(call(), std::move(*error));
    if (const auto* detail = std::get_if<ExecutionDetail>(&result)) return show(*detail);
    auto& part = std::get<PayloadPart>(result);
    read_.offset = part.next;
    write(std::move(part.text));
  }
  void show(const ExecutionDetail& detail) {
    const ExecutionSummary& summary = detail.summary;
    if (summary.status != ExecutionStatus::succeeded) {
      std::string why = summary.error.empty() ? "" : ": " + summary.error;
      return desk().finish(call(), Error{Code::failed_precondition,
                                         to_text(summary.id) + " is " + name(summary.status) + why +
                                             "; an execution has an output once it has succeeded"});
    }
    if (!detail.output.is_blob()) return write(std::string(detail.output.text()));
    read_.ref = detail.output.ref();
    ask(read_);
  }
  void write(std::string text) {
    v1::ContentPart message;
    message.set_content(std::move(text));
    desk().write(call(), message);
  }

  ReadPayload read_;
};

// What a program has written, part by part, as with payloads; waits for more only where the client does.
class Log final : public Conversation {
 public:
  using Conversation::Conversation;
  void begin(Call call) override {
    next_ = std::get<ReadLog>(std::move(call));
    waits_ = std::exchange(next_.wait, false);  // whatever there is to refuse is refused at once
    ask(next_);
  }
  void written() override {
    if (over_) return desk().finish(call(), {});
    ask(next_);
  }

 private:
  void answered(Ticket, CallResult result) override {
    if (auto* error = std::get_if<Error>(&result)) return desk().finish(call(), std::move(*error));
    const auto& part = std::get<LogPart>(result);
    bool nothing = part.content().empty();
    over_ = part.over || (nothing && !waits_);
    next_.attempt = part.attempt;
    next_.offset = part.next;
    next_.wait = waits_;
    if (nothing && !over_) return void(ask(next_));
    v1::LogPart message;
    message.set_attempt(part.attempt);
    message.set_offset(part.offset);
    message.set_content(part.content());
    message.set_next(part.next);
    message.set_over(part.over);
    desk().write(call(), message);
  }

  ReadLog next_;
  bool waits_ = false;
  bool over_ = false;
};

// State, history page by page, progress, and the state at the end. The next page is asked for once the
// client has taken the last one: whoever reads slowly holds one page here, and misses nothing.
class Watch final : public Conversation {
 public:
  using Conversation::Conversation;
  void begin(Call call) override {
    const auto& from = std::get<ReadHistory>(call);
    follower_.emplace(from);
    progress_.emplace(from);
    ask(GetExecution{follower_->execution()});
  }
  void written() override {
    writing_ = false;
    write_next();
  }
  void woken() override {
    if (!writing_ && !at_end_) ask_progress();
    desk().wake_in(call(), desk().progress_every());
  }

 private:
  void answered(Ticket, CallResult result) override {
    if (auto* error = std::get_if<Error>(&result)) return desk().finish(call(), std::move(*error));
    if (std::holds_alternative<ExecutionDetail>(result)) return show_state(result);
    if (const auto* running = std::get_if<ProgressList>(&result)) return show(*running, result);
    show(std::get<History>(result));
  }
  void show_state(const CallResult& detail) {
    if (!begun_) desk().wake_in(call(), desk().progress_every());
    begun_ = true;
    fill(*waiting_.emplace_back().mutable_state(), to_json(detail));
    write_next();
  }
  void show(const History& history) {
    asked_page_ = false;
    follower_->take(history);
    if (follower_->over()) {
      at_end_ = true;
      ask_progress();  // what was said last
      return;
    }
    size_t bytes = watch_update_bytes_max;
    for (const HistoryEntry& entry : history.entries) {
      if (bytes >= watch_update_bytes_max) {
        waiting_.emplace_back();
        bytes = 0;
      }
      v1::HistoryEntry& event = *waiting_.back().add_events();
      fill(event, to_json(entry));
      waiting_.back().set_cursor(to_text(entry.place()));
      bytes += event.ByteSizeLong();
    }
    write_next();
  }
  void show(const ProgressList& running, const CallResult& result) {
    asked_progress_ = false;
    progress_->take(running);
    owed_words_ = progress_->more() || at_end_ != asked_at_end_;
    std::string text = to_json(result);
    const bool changed = !running.tasks.empty() && text != last_progress_;
    last_progress_ = std::move(text);
    if (has_words(running) || (changed && !at_end_))
      fill(*waiting_.emplace_back().mutable_progress(), last_progress_);
    if (at_end_ && !owed_words_) ask(GetExecution{follower_->execution()});
    write_next();
  }
  void ask_progress() {
    if (std::exchange(asked_progress_, true)) return;
    asked_at_end_ = at_end_;
    ask(progress_->next());
  }
  void write_next() {
    if (writing_) return;
    if (!waiting_.empty()) {
      writing_ = true;
      desk().write(call(), waiting_.front());
      ended_ = at_end_ && waiting_.front().has_state();
      waiting_.pop_front();
      return;
    }
    if (ended_) return desk().finish(call(), {});
    if (std::exchange(owed_words_, false)) ask_progress();
    if (!at_end_ && !std::exchange(asked_page_, true)) ask(follower_->next());
  }

  std::optional<Follower> follower_;
  std::optional<ProgressFollower> progress_;
  std::deque<v1::WatchUpdate> waiting_;  // to be written
  bool writing_ = false;
  bool begun_ = false;
  bool asked_page_ = false;
  bool asked_progress_ = false;
  bool owed_words_ = false;
  bool at_end_ = false;        // there will be no more events
  bool asked_at_end_ = false;  // what is said: nothing more will be
  bool ended_ = false;         // and the last state is written
  std::string last_progress_;
};

}  // namespace

std::unique_ptr<Conversation> make_conversation(Desk& desk, ServedCall& call) {
  switch (call.method().kind) {
    case MethodKind::call:
      return std::make_unique<OneCall>(desk, call);
    case MethodKind::watch:
      return std::make_unique<Watch>(desk, call);
    case MethodKind::output:
    case MethodKind::content:
      return std::make_unique<Content>(desk, call);
    case MethodKind::log:
      return std::make_unique<Log>(desk, call);
  }
  return nullptr;
}

}  // namespace pawl
