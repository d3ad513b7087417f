#include "pawl/app/remote_station.h"

#include <signal.h>

#include "pawl/adapter/linux_loop/linux_clock.h"

namespace pawl {
namespace {

// main() blocks them for the loop of an open station.
class InterruptsEndUs {
 public:
  InterruptsEndUs() {
    sigset_t interrupts;
    sigemptyset(&interrupts);
    sigaddset(&interrupts, SIGINT);
    sigaddset(&interrupts, SIGTERM);
    pthread_sigmask(SIG_UNBLOCK, &interrupts, &before_);
  }
  ~InterruptsEndUs() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  InterruptsEndUs(const InterruptsEndUs&) = delete;
  InterruptsEndUs& operator=(const InterruptsEndUs&) = delete;

 private:
  sigset_t before_;
};

class RemoteStation final : public cli::Station {
 public:
  explicit RemoteStation(HttpClientOptions options) : options_(std::move(options)) {}

  Status connect() {
    PAWL_ASSIGN(loop_, LinuxLoop::create(clock_));
    InterruptsEndUs while_connecting;
    PAWL_ASSIGN(client_, HttpClient::connect(options_, *loop_));
    return {};
  }

  Client& client() override { return *client_; }
  LinuxLoop& loop() override { return *loop_; }
  bool remote() const override { return true; }
  Status reconnect() override {
    PAWL_ASSIGN(client_, HttpClient::begin(options_, *loop_));
    return {};
  }
  bool holds() const override { return false; }
  uint64_t holder() const override { return 0; }
  uint64_t visitors() const override { return 0; }
  uint16_t port() const override { return 0; }
  uint16_t http_port() const override { return 0; }
  void retire() override {}
  void stop() override {}
  bool stopped() override { return true; }
  bool failed() override { return false; }
  Status close() override { return {}; }

 private:
  HttpClientOptions options_;
  LinuxClock clock_;
  std::unique_ptr<LinuxLoop> loop_;
  std::unique_ptr<HttpClient> client_;
};

}  // namespace

Result<std::unique_ptr<cli::Station>> connect_to_server(const HttpClientOptions& options) {
  auto station = std::make_unique<RemoteStation>(options);
  PAWL_TRY(station->connect());
  return std::unique_ptr<cli::Station>(std::move(station));
}

}  // namespace pawl
