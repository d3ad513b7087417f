// What both ends of a stream have in common.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "pawl/adapter/grpc/frame_codec.h"
#include "pawl/port/transport.h"

namespace grpc {
class ByteBuffer;
class CompletionQueue;
}  // namespace grpc

namespace pawl {

// What a completion queue hands back: the step of a call that is over.
class QueueStep {
 public:
  virtual ~QueueStep() = default;
  virtual void happen(bool ok) = 0;
};

//   StepOf<Connection, &Connection::read> arrived{*this};   stream.Read(&incoming, &arrived);
template <class Owner, void (Owner::*then)(bool ok)>
class StepOf final : public QueueStep {
 public:
  explicit StepOf(Owner& owner) : owner_(owner) {}
  void happen(bool ok) override { (owner_.*then)(ok); }

 private:
  Owner& owner_;
};

// Lets the steps of a queue happen, until it is shut down and empty.
void run_steps(grpc::CompletionQueue& queue);

std::string bytes_of(const grpc::ByteBuffer& buffer);
grpc::ByteBuffer buffer_of(const std::string& bytes);

// The library's own complaints go nowhere: what matters to an operator comes back as an error.
void silence_libraries();

// Who in this process takes messages for which address. A sink gets nothing after unbind() has returned.
class Receivers {
 public:
  void bind(Address address, Sink<Message>& receiver);
  void unbind(Address address);
  bool deliver(Message& message);  // false: nobody is there; the message is untouched
  std::vector<Address> addresses() const;
  bool bound(Address address) const;

 private:
  mutable std::mutex mutex_;
  std::map<Address, Sink<Message>*> sinks_;
};

class FrameWriter {
 public:
  virtual ~FrameWriter() = default;
  virtual void write(const std::string& frame) = 0;  // until Outgoing::written() one at a time
};

// Frames waiting for one connection, and the one that is being written.
class Outgoing {
 public:
  Outgoing(uint64_t bytes_max, FrameWriter& writer) : bytes_max_(bytes_max), writer_(writer) {}

  bool put(const Message& message);  // false: closed, or too much is waiting
  void open();                       // writing may begin
  void written(bool ok);
  bool close();  // true: no write is in flight

 private:
  void write_next();

  std::mutex mutex_;
  FrameEncoder encoder_;
  std::deque<std::string> waiting_;
  uint64_t bytes_ = 0;
  uint64_t bytes_max_;
  FrameWriter& writer_;
  bool opened_ = false;
  bool closed_ = false;
  bool writing_ = false;
};

}  // namespace pawl
