// What a program that runs and watches workflows is written against, wherever the engine is: in
// this process (local_client.h) or behind a socket (socket_client.h).
//
//   PAWL_ASSIGN(ExecutionId id, client.submit({definition, "nightly.yaml", R"({"day":7})"}));
//
//   // A live display: wait asynchronously, look ten times per second.
//   Ticket settled = client.start(AwaitExecution{id});
//   while (!client.done(settled) && !interrupted) {       // a SignalWatcher of the loop sets it
//     client.pump(Duration::milliseconds(100));           // runs the loop: engine, signals, socket
//     PAWL_ASSIGN(ExecutionDetail detail, client.execution(id));
//     PAWL_ASSIGN(ProgressList running, client.progress(id));
//     display.show(detail, running);
//   }
//   if (interrupted) client.forget(settled);
//   else PAWL_ASSIGN(Settlement end, client.take_as<Settlement>(settled));
//
// Any number of calls may be open; answers come in the order in which they are ready. A call waits
// for as long as `set_patience()` says (for ever at first), then gives DEADLINE_EXCEEDED; whether
// it took effect can then be seen by asking again (with the same request id).
//
// When the connection is lost, every open call is answered UNAVAILABLE, and so is every later one.
// Threading: the loop's thread. Everything that waits runs the loop, so it must not be called from
// inside a turn, a descriptor's ready() or a signal's signalled().
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "pawl/api/call.h"

namespace pawl {

class Client {
 public:
  virtual ~Client() = default;

  // The asynchronous form.
  virtual Ticket start(Call call) = 0;
  virtual bool done(Ticket ticket) const = 0;
  virtual std::optional<CallResult> take(Ticket ticket) = 0;  // once; nothing before done()
  virtual void forget(Ticket ticket) = 0;                     // its answer is not wanted any more
  // Runs the loop once, for at most `wait_max` without anything to do.
  virtual void pump(Duration wait_max) = 0;
  virtual Duration patience() const = 0;
  virtual void set_patience(Duration patience) = 0;

  // The synchronous form: start, pump until it is done, take.
  CallResult ask(Call call);
  template <class T>
  Result<T> ask_as(Call call) {
    return as<T>(ask(std::move(call)));
  }
  template <class T>
  Result<T> take_as(Ticket ticket) {
    std::optional<CallResult> result = take(ticket);
    if (!result) return Error{Code::failed_precondition, "the call has no answer yet"};
    return as<T>(std::move(*result));
  }

  Result<ExecutionId> submit(SubmitRequest request);
  Result<SubmittedMany> submit_many(SubmitMany request);
  Result<Settlement> await(ExecutionId execution);
  Result<uint64_t> cancel(Selection what, std::string reason = "");
  Result<uint64_t> redrive(Selection what);  // how many dead letters
  Result<uint64_t> discard(Selection what);
  Result<uint64_t> forget_execution(ExecutionId execution);  // 0: it had been forgotten before
  Result<ExecutionDetail> execution(ExecutionId execution);
  Result<ExecutionList> executions(ListExecutions query = {});
  Result<TaskDetail> task(GetTask query);
  Result<DeadLetterList> dead_letters(ListDeadLetters query = {});
  Result<WhyList> why(Explain query);
  Result<Overview> overview();
  Result<History> history(ExecutionId execution, uint32_t limit = 10'000);
  // The newest word of each running task that has reported progress.
  Result<ProgressList> progress(ExecutionId execution);
  Result<LogPart> log(ReadLog query);  // the next part of what a program has written
  Result<LogList> logs(ListLogs query);
  Result<ServerInfo> server();
  // The JSON text of a payload, wherever it is; "null" when absent. Checked against its hash.
  Result<std::string> text(const Payload& payload);

 private:
  template <class T>
  static Result<T> as(CallResult result) {
    if (T* value = std::get_if<T>(&result)) return std::move(*value);
    if (Error* error = std::get_if<Error>(&result)) return std::move(*error);
    return Error{Code::internal, "the answer is of another kind than the question"};
  }
};

}  // namespace pawl
