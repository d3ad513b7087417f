// A worker's payload store: that of the coordinator it is connected to.
//
//   RemotePayloads payloads({.target = "10.0.0.1:7070"});
//   PAWL_TRY(payloads.put(ref, bytes));
//
// A call whose connection breaks is made again, for at most `patience`, and for more with many bytes (16 KiB a second
// are the slowest network that is waited for); after that it gives UNAVAILABLE. Threading: any thread; a call blocks
// its thread, so that who must not wait asks a PayloadDesk (worker/payload_desk.h).
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
  Duration patience = Duration::seconds(10);
  bool packed = false;  // payloads travel compressed: worth it on the way to another machine
};

class RemotePayloads final : public PayloadStore {
 public:
  explicit RemotePayloads(const RemotePayloadsOptions& options);
  ~RemotePayloads() override;

  Status put(const BlobRef& ref, ByteView bytes) override;
  Result<Bytes> get(const BlobRef& ref) override;
  Result<Bytes> part(const BlobRef& ref, uint64_t offset, uint64_t size) override;
  void give_up();  // ends what is under way, and all that comes, with UNAVAILABLE

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pawl
