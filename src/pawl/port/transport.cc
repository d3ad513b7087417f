#include "pawl/port/transport.h"

namespace pawl {
namespace {

constexpr uint64_t entry_bytes = 48;  // of what has no values: numbers, about

uint64_t carried(const Hello& hello) {
  return entry_bytes * (1 + hello.held.size() + hello.worker.functions.size());
}

uint64_t carried(const Reports& body) {
  uint64_t bytes = 0;
  for (const AttemptReport& report : body.reports) bytes += entry_bytes + carried_bytes(report);
  return bytes;
}

uint64_t carried(const Progress& body) {
  uint64_t bytes = entry_bytes * body.running.size();
  for (const AttemptProgress& one : body.items) bytes += entry_bytes + one.message.size();
  return bytes;
}

// Neighbours that share a context share it on the way.
uint64_t carried(const Grants& body) {
  uint64_t bytes = entry_bytes * body.grants.size();
  const RunContext* last = nullptr;
  for (const Grant& grant : body.grants) {
    if (grant.context.get() != last && grant.context) bytes += carried_bytes(*grant.context);
    last = grant.context.get();
  }
  return bytes;
}

uint64_t carried(const Returned& body) {
  return entry_bytes * body.attempts.size();
}

uint64_t carried(const Stops& body) {
  return entry_bytes * body.stops.size();
}

uint64_t carried(const Recall& body) {
  return entry_bytes * body.attempts.size();
}

uint64_t carried(const Closed& body) {
  return body.reason.size();
}

template <class Body>
uint64_t carried(const Body&) {
  return 0;
}

}  // namespace

uint64_t carried_bytes(const MessageBody& body) {
  return std::visit([](const auto& content) { return entry_bytes + carried(content); }, body);
}

}  // namespace pawl
