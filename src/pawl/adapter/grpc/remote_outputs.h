// What programs write, on its way from a worker to the coordinator.
//
//   RemoteOutputs outputs({.target = "10.0.0.1:7070"}, telemetry);
//   outputs.put({"e17/count/3.1.err", 0, "warning: ...\n"});     // returns at once
//   outputs.flush(Duration::seconds(5));                         // before the process ends
//
// Parts are sent in batches, in order, and again until the coordinator has taken them. What does not fit
// into waiting_bytes_max, and a batch that it refuses, is dropped and logged: programs never wait for the
// network. Threading: any thread; sending has one of its own.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "pawl/base/time.h"
#include "pawl/port/output_store.h"
#include "pawl/port/sink.h"
#include "pawl/port/telemetry.h"
#include "pawl/port/tls.h"

namespace pawl {

struct RemoteOutputsOptions {
  std::string target;             // host:port
  std::optional<TlsFiles> tls{};  // as for StreamClient
  uint64_t waiting_bytes_max = 64 << 20;
  uint64_t batch_bytes_max = 1 << 20;
  Duration gather = Duration::milliseconds(50);  // so long a small batch waits for more
  Duration retry_pause = Duration::milliseconds(500);
  bool packed = false;  // as for RemotePayloads
};

class RemoteOutputs final : public OutputCopies {
 public:
  RemoteOutputs(const RemoteOutputsOptions& options, Telemetry& telemetry);
  ~RemoteOutputs() override;

  void put(OutputPart part) override;
  uint64_t hurry() override;
  uint64_t settled() const override;
  void tell(Loop* loop) override;
  bool flush(Duration at_most);  // whether everything has arrived, or was dropped

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pawl
