#include "pawl/app/shift.h"

#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "pawl/adapter/grpc/remote_outputs.h"
#include "pawl/adapter/grpc/remote_payloads.h"
#include "pawl/adapter/grpc/stream_client.h"
#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/app/operator_log.h"
#include "pawl/app/probe_door.h"
#include "pawl/app/random_number.h"
#include "pawl/app/worker_metrics.h"
#include "pawl/app/workshop.h"

namespace pawl {
namespace {

// A directory of our own, removed at the end.
class Scratch {
 public:
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  Status make() {
    const char* below = getenv("TMPDIR");
    std::string pattern = std::string(below != nullptr && *below != '\0' ? below : "/tmp");
    pattern += "/pawl-worker-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr)
      return Error{Code::failed_precondition, "no directory for outputs can be made as " + pattern +
                                                  ": " + strerror(errno) + "; set TMPDIR"};
    path_ = pattern;
    return {};
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// So long the last words of programs may take at the end.
constexpr Duration flush_max = Duration::seconds(2);

// Plain text on this machine; for others in TLS, with the certificate of a server, to whoever shows one.
Result<HttpOptions> probe_options(const std::string& listen, const std::string& keys) {
  HttpOptions http;
  http.listen = listen;
  if (stays_here(listen)) return http;
  if (keys.empty()) PAWL_TRY(check_plain(listen));
  TlsFiles files = tls_files_in(keys, "server");
  http.tls_on = true;
  http.tls = {files.certificate, files.key, files.authority, true};
  return http;
}

class ServedShift final : public cli::Shift, private Probed {
 public:
  explicit ServedShift(const LogOptions& log) : telemetry_("", log) {}
  ~ServedShift() override {
    probes_.reset();
    if (payloads_) payloads_->give_up();
    workshop_.reset();
    if (outputs_) (void)outputs_->flush(flush_max);
  }

  Status start(const cli::ShiftRequest& request, const FunctionRegistry* functions) {
    server_ = request.server;
    PAWL_ASSIGN(loop_, LinuxLoop::create(clock_));
    PAWL_TRY(scratch_.make());
    StreamClientOptions stream;
    stream.target = request.server;
    if (!request.keys.empty()) stream.tls = tls_files_in(request.keys, "worker");
    PAWL_TRY(check_target(stream.target, stream.tls));
    transport_ = std::make_unique<StreamClient>(stream, telemetry_);
    RemotePayloadsOptions payloads;
    payloads.target = request.server;
    payloads.tls = stream.tls;
    payloads.packed = !stays_here(request.server);
    payloads_ = std::make_unique<RemotePayloads>(payloads);
    RemoteOutputsOptions outputs;
    outputs.target = request.server;
    outputs.tls = stream.tls;
    outputs.packed = payloads.packed;
    outputs_ = std::make_unique<RemoteOutputs>(outputs, telemetry_);
    WorkshopOptions options;
    options.name = request.name;
    options.offer = request.offer;
    options.jobs = request.jobs;
    options.functions = functions;
    options.output_root = scratch_.path();
    options.output_copies = outputs_.get();
    options.lease = network_lease;
    options.link = network_link();
    options.first_address = random_number() | 1;  // nobody else has it, or ever had
    PAWL_ASSIGN(workshop_, Workshop::open({*loop_, clock_, *transport_, telemetry_, *payloads_},
                                          std::move(options)));
    return request.metrics.empty() ? Status() : open_probes(request);
  }

  LinuxLoop& loop() override { return *loop_; }
  bool connected() const override { return workshop_->connected(); }
  uint64_t running() const override { return workshop_->running().size(); }
  uint16_t metrics_port() const override { return probes_ ? probes_->port() : 0; }
  void drain() override {
    draining_ = true;
    workshop_->drain();
  }
  void abandon() override {
    payloads_->give_up();
    workshop_->abandon();
  }
  bool stopped() const override { return workshop_->stopped(); }

 private:
  Status open_probes(const cli::ShiftRequest& request) {
    metrics_ = std::make_unique<WorkerMetrics>(*workshop_, *transport_, telemetry_);
    PAWL_ASSIGN(HttpOptions http, probe_options(request.metrics, request.keys));
    http.telemetry = &telemetry_;
    PAWL_ASSIGN(probes_, ProbeDoor::open(http, *loop_, clock_, *metrics_, *this));
    return {};
  }

  Status ready() const override {
    if (draining_) return Error{Code::unavailable, "takes nothing more: it is being stopped"};
    if (!transport_->answered() || !workshop_->connected())
      return Error{Code::unavailable, "no session at " + server_};
    return {};
  }

  std::string server_;
  LinuxClock clock_;
  OperatorLog telemetry_;
  Scratch scratch_;
  std::unique_ptr<LinuxLoop> loop_;
  std::unique_ptr<StreamClient> transport_;
  std::unique_ptr<RemotePayloads> payloads_;
  std::unique_ptr<RemoteOutputs> outputs_;
  std::unique_ptr<Workshop> workshop_;
  std::unique_ptr<WorkerMetrics> metrics_;
  std::unique_ptr<ProbeDoor> probes_;
  bool draining_ = false;
};

}  // namespace

Result<std::unique_ptr<cli::Shift>> start_shift(const cli::ShiftRequest& request,
                                                const FunctionRegistry* functions) {
  auto shift = std::make_unique<ServedShift>(request.log);
  PAWL_TRY(shift->start(request, functions));
  return std::unique_ptr<cli::Shift>(std::move(shift));
}

}  // namespace pawl
