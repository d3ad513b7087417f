#include "pawl/adapter/grpc/stream_client.h"

#include <grpcpp/alarm.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <thread>

#include "pawl/adapter/grpc/frame_stream.h"
#include "pawl/adapter/grpc/tls_credentials.h"

namespace pawl {

namespace {

// One connection, from its first step to its last.
class Connection final : public FrameWriter {
 public:
  using Heard = std::function<void(Message)>;
  using Event = std::function<void()>;

  Connection(grpc::GenericStub& stub, grpc::CompletionQueue& queue, uint64_t outgoing_bytes_max,
             Heard heard, Event opened, std::function<void(const grpc::Status&)> over)
      : stream_(stub.PrepareCall(&context_, "/pawl.v1.Workers/Connect", &queue)),
        outgoing_(outgoing_bytes_max, *this),
        heard_(std::move(heard)),
        opened_(std::move(opened)),
        over_(std::move(over)) {
    stream_->StartCall(&started_);
  }

  void write(const std::string& frame) override { stream_->Write(buffer_of(frame), &wrote_); }
  bool put(const Message& message) { return outgoing_.put(message); }
  void cancel() { context_.TryCancel(); }

 private:
  void start(bool ok) {
    if (!ok) return finish();
    outgoing_.open();
    opened_();
    stream_->Read(&incoming_, &arrived_);
  }
  void read(bool ok) {
    if (!ok) return finish();
    Result<Message> message = decoder_.decode(bytes_of(incoming_));
    if (!message.ok()) {
      context_.TryCancel();
      return finish();
    }
    heard_(std::move(message.value()));
    stream_->Read(&incoming_, &arrived_);
  }
  void finish() {
    if (!outgoing_.close()) context_.TryCancel();
    stream_->Finish(&status_, &finished_);
  }
  void written(bool ok) {
    outgoing_.written(ok);
    end_if_quiet();
  }
  void finished(bool) {
    is_finished_ = true;
    end_if_quiet();
  }
  void end_if_quiet() {
    if (is_finished_ && outgoing_.close()) over_(status_);
  }

  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  Outgoing outgoing_;
  FrameDecoder decoder_;
  grpc::ByteBuffer incoming_;
  grpc::Status status_;
  bool is_finished_ = false;
  Heard heard_;
  Event opened_;
  std::function<void(const grpc::Status&)> over_;

  StepOf<Connection, &Connection::start> started_{*this};
  StepOf<Connection, &Connection::read> arrived_{*this};
  StepOf<Connection, &Connection::written> wrote_{*this};
  StepOf<Connection, &Connection::finished> finished_{*this};
};

grpc::ChannelArguments channel_arguments(const StreamClientOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);  // a coordinator is trusted with what its nodes read
  int first = static_cast<int>(options.reconnect_first.whole_milliseconds());
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, first);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);  // patience with one attempt
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS,
                   static_cast<int>(options.reconnect_max.whole_milliseconds()));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5'000);
  return arguments;
}

// What the library's words mean to whoever has started a worker.
struct Hint {
  const char* words;
  const char* means;
};
constexpr Hint hints[] = {
    {"Trying to connect an http1.x server", "workers go to --listen of the server, not to --http"},
    {"missing selected ALPN", "workers go to --listen of the server, not to --http"},
    {"wrong version number", "it was started without --tls"},
    {"Failed to create security handshaker", "do worker.pem and worker.key belong together?"},
    {"certificate verify failed", "its certificate is not of the authority in ca.pem"},
};

std::string explained(const std::string& why, bool tls, bool has_been_there) {
  for (const Hint& hint : hints)
    if (why.find(hint.words) != std::string::npos) return why + " (" + hint.means + ")";
  bool perhaps_tls = !tls && !has_been_there && why.find("Socket closed") != std::string::npos;
  return perhaps_tls ? why + " (a server with --tls wants workers with --tls)" : why;
}

}  // namespace

Status check_target(const std::string& target, const std::optional<TlsFiles>& tls) {
  auto credentials = channel_credentials(target, tls);
  return credentials.ok() ? Status() : credentials.error();
}

struct StreamClient::Impl {
  Impl(const StreamClientOptions& given, Telemetry& operator_log)
      : options(given),
        telemetry(operator_log),
        stub(open_channel(channel_credentials(given.target, given.tls).value())),
        pause(given.reconnect_first),
        thread([this] { run_steps(queue); }) {
    connect();
  }

  ~Impl() {
    {
      std::unique_lock lock(mutex);
      closing = true;
      if (connection) connection->cancel();
      alarm.Cancel();
      idle.wait(lock, [this] { return !connection && !waiting; });
    }
    queue.Shutdown();
    thread.join();
  }

  std::unique_ptr<grpc::GenericStub> open_channel(
      const std::shared_ptr<grpc::ChannelCredentials>& credentials) const {
    return std::make_unique<grpc::GenericStub>(
        grpc::CreateCustomChannel(options.target, credentials, channel_arguments(options)));
  }

  // A refusal leaves the channel open, and it goes on showing the certificate that it began with; there may be a
  // new one by now.
  void again(bool) {
    if (std::exchange(refused, false)) {
      auto credentials = channel_credentials(options.target, options.tls);
      if (credentials.ok()) stub = open_channel(*credentials);
    }
    connect();
  }

  void connect() {
    std::lock_guard lock(mutex);
    waiting = false;
    if (closing) return idle.notify_all();
    connection = std::make_shared<Connection>(
        *stub, queue, options.outgoing_bytes_max,
        [this](Message message) { heard(std::move(message)); }, [this] { opened(); },
        [this](const grpc::Status& status) { over(status); });
  }

  // Says which addresses are to be found here.
  void opened() {
    std::shared_ptr<Connection> current = now();
    for (Address address : receivers.addresses()) announce(*current, address);
    is_connected = true;
  }

  static void announce(Connection& connection, Address address) {
    Message here;
    here.from = address;
    (void)connection.put(here);
  }

  void heard(Message message) {
    pause = options.reconnect_first;
    if (!has_answered.exchange(true)) ++connections;
    ++(receivers.deliver(message) ? received : lost);
  }

  void over(const grpc::Status& status) {
    is_connected = has_answered = false;
    refused = status.error_code() == grpc::StatusCode::PERMISSION_DENIED ||
              status.error_code() == grpc::StatusCode::UNAUTHENTICATED;
    std::lock_guard lock(mutex);
    if (!status.ok() && !closing && status.error_message() != complained) {
      complained = status.error_message();
      telemetry.warn("connection_lost",
                     "no connection to " + options.target + ": " +
                         explained(complained, options.tls.has_value(), connections > 0) +
                         "; trying again");
    }
    newest_over = std::exchange(connection, nullptr);
    waiting = true;
    alarm.Set(&queue, std::chrono::system_clock::now() + std::chrono::nanoseconds(pause.ns),
              &alarm_rang);
    pause = std::min(pause + pause, options.reconnect_max);
    if (closing) alarm.Cancel();
  }

  std::shared_ptr<Connection> now() {
    std::lock_guard lock(mutex);
    return connection;
  }

  StreamClientOptions options;
  Telemetry& telemetry;
  grpc::CompletionQueue queue;
  std::unique_ptr<grpc::GenericStub> stub;
  bool refused = false;  // by the server, as the one that it said it was
  grpc::Alarm alarm;
  StepOf<Impl, &Impl::again> alarm_rang{*this};
  Duration pause;
  std::string complained;

  Receivers receivers;
  std::atomic<uint64_t> sent{0}, received{0}, lost{0}, connections{0};
  std::atomic<bool> is_connected{false}, has_answered{false};
  std::mutex mutex;
  std::condition_variable idle;
  bool closing = false;
  bool waiting = false;
  std::shared_ptr<Connection> connection;
  std::shared_ptr<Connection> newest_over;  // its last step may not have returned yet
  std::thread thread;
};

StreamClient::StreamClient(const StreamClientOptions& options, Telemetry& telemetry)
    : impl_((silence_libraries(), std::make_unique<Impl>(options, telemetry))) {}
StreamClient::~StreamClient() = default;

void StreamClient::bind(Address address, Sink<Message>& receiver) {
  impl_->receivers.bind(address, receiver);
  if (std::shared_ptr<Connection> connection = impl_->now()) Impl::announce(*connection, address);
}

void StreamClient::unbind(Address address) {
  impl_->receivers.unbind(address);
}

void StreamClient::send(Message message) {
  if (impl_->receivers.deliver(message)) {
    ++impl_->sent;
    return;
  }
  std::shared_ptr<Connection> connection = impl_->now();
  ++(connection && connection->put(message) ? impl_->sent : impl_->lost);
}

bool StreamClient::connected() const {
  return impl_->is_connected;
}

bool StreamClient::answered() const {
  return impl_->has_answered;
}

uint64_t StreamClient::connections() const {
  return impl_->connections;
}

StreamCounts StreamClient::counts() const {
  return {impl_->sent, impl_->received, impl_->lost};
}

}  // namespace pawl
