#include "pawl/adapter/grpc/remote_outputs.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "pawl/adapter/grpc/tls_credentials.h"
#include "pawl/adapter/grpc/way_broke.h"
#include "pawl/port/loop.h"
#include "pawl/v1/workers.grpc.pb.h"

namespace pawl {
namespace {

constexpr std::chrono::seconds call_patience{5};
constexpr size_t packed_bytes_min = 1024;  // of a batch; below it packing costs more than it saves

std::chrono::nanoseconds of(Duration duration) {
  return std::chrono::nanoseconds(duration.ns);
}

}  // namespace

struct RemoteOutputs::Impl {
  Impl(const RemoteOutputsOptions& given, Telemetry& operator_log)
      : options(given),
        telemetry(operator_log),
        stub(v1::Workers::NewStub(grpc::CreateChannel(
            given.target, channel_credentials(given.target, given.tls).value()))),
        thread([this] { run(); }) {}

  ~Impl() {
    {
      std::lock_guard lock(mutex);
      closing = true;
    }
    changed.notify_all();
    thread.join();
  }

  void run() {
    std::unique_lock lock(mutex);
    while (!closing) {
      changed.wait(lock, [this] { return closing || !waiting.empty(); });
      changed.wait_for(lock, of(options.gather), [this] {
        return closing || settled < hurry_to || waiting_bytes >= options.batch_bytes_max;
      });
      if (closing) return;
      v1::WriteOutputsRequest request = next_batch();
      lock.unlock();
      grpc::Status status = send(request);
      lock.lock();
      if (way_broke(status)) {
        changed.wait_for(lock, of(options.retry_pause), [this] { return closing; });
        continue;
      }
      if (!status.ok())
        telemetry.warn("outputs_not_taken",
                       "output of programs was not taken: " + status.error_message());
      forget(static_cast<size_t>(request.parts_size()));
    }
  }

  v1::WriteOutputsRequest next_batch() const {
    v1::WriteOutputsRequest request;
    uint64_t bytes = 0;
    for (const OutputPart& part : waiting) {
      bytes += part.bytes.size();
      if (request.parts_size() > 0 && bytes > options.batch_bytes_max) break;
      v1::OutputPart& one = *request.add_parts();
      one.set_path(part.path);
      one.set_offset(part.offset);
      one.set_bytes(part.bytes);
    }
    return request;
  }

  grpc::Status send(const v1::WriteOutputsRequest& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + call_patience);
    bool packed = options.packed && request.ByteSizeLong() >= packed_bytes_min;
    if (packed) context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
    v1::WriteOutputsResponse response;
    return stub->WriteOutputs(&context, request, &response);
  }

  void forget(size_t parts) {
    if (settled < hurry_to && loop != nullptr) loop->wake();
    for (; parts > 0; --parts) {
      waiting_bytes -= waiting.front().bytes.size();
      waiting.pop_front();
      ++settled;
    }
    if (waiting.empty()) changed.notify_all();
  }

  uint64_t hurry() {
    hurry_to = settled + waiting.size();
    changed.notify_all();
    return hurry_to;
  }

  RemoteOutputsOptions options;
  Telemetry& telemetry;
  std::unique_ptr<v1::Workers::Stub> stub;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<OutputPart> waiting;  // the first of them may be on their way
  uint64_t waiting_bytes = 0;
  uint64_t settled = 0;   // taken or refused; what did not fit never stood in `waiting`
  uint64_t hurry_to = 0;  // they wait for nothing
  Loop* loop = nullptr;
  bool overfull = false;
  bool closing = false;
  std::thread thread;
};

RemoteOutputs::RemoteOutputs(const RemoteOutputsOptions& options, Telemetry& telemetry)
    : impl_(std::make_unique<Impl>(options, telemetry)) {}
RemoteOutputs::~RemoteOutputs() = default;

void RemoteOutputs::put(OutputPart part) {
  std::lock_guard lock(impl_->mutex);
  bool fits = impl_->waiting_bytes + part.bytes.size() <= impl_->options.waiting_bytes_max;
  if (!fits && !impl_->overfull)
    impl_->telemetry.warn(
        "outputs_dropped",
        "more than waiting_bytes_max of what programs wrote waits for the server; "
        "some of it is dropped");
  impl_->overfull = !fits;
  if (!fits) return impl_->telemetry.count("worker_outputs_dropped_bytes", part.bytes.size());
  impl_->waiting_bytes += part.bytes.size();
  impl_->waiting.push_back(std::move(part));
  impl_->changed.notify_all();
}

bool RemoteOutputs::flush(Duration at_most) {
  std::unique_lock lock(impl_->mutex);
  impl_->hurry();
  return impl_->changed.wait_for(lock, of(at_most), [this] { return impl_->waiting.empty(); });
}

uint64_t RemoteOutputs::hurry() {
  std::lock_guard lock(impl_->mutex);
  return impl_->hurry();
}

uint64_t RemoteOutputs::settled() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->settled;
}

void RemoteOutputs::tell(Loop* loop) {
  std::lock_guard lock(impl_->mutex);
  impl_->loop = loop;
}

}  // namespace pawl
