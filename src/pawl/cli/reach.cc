#include "pawl/cli/reach.h"

#include <sys/random.h>

#include <algorithm>
#include <utility>

#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/base/check.h"

namespace pawl::cli {
namespace {

constexpr Duration first_pause = Duration::milliseconds(100);
constexpr Duration pause_max = Duration::seconds(5);
constexpr Duration look_interval = Duration::milliseconds(200);
constexpr Duration answer_wait = Duration::seconds(1);  // of who interrupts while it is under way

Error interrupted(const std::string& what) {
  return {Code::cancelled, "interrupted; " + what};
}

bool rest(Session& session, Duration pause) {
  LinuxClock clock;
  Instant end = clock.monotonic() + pause;
  for (Instant now = clock.monotonic(); now < end; now = clock.monotonic()) {
    if (session.interrupts().count() > 0) return false;
    session.client().pump(std::min(end - now, look_interval));
  }
  return true;
}

// Whether the answer is there. A Ctrl-C gives up on it only where it does not come at once: who knows
// the execution can be told its name and how to go on.
bool await_answer(Session& session, Ticket ticket) {
  Client& client = session.client();
  while (!client.done(ticket) && session.interrupts().count() == 0) client.pump(look_interval);
  LinuxClock clock;
  Instant end = clock.monotonic() + answer_wait;
  for (Instant now = clock.monotonic();
       !client.done(ticket) && session.interrupts().count() == 1 && now < end;
       now = clock.monotonic()) {
    client.pump(std::min(end - now, look_interval));
  }
  return client.done(ticket);
}

std::string fresh_request_id() {
  uint8_t bytes[16];
  PAWL_CHECK(getrandom(bytes, sizeof bytes, 0) == sizeof bytes, "Linux has random bytes");
  std::string id = "pawl-";
  for (uint8_t byte : bytes) {
    id += "0123456789abcdef"[byte >> 4];
    id += "0123456789abcdef"[byte & 15];
  }
  return id;
}

}  // namespace

bool is_out_of_reach(Session& session, const Error& error) {
  return session.station().remote() && error.code == Code::unavailable;
}

Status come_back(Session& session) {
  session.say("the connection to " + session.state() +
              " has broken; trying again (what runs there goes on)");
  for (Duration pause = first_pause;; pause = std::min(Duration{pause.ns * 2}, pause_max)) {
    if (!rest(session, pause)) return interrupted("there is no connection");
    Status begun = session.station().reconnect();
    if (!begun.ok() && begun.error().code != Code::unavailable) return begun;
    Client& client = session.client();
    Ticket probe = client.start(GetServer{});
    while (!client.done(probe) && session.interrupts().count() == 0) client.pump(look_interval);
    if (!client.done(probe)) return interrupted("there is no connection");
    Result<ServerInfo> there = client.take_as<ServerInfo>(probe);
    if (there.ok()) break;
    if (there.error().code != Code::unavailable) return there.error();
  }
  session.say("connected to " + session.state() + " again");
  return {};
}

Status go_on(Session& session, const Arguments& given, Purpose purpose, const Error& error) {
  if (is_out_of_reach(session, error)) return come_back(session);
  bool holder_gone = !session.station().holds() && error.code == Code::unavailable;
  if (!holder_gone) return error;
  session.drop();
  PAWL_TRY(session.open(given, purpose));
  bool here = session.station().holds();
  session.say("the process that held " + session.state() + " has ended" +
              (here && purpose == Purpose::work ? "; going on here" : ""));
  return {};
}

Result<ExecutionId> submit(Session& session, SubmitRequest request) {
  if (session.station().remote() && request.request_id.empty())
    request.request_id = fresh_request_id();
  for (bool told = false;;) {
    Client& client = session.client();
    Ticket ticket = client.start(request);
    std::string how = "whether it was submitted, `pawl list` shows";
    if (!await_answer(session, ticket)) return interrupted(how);
    Result<Submitted> submitted = client.take_as<Submitted>(ticket);
    if (submitted.ok()) return submitted->execution;
    const Error& error = submitted.error();
    if (error.retry_after > Duration{}) {
      if (!std::exchange(told, true)) session.say("waiting for room: " + error.message);
      if (!rest(session, error.retry_after)) return interrupted("nothing was submitted");
      continue;
    }
    if (!is_out_of_reach(session, error)) return error;
    Status back = come_back(session);
    if (session.interrupts().count() > 0) return interrupted(how);
    if (!back.ok()) return back.error();
  }
}

}  // namespace pawl::cli
