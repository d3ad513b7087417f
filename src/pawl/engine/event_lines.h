// What of a group's events an operator wants to read, as lines of the log.
//
//   EventLines lines(telemetry);
//   lines.begin(state);                                  // after recovery
//   std::vector<LogLine> some = lines.of(events, state);  // of a group; to be written once it is durable
//
// A success is `debug`: with that level off, a group costs one look per event, and no memory. Lines say how
// something failed, never with which data: no inputs, outputs, nor the error text that a program wrote.
// Threading: the engine's.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "pawl/model/event.h"
#include "pawl/partition/state.h"
#include "pawl/port/telemetry.h"

namespace pawl {

// Why a session is over whose process stopped when it had nothing left to do: nobody needs to know of it.
constexpr const char* process_ended_idle = "its process ended, and it held nothing";

class EventLines {
 public:
  explicit EventLines(const Telemetry& telemetry) : telemetry_(telemetry) {}

  void begin(const State& state);
  // `state`: with the events in it.
  std::vector<LogLine> of(const std::vector<Event>& events, const State& state);
  // A worker goes on with its session: no event, as nothing has changed.
  LogLine resumed(SessionId session) const;

 private:
  struct Writer;
  std::string worker(SessionId session) const;

  const Telemetry& telemetry_;
  std::map<SessionId, std::string> workers_;  // by name; a session that is over has left the state
};

}  // namespace pawl
