#include "pawl/app/stations.h"

#include <poll.h>
#include <unistd.h>

#include <optional>

#include "pawl/access/audit_file.h"
#include "pawl/adapter/linux_loop/linux_background.h"
#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/api/door_watch.h"
#include "pawl/api/gateway.h"
#include "pawl/api/grpc/grpc_door.h"
#include "pawl/api/http/http_server.h"
#include "pawl/api/local_client.h"
#include "pawl/api/socket_client.h"
#include "pawl/api/socket_server.h"
#include "pawl/app/host.h"
#include "pawl/app/remote_station.h"
#include "pawl/app/shift.h"
#include "pawl/port/tls.h"

namespace pawl {
namespace {

// Between the moment a holder takes the lock and the one in which it serves its socket.
constexpr int connect_tries = 100;
constexpr Duration hang_up_max = Duration::milliseconds(500);
constexpr int connect_pause_ms = 20;

// Plain text is for this machine, whose users may do what they like.
class EverybodyHere final : public Authenticator {
 public:
  Result<Caller> authenticate(const Credentials&) const override { return Caller{}; }
};

class OwnStation final : public cli::Station {
 public:
  static Result<std::unique_ptr<cli::Station>> open(HostOptions options,
                                                    const cli::StationRequest& request) {
    const std::string& http = request.http;
    auto station = std::make_unique<OwnStation>();
    if (!options.listen.empty()) {
      PAWL_ASSIGN(station->grpc_, GrpcDoor::create({}));
      options.guest = station->grpc_.get();
    }
    std::vector<Sink<Response>*> answers;
    for (uint32_t slot = 0; slot < partitions_max; ++slot)
      answers.push_back(&station->answers_.of(slot));
    PAWL_ASSIGN(station->host_, Host::open(options, answers));
    Host& host = *station->host_;
    GatewayOptions gateway;
    gateway.directory = options.directory;
    gateway.calls_per_caller = request.calls;
    gateway.metrics = {&host.metrics()};
    if (station->grpc_) gateway.metrics.push_back(&station->grpc_->metrics());
    if (!options.listen.empty()) {
      PAWL_ASSIGN(station->audit_, AuditFile::open(options.directory + "/" + audit_file_name,
                                                   host.disk(), host.loop()));
    }
    std::vector<Sink<Request>*> engines;
    for (uint32_t slot = 0; slot < host.partitions(); ++slot) engines.push_back(&host.engine(slot));
    station->router_.emplace(std::move(engines));
    station->gateway_ = std::make_unique<Gateway>(
        GatewayPorts{host.loop(), *station->router_, host.blob(), host.outputs(), host.evaluator(),
                     &host.clock(), station->audit_.get(), &host.log(),
                     std::make_unique<LinuxBackground>(1)},
        station->answers_, gateway);
    station->client_ = std::make_unique<LocalClient>(*station->gateway_, host.loop());
    // Whoever only looks is gone in a moment, and would run nothing that came in: others wait.
    if (!options.brief) {
      PAWL_ASSIGN(station->server_,
                  SocketServer::open(*station->gateway_, host.loop(), options.directory));
    }
    const Authenticator* who = host.authenticator();
    if (who != nullptr) station->watch_.emplace(*who, *station->gateway_, host.loop());
    const Authenticator& clients = who != nullptr
                                       ? static_cast<const Authenticator&>(*station->watch_)
                                       : station->everybody_here_;
    if (station->grpc_) station->grpc_->open(*station->gateway_, host.loop(), clients);
    if (!http.empty()) {
      HttpServerOptions door;
      door.http.listen = http;
      door.http.telemetry = &host.log();
      if (who != nullptr) {
        TlsFiles files = tls_files_in(options.keys, "server");
        door.http.tls_on = true;
        door.http.tls = {files.certificate, files.key, files.authority};
      } else {
        PAWL_TRY(check_plain(http));
        door.local_names_only = true;
      }
      PAWL_ASSIGN(station->http_,
                  HttpServer::start(door, *station->gateway_, host.loop(), clients));
    }
    return std::unique_ptr<cli::Station>(std::move(station));
  }

  Client& client() override { return *client_; }
  LinuxLoop& loop() override { return host_->loop(); }
  bool remote() const override { return false; }
  Status reconnect() override { return {}; }
  bool holds() const override { return true; }
  uint64_t holder() const override { return static_cast<uint64_t>(getpid()); }
  uint64_t visitors() const override { return server_ ? server_->clients() : 0; }
  uint16_t port() const override { return host_->port(); }
  uint16_t http_port() const override { return http_ ? http_->port() : 0; }
  void retire() override {
    if (http_) http_->retire();
    if (grpc_) grpc_->retire();
  }
  void stop() override { host_->abandon(); }
  bool stopped() override { return host_->stopped(); }
  bool failed() override { return host_->failed(); }

  ~OwnStation() override {
    if (grpc_) grpc_->close();
  }
  Status close() override {
    if (grpc_) grpc_->close();
    http_.reset();
    server_.reset();
    if (!host_->running().empty()) host_->abandon();
    while (!host_->running().empty()) host_->loop().run_once(Duration::milliseconds(10));
    return host_->close();
  }

 private:
  AnswerInbox answers_{partitions_max};
  std::unique_ptr<GrpcDoor> grpc_;  // a guest of the host's
  std::unique_ptr<Host> host_;
  std::optional<Router> router_;
  std::unique_ptr<AuditFile> audit_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<LocalClient> client_;
  std::unique_ptr<SocketServer> server_;
  EverybodyHere everybody_here_;
  std::optional<DoorWatch> watch_;
  std::unique_ptr<HttpServer> http_;
};

class VisitedStation final : public cli::Station {
 public:
  static Result<std::unique_ptr<cli::Station>> connect(const std::string& directory) {
    auto station = std::make_unique<VisitedStation>();
    PAWL_ASSIGN(station->loop_, LinuxLoop::create(station->clock_));
    PAWL_ASSIGN(station->client_, SocketClient::connect(directory, *station->loop_));
    PAWL_ASSIGN(ServerInfo info, station->client_->server());
    station->holder_ = info.process;
    return std::unique_ptr<cli::Station>(std::move(station));
  }

  Client& client() override { return *client_; }
  LinuxLoop& loop() override { return *loop_; }
  bool remote() const override { return false; }
  Status reconnect() override { return {}; }
  bool holds() const override { return false; }
  uint64_t holder() const override { return holder_; }
  uint64_t visitors() const override { return 0; }
  uint16_t port() const override { return 0; }
  uint16_t http_port() const override { return 0; }
  void retire() override {}
  void stop() override {}
  bool stopped() override { return true; }
  bool failed() override { return false; }
  Status close() override { return {}; }

 private:
  LinuxClock clock_;
  std::unique_ptr<LinuxLoop> loop_;
  std::unique_ptr<SocketClient> client_;
  uint64_t holder_ = 0;
};

class AllStations final : public cli::Stations {
 public:
  explicit AllStations(const FunctionRegistry* functions) : functions_(functions) {}

  Result<std::unique_ptr<cli::Station>> open(const cli::StationRequest& request) override {
    if (request.server) return connect_to_server(*request.server);
    const std::string& directory = request.directory;
    bool exists = access((directory + "/log").c_str(), F_OK) == 0;
    if (!exists && request.purpose == cli::Purpose::look) {
      return Error{Code::not_found,
                   "there is no state directory " + directory +
                       "; `pawl run` makes one, --state or PAWL_STATE names another"};
    }
    HostOptions options;
    options.directory = directory;
    options.jobs = request.jobs;
    options.functions = request.functions != nullptr ? request.functions : functions_;
    bool serves = request.purpose == cli::Purpose::serve;
    options.work = request.purpose == cli::Purpose::work || (serves && request.jobs > 0);
    options.brief = request.purpose == cli::Purpose::look;
    options.partitions = request.partitions;
    options.memory = request.memory;
    options.listen = request.listen;
    options.keys = request.keys;
    if (request.name_space_open > 0)
      options.limits.name_space_open_executions_max = request.name_space_open;
    options.log = request.log;
    LinuxClock clock;
    for (int i = 0;; ++i) {
      if (exists && !serves) {
        Instant asked = clock.monotonic();
        auto visited = VisitedStation::connect(directory);
        // A holder that is being killed may still accept, and then hangs up at once; one that is
        // there and does not answer takes its time.
        bool dying = !visited.ok() && visited.error().code == Code::unavailable &&
                     clock.monotonic() - asked < hang_up_max && i < connect_tries;
        if (!dying && (visited.ok() || visited.error().code != Code::not_found)) return visited;
      }
      auto own = OwnStation::open(options, request);
      bool taken = !own.ok() && own.error().code == Code::aborted;
      if (!taken || serves || i == connect_tries) return own;
      exists = true;
      poll(nullptr, 0, connect_pause_ms);
    }
  }

  Result<std::unique_ptr<cli::Shift>> hire(const cli::ShiftRequest& request) override {
    return start_shift(request, functions_);
  }

 private:
  const FunctionRegistry* functions_;
};

}  // namespace

std::unique_ptr<cli::Stations> make_stations(const FunctionRegistry* functions) {
  return std::make_unique<AllStations>(functions);
}

}  // namespace pawl
