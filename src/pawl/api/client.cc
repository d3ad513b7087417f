#include "pawl/api/client.h"

#include <algorithm>
#include <iterator>

#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/base/hash.h"

namespace pawl {

CallResult Client::ask(Call call) {
  LinuxClock clock;
  Ticket ticket = start(std::move(call));
  Instant until = clock.monotonic() + patience();
  while (!done(ticket)) {
    Duration left = until == Instant::never() ? Duration::forever() : until - clock.monotonic();
    if (left <= Duration{}) {
      forget(ticket);
      return Error{Code::deadline_exceeded,
                   "no answer in time; whether it took effect can be seen by asking again"};
    }
    pump(left);
  }
  return std::move(*take(ticket));
}

Result<ExecutionId> Client::submit(SubmitRequest request) {
  PAWL_ASSIGN(Submitted submitted, ask_as<Submitted>(std::move(request)));
  return submitted.execution;
}

Result<SubmittedMany> Client::submit_many(SubmitMany request) {
  return ask_as<SubmittedMany>(std::move(request));
}

Result<Settlement> Client::await(ExecutionId execution) {
  return ask_as<Settlement>(AwaitExecution{execution});
}

Result<uint64_t> Client::cancel(Selection what, std::string reason) {
  PAWL_ASSIGN(Changed changed, ask_as<Changed>(Cancel{std::move(what), std::move(reason)}));
  return changed.count;
}

Result<uint64_t> Client::redrive(Selection what) {
  PAWL_ASSIGN(Changed changed, ask_as<Changed>(Redrive{std::move(what)}));
  return changed.count;
}

Result<uint64_t> Client::discard(Selection what) {
  PAWL_ASSIGN(Changed changed, ask_as<Changed>(Discard{std::move(what)}));
  return changed.count;
}
Result<uint64_t> Client::forget_execution(ExecutionId execution) {
  PAWL_ASSIGN(Changed changed, ask_as<Changed>(Forget{execution}));
  return changed.count;
}

Result<ExecutionDetail> Client::execution(ExecutionId execution) {
  return ask_as<ExecutionDetail>(GetExecution{execution});
}

Result<ExecutionList> Client::executions(ListExecutions query) {
  return ask_as<ExecutionList>(query);
}

Result<TaskDetail> Client::task(GetTask query) {
  return ask_as<TaskDetail>(std::move(query));
}

Result<DeadLetterList> Client::dead_letters(ListDeadLetters query) {
  return ask_as<DeadLetterList>(query);
}

Result<WhyList> Client::why(Explain query) {
  return ask_as<WhyList>(std::move(query));
}

Result<Overview> Client::overview() {
  return ask_as<Overview>(GetOverview{});
}

Result<History> Client::history(ExecutionId execution, uint32_t limit) {
  ReadHistory query{execution, limit};
  PAWL_ASSIGN(History whole, ask_as<History>(query));
  while (whole.truncated && whole.entries.size() < limit) {
    query.after = whole.entries.back().place();
    query.limit = limit - static_cast<uint32_t>(whole.entries.size());
    PAWL_ASSIGN(History page, ask_as<History>(query));
    std::move(page.entries.begin(), page.entries.end(), std::back_inserter(whole.entries));
    whole.truncated = page.truncated && !page.entries.empty();
  }
  return whole;
}

Result<ProgressList> Client::progress(ExecutionId execution) {
  return ask_as<ProgressList>(GetProgress{execution});
}

Result<LogPart> Client::log(ReadLog query) {
  return ask_as<LogPart>(std::move(query));
}

Result<LogList> Client::logs(ListLogs query) {
  return ask_as<LogList>(std::move(query));
}

Result<ServerInfo> Client::server() {
  return ask_as<ServerInfo>(GetServer{});
}

Result<std::string> Client::text(const Payload& payload) {
  if (!payload.is_blob()) return payload.text();
  BlobRef ref = payload.ref();
  std::string text;
  for (uint64_t offset = 0; offset < ref.size;) {
    PAWL_ASSIGN(PayloadPart part, ask_as<PayloadPart>(ReadPayload{ref, offset}));
    if (part.next <= offset) return Error{Code::internal, "a part of a payload came empty"};
    text += part.text;
    offset = part.next;
  }
  if (hash128(text) != ref.hash)
    return Error{Code::data_loss, "a large payload is not what was stored; run `pawl verify`"};
  return text;
}

}  // namespace pawl
