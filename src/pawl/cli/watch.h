// Watching an execution until nothing of it moves any more, or the user has had enough.
//
//   std::unique_ptr<Display> display = make_display(session.console(), DisplayKind::people);
//   Watched watched = watch(session, *display, id);
//   if (watched.end == WatchEnd::settled) ...
//
// The display is asked for at most ten times a second (once, where there is no terminal).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "pawl/cli/session.h"

namespace pawl::cli {

class Display {
 public:
  virtual ~Display() = default;
  virtual Duration interval() const = 0;
  virtual void look(ExecutionDetail detail, const ProgressList& running, Instant now) = 0;
  virtual void end() = 0;  // leaves nothing behind that moves
};

enum class DisplayKind : uint8_t {
  people,    // a live region on a terminal, otherwise a line per change
  machines,  // a JSON line per change, on standard output
  none,
};
std::unique_ptr<Display> make_display(Console& console, DisplayKind kind);

enum class WatchEnd : uint8_t {
  settled,
  interrupted,
  lost,  // the holder of the directory, or the server, has gone: `error` says what is known
};

struct Watched {
  WatchEnd end = WatchEnd::settled;
  ExecutionDetail detail;
  std::optional<Error> error;
};

Watched watch(Session& session, Display& display, ExecutionId execution);

// After an interrupt: ends what runs (or leaves it to the holder), says how to go on, gives the
// exit code. `again` is the verb that goes on with it: "resume e17". A second interrupt ends the
// process at once.
int leave(Session& session, ExecutionId execution, const std::string& again);

}  // namespace pawl::cli
