#include "pawl/adapter/grpc/remote_payloads.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "pawl/adapter/grpc/frame_values.h"
#include "pawl/adapter/grpc/remote_outputs.h"
#include "pawl/adapter/grpc/stream_server.h"
#include "pawl/adapter/grpc/tls_credentials.h"
#include "pawl/testing/memory_blob.h"
#include "pawl/testing/memory_outputs.h"
#include "pawl/v1/workers.grpc.pb.h"

namespace pawl {
namespace {

class Quiet final : public Telemetry {
 public:
  void count(std::string_view, uint64_t) override {}
  void gauge(std::string_view, int64_t) override {}
  void log(const LogLine&) override {}
};

class RemotePayloadsTest : public testing::Test {
 protected:
  RemotePayloadsTest() : server_(StreamServer::start({}, {kept_, outputs_}, quiet_).value()) {}

  static BlobRef output(ByteView bytes, AttemptNumber attempt = 1) {
    TaskKey task{ExecutionId{7}, 2, 3};
    return {task.execution, output_blob_sequence(task, attempt), bytes.size(), hash128(bytes)};
  }
  RemotePayloadsOptions options() const {
    RemotePayloadsOptions options;
    options.target = "127.0.0.1:" + std::to_string(server_->port());
    return options;
  }

  Quiet quiet_;
  MemoryBlob kept_;
  MemoryOutputs outputs_;
  std::unique_ptr<StreamServer> server_;
  RemotePayloads payloads_{options()};
};

Bytes several_parts() {
  Bytes bytes;
  for (uint32_t i = 0; bytes.size() < 3 * remote_payload_part_bytes + 17; ++i)
    bytes += std::to_string(i) + ",";
  return bytes;
}

TEST_F(RemotePayloadsTest, KeepsAtTheCoordinatorWhatIsPut) {
  const Bytes bytes = several_parts();
  const BlobRef ref = output(bytes);
  Status put = payloads_.put(ref, bytes);
  ASSERT_TRUE(put.ok()) << put.error().message;
  EXPECT_EQ(kept_.get(ref).value(), bytes);
  EXPECT_EQ(payloads_.get(ref).value(), bytes);
  EXPECT_EQ(payloads_.part(ref, 5, 10).value(), bytes.substr(5, 10));
}

TEST_F(RemotePayloadsTest, ReadsPartsWithoutTheRest) {
  const Bytes bytes = several_parts();
  const BlobRef ref = output(bytes);
  ASSERT_TRUE(kept_.put(ref, bytes).ok());
  uint64_t offset = remote_payload_part_bytes - 3;
  EXPECT_EQ(payloads_.part(ref, offset, remote_payload_part_bytes + 9).value(),
            bytes.substr(offset, remote_payload_part_bytes + 9));
  EXPECT_EQ(payloads_.part(ref, bytes.size(), 0).value(), "");
  EXPECT_EQ(payloads_.part(ref, bytes.size(), 1).error().code, Code::out_of_range);
  EXPECT_EQ(payloads_.part(ref, UINT64_MAX, 2).error().code, Code::out_of_range);
}

TEST_F(RemotePayloadsTest, PassesTheStoresErrorsOn) {
  EXPECT_EQ(payloads_.get(output("never put")).error().code, Code::not_found);
  const BlobRef ref = output("damaged");
  ASSERT_TRUE(kept_.put(ref, "damaged").ok());
  kept_.corrupt(ref);
  EXPECT_EQ(payloads_.get(ref).error().code, Code::data_loss);
}

TEST_F(RemotePayloadsTest, RefusesWhatIsNoOutputOfAnAttempt) {
  BlobRef input{ExecutionId{7}, input_blob_sequence, 5, hash128("input")};
  EXPECT_EQ(payloads_.put(input, "input").error().code, Code::permission_denied);
  BlobRef staged = output("nobody's");
  staged.owner = {};
  EXPECT_EQ(payloads_.put(staged, "nobody's").error().code, Code::permission_denied);
  BlobRef lie = output("these bytes");
  EXPECT_EQ(payloads_.put(lie, "other bytes").error().code, Code::invalid_argument);
  EXPECT_EQ(payloads_.put(lie, "these bytes, and more").error().code, Code::invalid_argument);
  BlobRef large = output("small");
  large.size = uint64_t{1} << 40;
  EXPECT_EQ(payloads_.put(large, "small").error().code, Code::resource_exhausted);
  EXPECT_EQ(kept_.count(), 0u);
}

// What a server says of a stream that was cut is no verdict on the attempt: one that says so is asked again.
TEST_F(RemotePayloadsTest, APayloadThatBreaksOffIsNobodysFault) {
  auto stub = v1::Workers::NewStub(
      grpc::CreateChannel(options().target, grpc::InsecureChannelCredentials()));
  const Bytes bytes = several_parts();
  for (uint64_t sent : {uint64_t{0}, remote_payload_part_bytes}) {
    grpc::ClientContext context;
    v1::WritePayloadResponse response;
    auto writer = stub->WritePayload(&context, &response);
    if (sent > 0) {
      v1::WritePayloadRequest part;
      to_proto(output(bytes), *part.mutable_ref());
      part.set_bytes(bytes.substr(0, sent));
      ASSERT_TRUE(writer->Write(part));
    }
    writer->WritesDone();
    EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::UNAVAILABLE) << sent << " bytes";
  }
  EXPECT_EQ(kept_.count(), 0u);
}

TEST_F(RemotePayloadsTest, GivesUpOnACoordinatorThatIsNotThere) {
  RemotePayloadsOptions impatient = options();
  server_.reset();
  impatient.patience = Duration::milliseconds(50);
  RemotePayloads payloads(impatient);
  EXPECT_EQ(payloads.get(output("unreachable")).error().code, Code::unavailable);
  EXPECT_EQ(payloads.put(output("unreachable"), "unreachable").error().code, Code::unavailable);
}

TEST_F(RemotePayloadsTest, WhatIsGivenUpEndsAtOnce) {
  RemotePayloadsOptions patient = options();
  server_.reset();
  patient.patience = Duration::hours(1);
  RemotePayloads payloads(patient);
  std::thread waits(
      [&] { EXPECT_EQ(payloads.get(output("unreachable")).error().code, Code::unavailable); });
  payloads.give_up();
  waits.join();
  EXPECT_EQ(payloads.put(output("later"), "later").error().code, Code::unavailable);
}

// Breaks the first calls of each kind.
class BreakingStore final : public PayloadStore {
 public:
  Status put(const BlobRef& ref, ByteView bytes) override {
    if (++puts <= broken) return Error{Code::unavailable, "the way broke"};
    return kept.put(ref, bytes);
  }
  Result<Bytes> get(const BlobRef& ref) override { return kept.get(ref); }
  Result<Bytes> part(const BlobRef& ref, uint64_t offset, uint64_t size) override {
    // Behind the first part: what has been read of it must not stand twice in the answer.
    if (offset > 0 && ++parts <= broken) return Error{Code::unavailable, "the way broke"};
    return kept.part(ref, offset, size);
  }

  static constexpr int broken = 2;
  std::atomic<int> puts{0}, parts{0};
  MemoryBlob kept;
};

TEST_F(RemotePayloadsTest, AsksAgainWhenTheWayBreaks) {
  BreakingStore store;
  auto server = StreamServer::start({}, {store, outputs_}, quiet_).value();
  RemotePayloadsOptions there;
  there.target = "127.0.0.1:" + std::to_string(server->port());
  there.patience = Duration::seconds(60);
  RemotePayloads payloads(there);
  const Bytes bytes = several_parts();
  const BlobRef ref = output(bytes);
  Status put = payloads.put(ref, bytes);
  ASSERT_TRUE(put.ok()) << put.error().message;
  EXPECT_EQ(payloads.get(ref).value(), bytes);
  EXPECT_EQ(store.puts, BreakingStore::broken + 1);
}

// Lets everybody touch what is execution 7's, after it could not tell for a while.
class OnlySeven final : public GrantGate {
 public:
  Status may_touch(const GrantParty& party, ExecutionId execution) override {
    EXPECT_EQ(party.certificate, "");
    if (asked_++ < 3) return Error{Code::unavailable, "not yet"};
    if (execution == ExecutionId{7}) return {};
    return Error{Code::permission_denied, "nothing of yours"};
  }

 private:
  std::atomic<int> asked_{0};
};

TEST_F(RemotePayloadsTest, AWorkerTouchesWhatItHoldsAGrantOf) {
  OnlySeven gate;
  auto server = StreamServer::start({}, {kept_, outputs_, &gate}, quiet_).value();
  RemotePayloadsOptions there;
  there.target = "127.0.0.1:" + std::to_string(server->port());
  RemotePayloads payloads(there);
  const Bytes bytes = "\"some\"";
  BlobRef ref = output(bytes);
  ASSERT_TRUE(payloads.put(ref, bytes).ok()) << "asked again until it could be told";
  EXPECT_EQ(payloads.get(ref).value(), bytes);
  ref.owner = ExecutionId{8};
  EXPECT_EQ(payloads.put(ref, bytes).error().code, Code::permission_denied);
  EXPECT_EQ(payloads.get(ref).error().code, Code::permission_denied);
  RemoteOutputsOptions same;
  same.target = there.target;
  RemoteOutputs outputs(same, quiet_);
  for (const char* path : {"e7/n/0.1.out", "e8/n/0.1.out", "e7/n/0.1.err"})
    outputs.put({path, 0, "said"});
  ASSERT_TRUE(outputs.flush(Duration::seconds(30)));
  EXPECT_EQ(outputs.settled(), 3u);
  EXPECT_EQ(outputs_.files(),
            (std::map<std::string, Bytes>{{"e7/n/0.1.out", "said"}, {"e7/n/0.1.err", "said"}}));
}

// Begins a call and says nothing: whoever is refused then is refused before its request is read.
grpc::Status answer_to_silence(const std::string& target, const std::string& method) {
  grpc::GenericStub stub(
      grpc::CreateChannel(target, channel_credentials("127.0.0.1", std::nullopt).value()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  grpc::CompletionQueue queue;
  auto call = stub.PrepareCall(&context, "/pawl.v1.Workers/" + method, &queue);
  grpc::Status status;
  void* step = nullptr;
  bool ok = false;
  call->StartCall(&call);
  EXPECT_TRUE(queue.Next(&step, &ok));
  call->Finish(&status, &call);
  EXPECT_TRUE(queue.Next(&step, &ok));
  return status;
}

constexpr const char* beside_the_stream[] = {"ReadPayload", "WritePayload", "WriteOutputs"};

TEST_F(RemotePayloadsTest, SoManyCallsAreServedAtOnce) {
  StreamServerOptions none;
  none.payload_calls_max = 0;
  auto server = StreamServer::start(none, {kept_, outputs_}, quiet_).value();
  for (const char* method : beside_the_stream) {
    grpc::Status refused = answer_to_silence("127.0.0.1:" + std::to_string(server->port()), method);
    EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE)
        << method << ": workers ask again";
    EXPECT_NE(refused.error_message().find("payload_calls_max"), std::string::npos) << method;
  }
}

class NobodyEnters final : public PeerGate {
 public:
  Status admit(const std::string&) override {
    return Error{Code::unauthenticated, "a worker shows a certificate"};
  }
};

TEST_F(RemotePayloadsTest, NothingIsReadOfWhoeverMayNotEnter) {
  NobodyEnters gate;
  StreamServerOptions guarded;
  guarded.gate = &gate;
  auto server = StreamServer::start(guarded, {kept_, outputs_}, quiet_).value();
  for (const char* method : beside_the_stream) {
    grpc::Status refused = answer_to_silence("127.0.0.1:" + std::to_string(server->port()), method);
    EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAUTHENTICATED) << method;
  }
}

TEST_F(RemotePayloadsTest, SoMuchArrivesAtOnce) {
  StreamServerOptions small;
  small.arriving_bytes_max = 1 << 20;
  auto server = StreamServer::start(small, {kept_, outputs_}, quiet_).value();
  v1::WriteOutputsRequest request;
  v1::OutputPart& part = *request.add_parts();
  part.set_path("e7/n/0.1.out");
  auto write = [&](uint16_t port) {
    auto workers = v1::Workers::NewStub(grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                                                            grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    v1::WriteOutputsResponse response;
    return workers->WriteOutputs(&context, request, &response);
  };
  part.set_bytes("small");
  EXPECT_TRUE(write(server->port()).ok());
  part.set_bytes(std::string(40 << 20, 'x'));
  EXPECT_FALSE(write(server->port()).ok());
  EXPECT_TRUE(write(server_->port()).ok()) << "a single large one is taken";
}

// Passes bytes on between one client at a time and a server, and counts them.
class CountingRelay {
 public:
  explicit CountingRelay(uint16_t to) : to_(to), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in here = loopback(0);
    socklen_t size = sizeof here;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&here), size), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &size), 0);
    address = "127.0.0.1:" + std::to_string(ntohs(here.sin_port));
    thread_ = std::thread([this] { serve(); });
  }
  ~CountingRelay() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  std::string address;
  std::atomic<uint64_t> bytes{0};

 private:
  static sockaddr_in loopback(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  void serve() {
    for (int near = -1; (near = accept(listener_, nullptr, nullptr)) >= 0;) {
      int far = socket(AF_INET, SOCK_STREAM, 0);
      sockaddr_in server = loopback(to_);
      EXPECT_EQ(connect(far, reinterpret_cast<sockaddr*>(&server), sizeof server), 0);
      pollfd ends[] = {{near, POLLIN, 0}, {far, POLLIN, 0}};
      bool open = true;
      while (open && poll(ends, 2, -1) > 0)
        for (int end : {0, 1})
          if (open && ends[end].revents != 0) open = pass_on(ends[end].fd, ends[1 - end].fd);
      close(near);
      close(far);
    }
  }
  bool pass_on(int from, int to) {
    char buffer[65536];
    ssize_t size = recv(from, buffer, sizeof buffer, 0);
    if (size <= 0) return false;
    bytes += static_cast<uint64_t>(size);
    for (ssize_t at = 0, n = 0; at < size; at += n)
      if ((n = send(to, buffer + at, static_cast<size_t>(size - at), MSG_NOSIGNAL)) <= 0)
        return false;
    return true;
  }

  uint16_t to_;
  int listener_;
  std::thread thread_;
};

TEST_F(RemotePayloadsTest, PackedPayloadsAreAFractionOnTheWire) {
  const Bytes bytes = several_parts();
  const BlobRef ref = output(bytes);
  std::map<bool, uint64_t> travelled;
  for (bool packed : {false, true}) {
    CountingRelay relay(server_->port());
    RemotePayloadsOptions through;
    through.target = relay.address;
    through.packed = packed;
    RemotePayloads payloads(through);
    ASSERT_TRUE(payloads.put(ref, bytes).ok());
    EXPECT_EQ(payloads.get(ref).value(), bytes);
    travelled[packed] = relay.bytes;
  }
  EXPECT_GT(travelled[false], 2 * bytes.size());
  EXPECT_LT(travelled[true], bytes.size());
}

TEST_F(RemotePayloadsTest, WhatProgramsWroteArrivesWholeAndInOrder) {
  RemoteOutputsOptions options;
  options.target = this->options().target;
  options.batch_bytes_max = 1000;
  RemoteOutputs outputs(options, quiet_);
  Bytes whole;
  for (uint64_t i = 0; i < 500; ++i) {
    Bytes line = std::to_string(i) + "\n";
    outputs.put({"e1/n/0.1.out", whole.size(), line});
    whole += line;
  }
  outputs.put({"refused", 0, "this"});
  ASSERT_TRUE(outputs.flush(Duration::seconds(30)));
  EXPECT_EQ(outputs_.files(), (std::map<std::string, Bytes>{{"e1/n/0.1.out", whole}}));
}

TEST_F(RemotePayloadsTest, WhatProgramsWroteWaitsForAServerThatIsAway) {
  RemoteOutputsOptions options;
  options.target = this->options().target;
  options.waiting_bytes_max = 10;
  options.retry_pause = Duration::milliseconds(10);
  StreamServerOptions same;
  same.listen = options.target;
  server_.reset();
  RemoteOutputs outputs(options, quiet_);
  outputs.put({"e1/n/0.1.out", 0, "12345678"});
  outputs.put({"e1/n/0.1.out", 8, "too much"});
  EXPECT_FALSE(outputs.flush(Duration::milliseconds(1)));
  server_ = StreamServer::start(same, {kept_, outputs_}, quiet_).value();
  ASSERT_TRUE(outputs.flush(Duration::seconds(30)));
  EXPECT_EQ(outputs_.files()["e1/n/0.1.out"], "12345678");
}

}  // namespace
}  // namespace pawl
