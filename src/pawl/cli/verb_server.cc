// `pawl server` and `pawl worker`: an engine for others, and hands for it.

#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/cli/offer.h"
#include "pawl/cli/verbs.h"
#include "pawl/definition/quantity.h"

namespace pawl::cli {
namespace {

constexpr const char* default_listen = "127.0.0.1:7070";
constexpr Duration look_interval = Duration::milliseconds(200);
constexpr uint64_t calls_per_second_max = 1'000'000;
constexpr Duration drain_default = Duration::seconds(30);

std::string host_name() {
  char name[HOST_NAME_MAX + 1] = {};
  return gethostname(name, HOST_NAME_MAX) == 0 ? name : "worker";
}

// Both ends speak of host:port.
Result<std::string> address_of(const Arguments& given, std::string_view option) {
  std::string address = given.value(option).value_or(default_listen);
  size_t colon = address.rfind(':');
  uint16_t port = 0;
  const char* last = address.data() + address.size();
  bool whole = colon != std::string::npos && colon > 0;
  if (whole) {
    auto [end, wrong] = std::from_chars(address.data() + colon + 1, last, port);
    whole = wrong == std::errc() && end == last;
  }
  if (whole && address.find("//") == std::string::npos) return address;
  return Error{Code::invalid_argument, "--" + std::string(option) + " takes HOST:PORT, such as " +
                                           default_listen + ", not \"" + address + "\""};
}

std::string with_port(const std::string& listen, uint16_t port) {
  return listen.substr(0, listen.rfind(':') + 1) + std::to_string(port);
}

// 0: not said, or for a server none.
Result<uint32_t> jobs_of(const Arguments& given, uint64_t least) {
  PAWL_ASSIGN(uint64_t jobs, number_of(given, "jobs", 0, least));
  if (jobs > 100'000)
    return Error{Code::invalid_argument, "--jobs: at most 100,000 tasks can run at once"};
  return static_cast<uint32_t>(jobs);
}

Result<Duration> drain_of(const Arguments& given, Duration otherwise) {
  std::optional<std::string> text = given.value("drain");
  if (!text) return otherwise;
  Result<Duration> limit = parse_duration(*text);
  if (!limit.ok()) return Error{limit.error().code, "--drain: " + limit.error().message};
  return *limit;
}

// --calls-per-second N[:BURST]
Result<CallRate> rate_of(const Arguments& given) {
  CallRate rate;
  std::optional<std::string> text = given.value("calls-per-second");
  if (!text) return rate;
  size_t colon = std::min(text->find(':'), text->size());
  auto read = [](std::string_view digits, uint64_t& number) {
    auto [end, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return bad == std::errc() && end == digits.data() + digits.size() && number > 0 &&
           number <= calls_per_second_max;
  };
  std::string_view all = *text;
  bool whole = read(all.substr(0, colon), rate.per_second);
  rate.burst = rate.per_second;
  if (colon < all.size()) whole = whole && read(all.substr(colon + 1), rate.burst);
  if (!whole)
    return Error{Code::invalid_argument, "--calls-per-second takes N or N:BURST, from 1 to " +
                                             std::to_string(calls_per_second_max) + ", not \"" +
                                             *text + "\""};
  if (!given.has("tls"))
    return Error{Code::invalid_argument,
                 "--calls-per-second needs --tls: without it callers are not told apart"};
  return rate;
}

// 0: not said.
Result<uint64_t> memory_of(const Arguments& given) {
  std::optional<std::string> text = given.value("memory");
  if (!text) return 0;
  Result<uint64_t> bytes = parse_size(*text);
  if (!bytes.ok()) return Error{bytes.error().code, "--memory: " + bytes.error().message};
  return *bytes;
}

// Whoever sends requests here learns from /readyz to send them elsewhere; until then they are served, by the
// server's own worker too.
void retire(Session& session, Duration limit) {
  if (limit <= Duration{}) return;
  Station& station = session.station();
  station.retire();
  session.say("not ready any more; a second signal stops at once", "server_draining");
  LinuxClock clock;
  Instant end = clock.monotonic() + limit;
  while (session.interrupts().count() == 1 && !station.failed() && clock.monotonic() < end)
    station.loop().run_once(std::min(look_interval, end - clock.monotonic()));
}

// What runs in the server itself ends with it, and runs again elsewhere.
int serve(Session& session, Duration drain, bool structured) {
  Station& station = session.station();
  while (session.interrupts().count() == 0 && !station.failed())
    station.loop().run_once(look_interval);
  if (!station.failed()) retire(session, drain);
  if (station.failed()) {
    session.say("the state directory can take nothing more; see pawl.log in it", "server_failed",
                LogLevel::error);
    return session.close(exit_unable);
  }
  session.say("stopping; workers go on with what they run until the server is back",
              "server_stopping");
  int code = session.close();
  if (structured) session.say("stopped", "server_stopped");
  return code;
}

// Until what runs has ended, the limit is over, or a second signal comes.
int leave_work(Session& session, Shift& shift, LinuxClock& clock, Duration limit) {
  if (shift.running() > 0)
    session.say("finishing " + std::to_string(shift.running()) +
                    " running launches; a second signal ends them at once",
                "worker_draining");
  shift.drain();
  Instant end = clock.monotonic() + limit;
  bool abandoned = false;
  while (!shift.stopped()) {
    if (!abandoned && (session.interrupts().count() > 1 || clock.monotonic() >= end)) {
      session.say("ending what still runs; it is granted to others", "worker_abandons",
                  LogLevel::warn);
      shift.abandon();
      abandoned = true;
    }
    if (!shift.connected() && shift.running() == 0) break;  // nobody is there to say goodbye to
    shift.loop().run_once(Duration::milliseconds(20));
  }
  return abandoned ? exit_failed : exit_ok;
}

int work(Session& session, Shift& shift, const ShiftRequest& request, Duration drain_limit) {
  LinuxClock clock;
  bool connected = false;
  while (session.interrupts().count() == 0) {
    shift.loop().run_once(look_interval);
    if (shift.connected() == connected) continue;
    connected = !connected;
    session.say(connected ? "working for " + request.server + " as " + request.name
                          : "no session at " + request.server + " any more; trying again",
                connected ? "worker_ready" : "worker_apart");
  }
  int code = leave_work(session, shift, clock, drain_limit);
  if (request.log.chosen) session.say("stopped", "worker_stopped");
  return code;
}

}  // namespace

int verb_server(Session& session, const Arguments& given) {
  StationRequest request;
  Result<LogOptions> log = Session::log_options(given);
  if (!log.ok()) return session.fail(log.error());
  request.log = *log;
  session.speak_as(*log);
  request.directory = local_directory(given);
  request.purpose = Purpose::serve;
  Result<std::string> listen = address_of(given, "listen");
  if (!listen.ok()) return session.fail(listen.error());
  request.listen = *listen;
  request.keys = given.value("tls").value_or("");
  if (given.has("http")) {
    Result<std::string> http = address_of(given, "http");
    if (!http.ok()) return session.fail(http.error());
    request.http = *http;
  }
  Result<uint32_t> jobs = jobs_of(given, 0);
  if (!jobs.ok()) return session.fail(jobs.error());
  request.jobs = *jobs;
  Result<uint64_t> partitions = number_of(given, "partitions", 0, 1);
  if (!partitions.ok()) return session.fail(partitions.error());
  if (*partitions > partitions_max)
    return session.fail({Code::invalid_argument, "--partitions: a directory has at most " +
                                                     std::to_string(partitions_max)});
  request.partitions = static_cast<uint32_t>(*partitions);
  Result<CallRate> calls = rate_of(given);
  if (!calls.ok()) return session.fail(calls.error());
  request.calls = *calls;
  Result<uint64_t> open = number_of(given, "namespace-open", 0, 1);
  if (!open.ok()) return session.fail(open.error());
  request.name_space_open = *open;
  Result<uint64_t> memory = memory_of(given);
  if (!memory.ok()) return session.fail(memory.error());
  request.memory = *memory;
  Result<Duration> drain = drain_of(given, Duration{});
  if (!drain.ok()) return session.fail(drain.error());
  if (Status opened = session.open(request); !opened.ok()) return session.fail(opened.error());
  if (!request.http.empty())
    session.say(std::string("clients at ") + (request.keys.empty() ? "http://" : "https://") +
                    with_port(request.http, session.station().http_port()),
                "clients_ready");
  session.say("serving " + request.directory + ", workers at " +
                  with_port(request.listen, session.station().port()),
              "server_ready");
  return serve(session, *drain, request.log.chosen);
}

int verb_worker(Session& session, const Arguments& given) {
  ShiftRequest request;
  Result<LogOptions> log = Session::log_options(given);
  if (!log.ok()) return session.fail(log.error());
  if (log->chosen) request.log = *log;
  session.speak_as(*log);
  Result<std::string> server = address_of(given, "server");
  if (!server.ok()) return session.fail(server.error());
  request.server = *server;
  request.keys = given.value("tls").value_or("");
  Result<uint32_t> jobs = jobs_of(given, 1);
  if (!jobs.ok()) return session.fail(jobs.error());
  request.jobs = *jobs;
  request.name = given.value("name").value_or(host_name());
  if (Status offered = read_offer(given, request.offer); !offered.ok())
    return session.fail(offered.error());
  Result<Duration> drain_limit = drain_of(given, drain_default);
  if (!drain_limit.ok()) return session.fail(drain_limit.error());
  if (given.has("metrics")) {
    Result<std::string> metrics = address_of(given, "metrics");
    if (!metrics.ok()) return session.fail(metrics.error());
    request.metrics = *metrics;
  }
  Result<std::unique_ptr<Shift>> shift = session.hire(request);
  if (!shift.ok()) return session.fail(shift.error());
  if (!request.metrics.empty())
    session.say("metrics at " + with_port(request.metrics, (*shift)->metrics_port()),
                "metrics_ready");
  return work(session, **shift, request, *drain_limit);
}

}  // namespace pawl::cli
