// A server of another process or machine, for C++ programs: submit, wait and watch from any thread.
//
//   PAWL_ASSIGN(auto pawl, RemoteClient::connect({.server = {.url = "https://pawl.example.org",
//                                                            .token = token,
//                                                            .tls = {.ca_file = "ca.pem"}}}));
//   SubmitRequest request{.definition = text, .input_json = R"({"top":3})", .request_id = "monday"};
//   PAWL_ASSIGN(ExecutionId id, pawl->submit(request));
//   PAWL_ASSIGN(ExecutionDetail end, pawl->watch(id, {}, [](const HistoryEntry& entry) {
//     std::puts(to_text(entry.place()).c_str());
//     return true;                                        // false: that was enough
//   }));
//   PAWL_ASSIGN(std::string output, pawl->text(end.output));
//
// When the connection breaks it is made again, and what may be asked again is: questions, waits, watches
// (from the last event that was shown on), registrations and submissions, which get a request id of their
// own if they have none. What is refused with a time after which it may be tried again (Error::retry_after) is,
// for `patience` at most. What must not be repeated unseen (cancel, redrive, discard, forget) gives
// UNAVAILABLE; ask whether it took effect, then again. The same holds for call().
//
// Errors: those of the server; UNAVAILABLE once nothing has been heard for `patience`; DEADLINE_EXCEEDED of
// wait(). connect() waits for the server for as long as that, too, but not after INVALID_ARGUMENT,
// UNAUTHENTICATED and their kind.
// Limits: those of HttpClientOptions; the server's socket_calls_max for calls that are open at once.
// Threading: every method from any thread; each blocks until it is answered. It has a thread of its own for
// the connection. Destroy it when no call is open.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "pawl/api/call.h"
#include "pawl/api/follower.h"
#include "pawl/api/http/http_client.h"

namespace pawl {

struct RemoteClientOptions {
  HttpClientOptions server{};
  Duration patience = Duration::minutes(1);  // with a server that is not there
};

class RemoteClient {
 public:
  static Result<std::unique_ptr<RemoteClient>> connect(RemoteClientOptions options);
  ~RemoteClient();
  RemoteClient(const RemoteClient&) = delete;
  RemoteClient& operator=(const RemoteClient&) = delete;

  Result<ExecutionId> submit(SubmitRequest request);
  Result<ExecutionDetail> submit_and_wait(SubmitRequest request);
  Result<Registered> register_definition(RegisterDefinition definition);
  Result<ExecutionDetail> execution(ExecutionId execution);
  Result<ExecutionList> executions(ListExecutions query = {});
  Result<History> history(ReadHistory query);
  // What a program has written, from an offset on: the next part; with `wait`, once there is one.
  Result<LogPart> log(ReadLog query);
  Result<uint64_t> cancel(Selection what, std::string reason = "");
  // The JSON text of a payload, wherever it is; "null" when absent. Checked against its hash.
  Result<std::string> text(const Payload& payload);

  // Until it has ended or is parked.
  Result<Settlement> wait(ExecutionId execution, Duration at_most = Duration::forever());
  // Shows every event behind `after` in order, each once, as they become durable; then the execution as it
  // is, once it has ended or `show` has said false. `show` runs on the caller's thread.
  template <class Show>
  Result<ExecutionDetail> watch(ExecutionId execution, HistoryPlace after, Show show) {
    ReadHistory from{execution};
    from.after = after;
    for (Follower follower(from); !follower.over();) {
      PAWL_ASSIGN(History page, history(follower.next()));
      for (const HistoryEntry& entry : page.entries)
        if (!show(entry)) return this->execution(execution);
      follower.take(page);
    }
    return this->execution(execution);
  }

  // Any call (api/call.h), once.
  CallResult call(Call call);

 private:
  class Impl;
  explicit RemoteClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pawl
