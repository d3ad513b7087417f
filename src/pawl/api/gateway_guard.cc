// What stands before every call, and behind every one that changes something: permission, the rate of
// its caller, the audit.

#include <algorithm>

#include "pawl/api/gateway.h"
#include "pawl/api/json_codec.h"
#include "pawl/api/permissions.h"

namespace pawl {
namespace {

constexpr size_t audit_subject_bytes_max = 256;

// What a call was about, as far as names go; never what a client wrote.
struct AuditSubject {
  std::string operator()(const Selection& what) const {
    std::string text = to_text(what.execution);
    if (!what.node.empty()) text += "/" + what.node;
    if (what.item) text += "[" + std::to_string(*what.item) + "]";
    return text.substr(0, audit_subject_bytes_max);
  }
  std::string operator()(const Cancel& call) const { return (*this)(call.what); }
  std::string operator()(const Redrive& call) const { return (*this)(call.what); }
  std::string operator()(const Discard& call) const { return (*this)(call.what); }
  std::string operator()(const Forget& call) const { return to_text(call.execution); }
  std::string operator()(const ConfigureQueue& call) const {
    return ("queue " + call.name).substr(0, audit_subject_bytes_max);
  }
  template <class Other>
  std::string operator()(const Other&) const {
    return {};
  }
};

// How many entries a list is asked for; a history has a bound of its own.
struct EntriesAskedFor {
  uint32_t operator()(const ListExecutions& list) const { return list.limit; }
  uint32_t operator()(const ListDeadLetters& list) const { return list.limit; }
  uint32_t operator()(const ListWorkflows& list) const { return list.limit; }
  template <class Other>
  uint32_t operator()(const Other&) const {
    return 0;
  }
};

std::string made_by(const CallResult& result) {
  if (const auto* one = std::get_if<Submitted>(&result)) return to_text(one->execution);
  if (const auto* run = std::get_if<ExecutionDetail>(&result)) return to_text(run->summary.id);
  if (const auto* workflow = std::get_if<Registered>(&result))
    return "workflow " + std::to_string(workflow->id.value);
  const auto* many = std::get_if<SubmittedMany>(&result);
  if (many == nullptr || many->executions.empty()) return {};
  uint64_t made = 0;
  ExecutionId first;
  for (const SubmittedMany::One& one : many->executions) {
    if (!one.execution) continue;
    if (made++ == 0) first = one.execution;
  }
  return std::to_string(made) + " executions" + (made > 0 ? " from " + to_text(first) : "");
}

Code code_of(const CallResult& result) {
  const auto* error = std::get_if<Error>(&result);
  return error != nullptr ? error->code : Code::ok;
}

}  // namespace

Status Gateway::admit(const Call& call, const Caller& caller) {
  PAWL_TRY(permit(call, caller));
  if (std::visit(EntriesAskedFor(), call) > list_entries_max)
    return Error{Code::invalid_argument, "a list has at most list_entries_max (" +
                                             std::to_string(list_entries_max) +
                                             ") entries; ask for fewer, page by page"};
  if (ports_.audit != nullptr && permission(call.index()).changes)
    if (Result<uint64_t> sound = ports_.audit->durable(); !sound.ok()) return sound.error();
  if (caller.name != local_caller && !caller.counted && ports_.clock != nullptr) {
    Duration wait = rates_.take(caller.name_space + "/" + caller.name, ports_.clock->monotonic());
    if (wait.ns > 0)
      return Error{Code::resource_exhausted,
                   "the limit calls_per_caller (" +
                       std::to_string(options_.calls_per_caller.per_second) +
                       " in a second) is reached by \"" + caller.name + "\"; try again in " +
                       std::to_string(wait.whole_milliseconds() + 1) + " ms",
                   wait};
  }
  if (open_.size() >= options_.calls_open_max)
    return Error{Code::resource_exhausted,
                 "the limit calls_open_max (" + std::to_string(options_.calls_open_max) +
                     ") is reached; try again when some have been answered"};
  return {};
}

AuditRecord Gateway::record_of(const Call& call, const Caller& caller) const {
  AuditRecord record;
  record.at = ports_.clock->wall();
  record.caller = caller.name;
  record.name_space = caller.name_space;
  record.call = name(call);
  record.subject = std::visit(AuditSubject{}, call);
  return record;
}

// Some of them: whoever is refused must not be able to fill the disk.
void Gateway::record_refusal(const Call& call, const Caller& caller, Code code) {
  if (ports_.audit != nullptr) add_refusal(record_of(call, caller), code);
}

void Gateway::record_strangers(uint64_t count) {
  if (ports_.audit == nullptr) return;
  for (; count > 0; --count) {
    AuditRecord record;
    record.at = ports_.clock->wall();
    record.call = "authenticate";
    add_refusal(std::move(record), Code::unauthenticated);
  }
}

void Gateway::add_refusal(AuditRecord record, Code code) {
  if (refusals_.take({}, ports_.clock->monotonic()).ns > 0) {
    ++unrecorded_;
    return;
  }
  record.result = code;
  record.unrecorded = std::exchange(unrecorded_, 0);
  ports_.audit->add(std::move(record));
}

// Of calls that were too many: one line a second says it.
void Gateway::tell_refusal(const Error& error) {
  if (ports_.log == nullptr || ports_.clock == nullptr || error.code != Code::resource_exhausted)
    return;
  Instant now = ports_.clock->monotonic();
  bool just_told = told_refusal_ != Instant::never() && now < told_refusal_ + Duration::seconds(1);
  if (just_told) return;
  told_refusal_ = now;
  ports_.log->warn("call_refused", "a call was refused: " + error.message);
}

// Its client is told once the record is on disk.
void Gateway::record(Open& open, CallResult result) {
  AuditRecord record = record_of(open.call, open.caller);
  record.result = code_of(result);
  if (std::string made = made_by(result); !made.empty()) record.subject = std::move(made);
  uint64_t number = ports_.audit->add(std::move(record));
  held_.push_back({number, open.client, {open.ticket, std::move(result)}});
}

void Gateway::release_held() {
  if (held_.empty()) return;
  Result<uint64_t> durable = ports_.audit->durable();
  while (!held_.empty() && (!durable.ok() || held_.front().number <= *durable)) {
    Held held = std::move(held_.front());
    held_.pop_front();
    if (!durable.ok())
      held.answer.result = Error{Code::unknown, durable.error().message +
                                                    "; whether the call took effect can be seen "
                                                    "by asking"};
    if (held.client != nullptr) held.client->put(std::move(held.answer));
  }
}

// A call that changes something goes on without its client: it is recorded in any case.
bool Gateway::outlives(const Open& open) const {
  return ports_.audit != nullptr && permission(open.call.index()).changes;
}

}  // namespace pawl
