// A worker's payload store: that of the coordinator it is connected to.
//
//   RemotePayloads payloads({.target = "10.0.0.1:7070"});
//   PAWL_TRY(payloads.put(ref, bytes));
//
// A call whose connection breaks is made again, for at most `patience`; after that it gives UNAVAILABLE. It is
// shorter than a lease, for whoever waits renews none. Payloads that were read are kept in memory, up to cache_bytes_max: many
// attempts read the same input. Threading: any thread; a call blocks its thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "pawl/base/time.h"
#include "pawl/port/payload_store.h"
#include "pawl/port/tls.h"

namespace pawl {

constexpr uint64_t remote_payload_part_bytes = 1 << 20;

struct RemotePayloadsOptions {
  std::string target;             // host:port
  std::optional<TlsFiles> tls{};  // as for StreamClient
  Duration patience = Duration::seconds(5);
  uint64_t cache_bytes_max = 64 << 20;
  bool packed = false;  // payloads travel compressed: worth it on the way to another machine
};

struct PayloadReads {
  uint64_t from_memory = 0;
  uint64_t from_server = 0;
};

class RemotePayloads final : public PayloadStore {
 public:
  explicit RemotePayloads(const RemotePayloadsOptions& options);
  ~RemotePayloads() override;

  Status put(const BlobRef& ref, ByteView bytes) override;
  Result<Bytes> get(const BlobRef& ref) override;
  Result<Bytes> part(const BlobRef& ref, uint64_t offset, uint64_t size) override;
  PayloadReads reads() const;  // answered so far

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pawl
