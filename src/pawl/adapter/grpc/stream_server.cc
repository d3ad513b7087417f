#include "pawl/adapter/grpc/stream_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <set>
#include <thread>

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

  grpc::Status operator()(const grpc::ServerContext& context) const {
    auto peer = context.auth_context();
    if (certified && !peer->IsPeerAuthenticated())
      return {grpc::StatusCode::UNAUTHENTICATED, "a worker shows a certificate"};
    if (gate == nullptr) return grpc::Status::OK;
    Status admitted = gate->admit(certificate_uri(*peer));
    if (admitted.ok()) return grpc::Status::OK;
    return {static_cast<grpc::StatusCode>(admitted.error().code), admitted.error().message};
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

// The stream is served from the completion queue, payloads by gRPC's own threads.
class WorkersService final : public v1::Workers::WithRawMethod_Connect<v1::Workers::Service> {
 public:
  WorkersService(const WorkerStores& stores, const Admission& admit)
      : stores_(stores), admit_(admit) {}

  grpc::Status ReadPayload(grpc::ServerContext* context, const v1::ReadPayloadRequest* request,
                           grpc::ServerWriter<v1::PayloadPart>* parts) override {
    grpc::Status admitted = admit_(*context);
    return admitted.ok() ? read_payload(stores_.payloads, *request, *parts) : admitted;
  }
  grpc::Status WritePayload(grpc::ServerContext* context,
                            grpc::ServerReader<v1::WritePayloadRequest>* parts,
                            v1::WritePayloadResponse*) override {
    grpc::Status admitted = admit_(*context);
    return admitted.ok() ? write_payload(stores_.payloads, *parts) : admitted;
  }
  grpc::Status WriteOutputs(grpc::ServerContext* context, const v1::WriteOutputsRequest* request,
                            v1::WriteOutputsResponse*) override {
    grpc::Status admitted = admit_(*context);
    return admitted.ok() ? write_outputs(stores_.outputs, *request) : admitted;
  }

 private:
  WorkerStores stores_;
  Admission admit_;
};

}  // namespace

struct StreamServer::Impl {
  struct Connection;

  Impl(StreamServerOptions given, const WorkerStores& stores, Telemetry& operator_log)
      : options(std::move(given)),
        telemetry(operator_log),
        admit(options),
        service(stores, admit) {}
  ~Impl();

  Status listen();
  void accept_next();
  void heard(Message message, const std::shared_ptr<Connection>& from);
  void gone(const std::shared_ptr<Connection>& connection);

  StreamServerOptions options;
  Telemetry& telemetry;
  Admission admit;
  WorkersService service;
  std::unique_ptr<grpc::ServerCompletionQueue> queue;
  std::unique_ptr<grpc::Server> server;
  int port = 0;
  std::thread thread;

  Receivers receivers;
  std::atomic<uint64_t> sent{0}, received{0}, lost{0};
  std::mutex mutex;
  std::condition_variable empty;
  bool closing = false;
  std::set<std::shared_ptr<Connection>> connections;
  struct Route {
    std::shared_ptr<Connection> connection;
    std::set<Address> spoke_to;
  };
  std::map<Address, Route> routes;
  std::shared_ptr<Connection> newest_gone;  // its last step may not have returned yet
};

// One connection of a worker. Made to be accepted; lives until its last step is over.
struct StreamServer::Impl::Connection final : FrameWriter,
                                              std::enable_shared_from_this<Connection> {
  explicit Connection(Impl& server)
      : owner(server), outgoing(server.options.outgoing_bytes_max, *this) {}

  void write(const std::string& frame) override { stream.Write(buffer_of(frame), &wrote); }
  void accepted(bool ok);
  void read(bool ok);
  void written(bool ok);
  void ended(bool ok);
  void finish(const grpc::Status& status);
  void end_if_quiet();

  Impl& owner;
  grpc::ServerContext context;
  grpc::ServerAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer> stream{&context};
  Outgoing outgoing;
  FrameDecoder decoder;
  grpc::ByteBuffer incoming;
  bool finished = false;  // on the queue's thread only

  StepOf<Connection, &Connection::accepted> accept{*this};
  StepOf<Connection, &Connection::read> arrived{*this};
  StepOf<Connection, &Connection::written> wrote{*this};
  StepOf<Connection, &Connection::ended> over{*this};
};

void StreamServer::Impl::Connection::accepted(bool ok) {
  if (!ok) {  // the server is shutting down
    finished = true;
    return end_if_quiet();
  }
  owner.accept_next();
  size_t others;
  {
    std::lock_guard lock(owner.mutex);
    others = owner.connections.size() - 1;
  }
  if (others > owner.options.streams_max)
    return finish({grpc::StatusCode::RESOURCE_EXHAUSTED,
                   "the limit streams_max (" + std::to_string(owner.options.streams_max) +
                       " connected workers) is reached; try again later"});
  if (grpc::Status admitted = owner.admit(context); !admitted.ok()) return finish(admitted);
  outgoing.open();
  stream.Read(&incoming, &arrived);
}

void StreamServer::Impl::Connection::read(bool ok) {
  if (!ok) return finish(grpc::Status::OK);
  Result<Message> message = decoder.decode(bytes_of(incoming));
  if (!message.ok()) {
    owner.telemetry.warn("worker_refused",
                         "a worker's connection is closed: " + message.error().message);
    return finish({grpc::StatusCode::INVALID_ARGUMENT, message.error().message});
  }
  owner.heard(std::move(message.value()), shared_from_this());
  stream.Read(&incoming, &arrived);
}

void StreamServer::Impl::Connection::written(bool ok) {
  outgoing.written(ok);
  end_if_quiet();
}

void StreamServer::Impl::Connection::ended(bool) {
  finished = true;
  end_if_quiet();
}

void StreamServer::Impl::Connection::finish(const grpc::Status& status) {
  if (!outgoing.close()) context.TryCancel();  // a write is on its way: it ends first
  stream.Finish(status, &over);
}

void StreamServer::Impl::Connection::end_if_quiet() {
  if (finished && outgoing.close()) owner.gone(shared_from_this());
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
  builder.SetMaxReceiveMessageSize(static_cast<int>(worker_frame_bytes_max));
  builder.RegisterService(&service);
  if (options.guest != nullptr) options.guest->join(builder);
  queue = builder.AddCompletionQueue();
  server = builder.BuildAndStart();
  if (!server || port == 0)
    return Error{Code::unavailable, "cannot listen on " + options.listen +
                                        "; is the address right, and the port free?"};
  if (options.guest != nullptr) options.guest->serving(*server);
  accept_next();
  thread = std::thread([this] { run_steps(*queue); });
  return {};
}

StreamServer::Impl::~Impl() {
  if (server) {
    if (options.guest != nullptr) options.guest->leaving();
    {
      std::lock_guard lock(mutex);
      closing = true;
    }
    server->Shutdown(std::chrono::system_clock::now());
    std::unique_lock lock(mutex);
    empty.wait(lock, [this] { return connections.empty(); });
  }
  if (queue) queue->Shutdown();
  if (thread.joinable()) thread.join();
}

void StreamServer::Impl::accept_next() {
  auto next = std::make_shared<Connection>(*this);
  {
    std::lock_guard lock(mutex);
    if (closing) return;
    connections.insert(next);
    service.RequestConnect(&next->context, &next->stream, queue.get(), queue.get(), &next->accept);
  }
}

void StreamServer::Impl::heard(Message message, const std::shared_ptr<Connection>& from) {
  {
    std::lock_guard lock(mutex);
    Route& route = routes[message.from];
    route.connection = from;
    if (message.to != 0 && route.spoke_to.size() < partitions_max)
      route.spoke_to.insert(message.to);
  }
  if (message.to == 0) return;  // it only says where it is
  ++(receivers.deliver(message) ? received : lost);
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
    it = routes.erase(it);
  }
  connections.erase(connection);
  newest_gone = connection;
  if (connections.empty()) empty.notify_all();
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
  ++(connection && connection->outgoing.put(message) ? impl_->sent : impl_->lost);
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
