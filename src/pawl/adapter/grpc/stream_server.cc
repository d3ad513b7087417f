#include "pawl/adapter/grpc/stream_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <mutex>
#include <set>

#include "pawl/adapter/grpc/frame_stream.h"
#include "pawl/adapter/grpc/payload_service.h"
#include "pawl/adapter/grpc/tls_credentials.h"
#include "pawl/v1/workers.grpc.pb.h"

namespace pawl {

namespace {

// Which connections may work. TLS lets others in, too: clients show tokens instead of certificates.
struct Admission {
  explicit Admission(const StreamServerOptions& options)
      : gate(options.gate), certified(options.tls.has_value()) {}

  grpc::Status operator()(const grpc::ServerContextBase& context) const {
    auto peer = context.auth_context();
    if (certified && !peer->IsPeerAuthenticated())
      return {grpc::StatusCode::UNAUTHENTICATED, "a worker shows a certificate"};
    Status admitted = still(certificate_uri(*peer));
    if (admitted.ok()) return grpc::Status::OK;
    return {static_cast<grpc::StatusCode>(admitted.error().code), admitted.error().message};
  }
  // Whoever has been let in with it.
  Status still(const std::string& certificate) const {
    return gate == nullptr ? Status() : gate->admit(certificate);
  }

  PeerGate* gate;
  bool certified;
};

void keep_alive(grpc::ServerBuilder& builder, const StreamServerOptions& options) {
  auto set = [&](const char* name, Duration time) {
    builder.AddChannelArgument(name, static_cast<int>(time.whole_milliseconds()));
  };
  set(GRPC_ARG_KEEPALIVE_TIME_MS, options.keep_alive_every);
  set(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, options.keep_alive_patience);
  set(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, options.client_pings_min);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
}

// What any client may make the library hold, whether it has been let in or not.
void bound(grpc::ServerBuilder& builder, const StreamServerOptions& options) {
  grpc::ResourceQuota quota("port");
  quota.Resize(options.arriving_bytes_max);
  builder.SetResourceQuota(quota);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                             static_cast<int>(options.connection_calls_max));
  builder.SetMaxReceiveMessageSize(static_cast<int>(worker_frame_bytes_max));
}

using StreamReactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;
using Accept = std::function<StreamReactor*(const grpc::CallbackServerContext&)>;
using PartyOf = std::function<GrantParty(std::string certificate)>;

// One of so many calls at once, each of which holds a thread.
class Place {
 public:
  Place(std::atomic<uint32_t>& taken, uint32_t most) : taken_(taken), got_(taken++ < most) {}
  ~Place() { --taken_; }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  bool got() const { return got_; }

 private:
  std::atomic<uint32_t>& taken_;
  const bool got_;
};

// A generated service reads a single request before it asks anybody: this one reads it like a stream.
using UnreadService = v1::Workers::WithStreamedUnaryMethod_WriteOutputs<
    v1::Workers::WithSplitStreamingMethod_ReadPayload<
        v1::Workers::WithRawCallbackMethod_Connect<v1::Workers::Service>>>;

// The stream is served where its bytes arrive, without a hop to another thread; payloads, which may wait for
// a disk, by threads of their own. Nothing is read of whoever is not admitted.
class WorkersService final : public UnreadService {
 public:
  WorkersService(const WorkerStores& stores, const Admission& admit, uint32_t calls_max,
                 Accept accept, PartyOf party_of)
      : stores_(stores),
        admit_(admit),
        calls_max_(calls_max),
        accept_(std::move(accept)),
        party_of_(std::move(party_of)) {}

  StreamReactor* Connect(grpc::CallbackServerContext* context) override {
    return accept_(*context);
  }

  grpc::Status StreamedReadPayload(
      grpc::ServerContext* context,
      grpc::ServerSplitStreamer<v1::ReadPayloadRequest, v1::PayloadPart>* parts) override {
    return serve(*context, [&](const PayloadCaller& caller) {
      v1::ReadPayloadRequest request;
      if (!parts->Read(&request)) return broke_off();
      if (request.packed()) context->set_compression_algorithm(GRPC_COMPRESS_GZIP);
      return read_payload(stores_.payloads, caller, request, *parts);
    });
  }
  grpc::Status WritePayload(grpc::ServerContext* context,
                            grpc::ServerReader<v1::WritePayloadRequest>* parts,
                            v1::WritePayloadResponse*) override {
    return serve(*context, [&](const PayloadCaller& caller) {
      return write_payload(stores_.payloads, caller, *parts);
    });
  }
  grpc::Status StreamedWriteOutputs(
      grpc::ServerContext* context,
      grpc::ServerUnaryStreamer<v1::WriteOutputsRequest, v1::WriteOutputsResponse>* call) override {
    return serve(*context, [&](const PayloadCaller& caller) {
      v1::WriteOutputsRequest request;
      if (!call->Read(&request)) return broke_off();
      grpc::Status written = write_outputs(stores_.outputs, caller, request);
      if (written.ok()) (void)call->Write(v1::WriteOutputsResponse());  // else the client is gone
      return written;
    });
  }

 private:
  template <class Act>
  grpc::Status serve(const grpc::ServerContext& context, Act act) {
    if (grpc::Status admitted = admit_(context); !admitted.ok()) return admitted;
    Place place(calls_, calls_max_);
    if (place.got()) return act(caller(context));
    return {grpc::StatusCode::UNAVAILABLE, "the limit payload_calls_max (" +
                                               std::to_string(calls_max_) +
                                               " calls at once) is reached; try again"};
  }
  PayloadCaller caller(const grpc::ServerContext& context) const {
    return {stores_.grants, party_of_(certificate_uri(*context.auth_context()))};
  }

  WorkerStores stores_;
  Admission admit_;
  const uint32_t calls_max_;
  std::atomic<uint32_t> calls_{0};
  Accept accept_;
  PartyOf party_of_;
};

}  // namespace

struct StreamServer::Impl {
  class Connection;

  Impl(StreamServerOptions given, const WorkerStores& stores, Telemetry& operator_log)
      : options(std::move(given)),
        telemetry(operator_log),
        admit(options),
        service(
            stores, admit, options.payload_calls_max,
            [this](const auto& context) { return accept(context); },
            [this](std::string certificate) { return party_of(std::move(certificate)); }) {}
  ~Impl();

  Status listen();
  StreamReactor* accept(const grpc::CallbackServerContext& context);
  Status heard(Message message, const std::shared_ptr<Connection>& from);
  Status route(const Message& message, const std::shared_ptr<Connection>& from);
  void gone(const std::shared_ptr<Connection>& connection);
  GrantParty party_of(std::string certificate);

  StreamServerOptions options;
  Telemetry& telemetry;
  Admission admit;
  WorkersService service;
  std::unique_ptr<grpc::Server> server;
  int port = 0;

  Receivers receivers;
  std::atomic<uint64_t> sent{0}, received{0}, lost{0};
  std::mutex mutex;
  bool closing = false;
  std::set<std::shared_ptr<Connection>> connections;
  std::map<std::string, uint32_t> by_certificate;  // how many of them
  struct Route {
    std::shared_ptr<Connection> connection;
    std::set<Address> spoke_to;
  };
  std::map<Address, Route> routes;
  // Whose connection has broken comes back, and its calls may come before its stream.
  std::deque<std::pair<std::string, Address>> left;  // by certificate, the newest last
};

// One connection of a worker, until everything that was begun on it has ended.
class StreamServer::Impl::Connection final : public StreamReactor,
                                             public FrameWriter,
                                             public std::enable_shared_from_this<Connection> {
 public:
  Connection(Impl& server, std::string certificate)
      : owner_(server),
        certificate_(std::move(certificate)),
        outgoing_(server.options.outgoing_bytes_max, *this) {}

  void begin() {
    outgoing_.open();
    StartRead(&incoming_);
  }
  // What is being written then is not waited for.
  void finish(const grpc::Status& status) {
    (void)outgoing_.close();
    Finish(status);
  }
  bool put(const Message& message) { return outgoing_.put(message); }
  const std::string& certificate() const { return certificate_; }
  uint32_t addresses = 0;  // that were first heard on it, or came to it; under the server's mutex

 private:
  void write(const std::string& frame) override {
    frame_ = buffer_of(frame);
    StartWrite(&frame_);
  }
  void OnReadDone(bool ok) override;
  void OnCancel() override;
  std::shared_ptr<const void> place_for(uint64_t bytes);
  void read_on();
  void taken(uint64_t bytes);
  void refuse(const Error& error);
  Status admitted_still();
  void OnWriteDone(bool ok) override { outgoing_.written(ok); }
  void OnDone() override { owner_.gone(shared_from_this()); }

  Impl& owner_;
  const std::string certificate_;  // that it shows; empty: none
  std::chrono::steady_clock::time_point admitted_ = std::chrono::steady_clock::now();
  Outgoing outgoing_;
  FrameDecoder decoder_;
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer frame_;

  std::mutex reading_;
  uint64_t waiting_bytes_ = 0;  // that were read and nobody has taken
  bool paused_ = false;         // no read is under way
  bool cancelled_ = false;
};

void StreamServer::Impl::Connection::OnReadDone(bool ok) {
  if (!ok) return finish(grpc::Status::OK);
  Result<Message> message = decoder_.decode(bytes_of(incoming_));
  if (!message.ok()) return refuse(message.error());
  if (Status still = admitted_still(); !still.ok()) return refuse(still.error());
  if (auto* hello = std::get_if<Hello>(&message->body)) hello->worker.certificate = certificate_;
  message->place = place_for(message->bytes);
  Status routed = owner_.heard(std::move(message.value()), shared_from_this());
  if (!routed.ok()) return refuse(routed.error());
  read_on();
}

// Whoever says more than is taken off it waits, as does what it says: in its own memory, and not in ours.
void StreamServer::Impl::Connection::read_on() {
  {
    std::lock_guard lock(reading_);
    paused_ = waiting_bytes_ > owner_.options.incoming_bytes_max && !cancelled_;
    if (paused_) return;
  }
  StartRead(&incoming_);
}

std::shared_ptr<const void> StreamServer::Impl::Connection::place_for(uint64_t bytes) {
  {
    std::lock_guard lock(reading_);
    waiting_bytes_ += bytes;
  }
  return {static_cast<const void*>(this), [whose = weak_from_this(), bytes](const void*) {
            if (auto connection = whose.lock()) connection->taken(bytes);
          }};
}

void StreamServer::Impl::Connection::taken(uint64_t bytes) {
  {
    std::lock_guard lock(reading_);
    waiting_bytes_ -= bytes;
    if (!paused_ || waiting_bytes_ > owner_.options.incoming_bytes_max) return;
    paused_ = false;
  }
  StartRead(&incoming_);
}

// A read that is under way says so itself.
void StreamServer::Impl::Connection::OnCancel() {
  {
    std::lock_guard lock(reading_);
    cancelled_ = true;
    if (!std::exchange(paused_, false)) return;
  }
  finish(grpc::Status::CANCELLED);
}

// A certificate may be revoked while its connection is open.
Status StreamServer::Impl::Connection::admitted_still() {
  auto now = std::chrono::steady_clock::now();
  if (now - admitted_ < std::chrono::nanoseconds(owner_.options.admit_again_every.ns)) return {};
  admitted_ = now;
  return owner_.admit.still(certificate_);
}

void StreamServer::Impl::Connection::refuse(const Error& error) {
  owner_.telemetry.warn("worker_refused", "a worker's connection is closed: " + error.message);
  finish({static_cast<grpc::StatusCode>(error.code), error.message});
}

StreamReactor* StreamServer::Impl::accept(const grpc::CallbackServerContext& context) {
  auto connection = std::make_shared<Connection>(*this, certificate_uri(*context.auth_context()));
  bool room;
  {
    std::lock_guard lock(mutex);
    uint32_t& alike = by_certificate[connection->certificate()];
    room = connections.size() < options.streams_max && alike < (options.streams_max + 1) / 2;
    connections.insert(connection);
    ++alike;
  }
  grpc::Status admitted = admit(context);
  if (!room)
    admitted = {
        grpc::StatusCode::RESOURCE_EXHAUSTED,
        "the limit streams_max (" + std::to_string(options.streams_max) +
            " connected workers, half of them with one certificate) is reached; try again later"};
  if (admitted.ok())
    connection->begin();
  else
    connection->finish(admitted);
  return connection.get();
}

Status StreamServer::Impl::listen() {
  silence_libraries();
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  PAWL_ASSIGN(std::shared_ptr<grpc::ServerCredentials> credentials,
              server_credentials(options.listen, options.tls));
  grpc::ServerBuilder builder;
  builder.AddListeningPort(options.listen, credentials, &port);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // one server per port
  keep_alive(builder, options);
  bound(builder, options);
  builder.RegisterService(&service);
  if (options.guest != nullptr) options.guest->join(builder);
  server = builder.BuildAndStart();
  if (!server || port == 0)
    return Error{Code::unavailable, "cannot listen on " + options.listen +
                                        "; is the address right, and the port free?"};
  if (options.guest != nullptr) options.guest->serving(*server);
  return {};
}

StreamServer::Impl::~Impl() {
  if (!server) return;
  if (options.guest != nullptr) options.guest->leaving();
  {
    std::lock_guard lock(mutex);
    closing = true;
  }
  server->Shutdown(std::chrono::system_clock::now());  // returns when every call is over
}

Status StreamServer::Impl::heard(Message message, const std::shared_ptr<Connection>& from) {
  PAWL_TRY(route(message, from));
  if (message.to == 0) return {};  // it only says where it is
  ++(receivers.deliver(message) ? received : lost);
  return {};
}

// What is sent to an address goes to whoever spoke for it last: to its own worker, then, and nobody else.
Status StreamServer::Impl::route(const Message& message, const std::shared_ptr<Connection>& from) {
  if (receivers.bound(message.from))
    return Error{Code::permission_denied, "the address is one of this server's own"};
  std::lock_guard lock(mutex);
  Route& route = routes[message.from];
  if (route.connection != from) {
    if (route.connection && route.connection->certificate() != from->certificate())
      return Error{Code::permission_denied,
                   "the address is that of a worker with another certificate"};
    if (++from->addresses > options.addresses_max) {
      if (!route.connection) routes.erase(message.from);
      return Error{Code::resource_exhausted, "the limit addresses_max (" +
                                                 std::to_string(options.addresses_max) +
                                                 " workers over one connection) is reached"};
    }
    route.connection = from;
  }
  if (message.to != 0 && route.spoke_to.size() < partitions_max) route.spoke_to.insert(message.to);
  return {};
}

// Whoever was spoken to over it is told, for a worker that has died seldom says so itself.
void StreamServer::Impl::gone(const std::shared_ptr<Connection>& connection) {
  std::lock_guard lock(mutex);
  for (auto it = routes.begin(); it != routes.end();) {
    if (it->second.connection != connection) {
      ++it;
      continue;
    }
    for (Address engine : it->second.spoke_to) {
      Message notice;
      notice.from = it->first;
      notice.to = engine;
      notice.body = Unreachable{};
      if (!closing) (void)receivers.deliver(notice);
    }
    left.emplace_back(connection->certificate(), it->first);
    if (left.size() > options.streams_max) left.pop_front();
    it = routes.erase(it);
  }
  connections.erase(connection);
  auto alike = by_certificate.find(connection->certificate());
  if (--alike->second == 0) by_certificate.erase(alike);
}

GrantParty StreamServer::Impl::party_of(std::string certificate) {
  GrantParty party{std::move(certificate), {}};
  std::lock_guard lock(mutex);
  for (const auto& [address, route] : routes)
    if (route.connection->certificate() == party.certificate) party.addresses.push_back(address);
  for (const auto& [whose, address] : left)
    if (whose == party.certificate) party.addresses.push_back(address);
  return party;
}

StreamServer::StreamServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StreamServer::~StreamServer() = default;

Result<std::unique_ptr<StreamServer>> StreamServer::start(const StreamServerOptions& options,
                                                          WorkerStores stores,
                                                          Telemetry& telemetry) {
  auto impl = std::make_unique<Impl>(options, stores, telemetry);
  PAWL_TRY(impl->listen());
  return std::unique_ptr<StreamServer>(new StreamServer(std::move(impl)));
}

void StreamServer::bind(Address address, Sink<Message>& receiver) {
  impl_->receivers.bind(address, receiver);
}

void StreamServer::unbind(Address address) {
  impl_->receivers.unbind(address);
}

void StreamServer::send(Message message) {
  if (impl_->receivers.deliver(message)) {
    ++impl_->sent;
    return;
  }
  std::shared_ptr<Impl::Connection> connection;
  {
    std::lock_guard lock(impl_->mutex);
    auto route = impl_->routes.find(message.to);
    if (route != impl_->routes.end()) connection = route->second.connection;
  }
  ++(connection && connection->put(message) ? impl_->sent : impl_->lost);
}

uint16_t StreamServer::port() const {
  return static_cast<uint16_t>(impl_->port);
}

bool StreamServer::reaches(Address address) const {
  std::lock_guard lock(impl_->mutex);
  return impl_->routes.contains(address);
}

StreamCounts StreamServer::counts() const {
  return {impl_->sent, impl_->received, impl_->lost};
}

}  // namespace pawl
