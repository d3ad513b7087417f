// What a client may ask of a partition, and what it is answered: commands and queries, and beside
// them what only the shell can answer, because it waits, looks into the log or measures.
//
//   engine.put({7, Query{GetExecution{ExecutionId{17}}}});   // the answer: {7, QueryResult{...}}
//   engine.put({8, AwaitExecution{ExecutionId{17}}});        // {8, Reply{ok, "succeeded", 17}}
//
// Plain values; whoever asks chooses the ticket, unique while the question is open. Ticket 0 asks for no
// answer.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pawl/base/result.h"
#include "pawl/model/command.h"
#include "pawl/model/effect.h"
#include "pawl/model/event.h"
#include "pawl/partition/figures.h"
#include "pawl/partition/query.h"

namespace pawl {

// Answers once the execution has ended or is parked: at once if it already is.
struct AwaitExecution {
  ExecutionId execution;
};
// Submits and waits in one request. Answers with the ExecutionDetail once it has ended; with a Reply
// when it was refused, or is parked (number: the execution).
struct RunExecution {
  SubmitExecution submit;
};

// Where an event stands in its execution's history: behind which to go on reading. As text "12-3".
struct HistoryPlace {
  uint64_t position = 0;  // of the group in the log; 0: before everything
  uint32_t index = 0;     // in the group

  friend constexpr auto operator<=>(const HistoryPlace&, const HistoryPlace&) = default;
};
std::string to_text(const HistoryPlace& place);
bool from_text(std::string_view text, HistoryPlace& place);  // false: it is none

// The execution's events, oldest first: those behind `after`. With `wait` the answer comes once there
// are any, or can be none any more because the execution has ended.
struct ReadHistory {
  ExecutionId execution;
  uint32_t limit = 10'000;
  HistoryPlace after{};
  bool wait = false;
  std::optional<uint64_t>
      words_after{};  // of whoever watches: as in GetProgress. The history has none.
};
struct HistoryEntry {
  uint64_t position = 0;
  Instant now;  // duration clock of its group
  WallTime wall;
  Event event;
  uint32_t index = 0;  // in its group

  HistoryPlace place() const { return {position, index}; }
};
struct History {
  Status status;  // why it is incomplete
  std::vector<HistoryEntry> entries;
  bool truncated = false;  // `limit` was reached
};

// Whoever asked a RunExecution or a waiting ReadHistory with this ticket is answered with what there
// is now: Reply{ok, "running", execution}, or a history without entries. Has no answer of its own.
struct StopWaiting {
  Ticket waiting = 0;
};

// The newest word of the execution's running tasks, those that have said something or run for a second, and
// how many run; with `words_after`, also what was said behind that place (0: all that is kept). Not durable.
struct GetProgress {
  ExecutionId execution;
  uint32_t limit = 1000;  // of tasks, and of words
  std::optional<uint64_t> words_after{};
};
struct RunningTask {
  AttemptProgress progress;  // its usage.running goes on from when it was said
  std::string worker;        // its name
};
// A word about progress that was said, and as which of its attempt's, from 1: numbers that are missing between
// two are of words that are no longer kept.
struct SaidWord {
  AttemptProgress progress;
  uint64_t number = 0;
};
struct ProgressList {
  std::vector<RunningTask> tasks;        // by node and item
  std::vector<RunningAttempts> running;  // by node
  // What was asked for and is kept (engine/words.h): each word once, in the order in which they came.
  std::optional<std::vector<SaidWord>> words{};
  std::optional<uint64_t> words_cursor{};  // the place of the last of them: behind which to go on
};

// What the engine knows about itself (figures.h): at once, however much waits before it, and also when it
// has stopped.
struct GetFigures {};
using FiguresRef = std::shared_ptr<const Figures>;

// With a `name_space`, only what belongs to it exists: whatever else is named is NOT_FOUND, in the
// same words as what never was, and a submission goes there. Empty: all.
struct Request {
  Ticket ticket = 0;
  std::variant<Command, Query, AwaitExecution, RunExecution, ReadHistory, GetProgress, StopWaiting,
               GetFigures>
      what;
  std::string name_space{};
};
struct Response {
  Ticket ticket = 0;
  std::variant<Reply, QueryResult, History, ProgressList, FiguresRef> what;
};

}  // namespace pawl
