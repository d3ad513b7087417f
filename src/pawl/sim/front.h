// Where clients find all partitions: the shipped router over the machines of the partitions, and one view
// of their payloads. Each partition has a machine of its own, so that they come and go one by one.
//
//   Front front(servers, judges, seams);
//   front.ask(request);                       // answered through answered()
//   front.blob().put(staged, bytes);          // lies wherever the submission may go
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "pawl/coordinator/router.h"
#include "pawl/sim/judges.h"
#include "pawl/sim/server.h"

namespace pawl::sim {

class Front {
 public:
  Front(const std::vector<std::unique_ptr<Server>>& servers, Judges& judges, Seams& seams);

  void ask(Request request);
  void ask_one(uint32_t slot, Request request) { servers_[slot]->ask(std::move(request)); }
  // The whole answer, if this completes it.
  std::optional<Response> answered(uint32_t slot, Response response);
  Blob& blob() { return blob_; }
  void know_input(const std::string& text);

 private:
  struct Door final : Sink<Request> {
    Door(Server& its_server, Seams& its_seams) : server(its_server), seams(its_seams) {}
    void put(Request request) override {
      seams.routed(request);
      server.ask(std::move(request));
    }
    Server& server;
    Seams& seams;
  };
  // Payloads by owner; what nobody owns yet may become anybody's.
  class Payloads final : public Blob {
   public:
    explicit Payloads(const std::vector<std::unique_ptr<Server>>& servers) : servers_(servers) {}
    Status put(const BlobRef& ref, ByteView bytes) override;
    Result<Bytes> get(const BlobRef& ref) override { return of(ref).get(ref); }
    Result<Bytes> part(const BlobRef& ref, uint64_t offset, uint64_t size) override {
      return of(ref).part(ref, offset, size);
    }
    Status adopt(const BlobRef& from, const BlobRef& to) override { return of(to).adopt(from, to); }
    Status drop(const BlobRef& ref) override { return of(ref).drop(ref); }
    Result<std::vector<ExecutionId>> owners() override;
    Status drop_owner(ExecutionId owner) override;

   private:
    Blob& of(const BlobRef& ref) const;
    const std::vector<std::unique_ptr<Server>>& servers_;
  };
  static std::vector<Sink<Request>*> faces(std::vector<Door>& doors);

  const std::vector<std::unique_ptr<Server>>& servers_;
  Judges& judges_;
  std::map<Ticket, Bytes> registering_;  // definitions
  std::vector<Door> doors_;
  Router router_;
  Payloads blob_;
};

}  // namespace pawl::sim
