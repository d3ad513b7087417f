#include "pawl/adapter/grpc/frame_stream.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/support/byte_buffer.h>

namespace pawl {

void Receivers::bind(Address address, Sink<Message>& receiver) {
  std::lock_guard lock(mutex_);
  sinks_[address] = &receiver;
}

void Receivers::unbind(Address address) {
  std::lock_guard lock(mutex_);
  sinks_.erase(address);
}

bool Receivers::deliver(Message& message) {
  std::lock_guard lock(mutex_);
  auto sink = sinks_.find(message.to);
  if (sink == sinks_.end()) return false;
  sink->second->put(std::move(message));
  return true;
}

std::vector<Address> Receivers::addresses() const {
  std::lock_guard lock(mutex_);
  std::vector<Address> out;
  for (const auto& [address, sink] : sinks_) out.push_back(address);
  return out;
}

bool Receivers::bound(Address address) const {
  std::lock_guard lock(mutex_);
  return sinks_.contains(address);
}

bool Outgoing::put(const Message& message) {
  std::lock_guard lock(mutex_);
  if (closed_ || bytes_ > bytes_max_) return false;
  std::string bytes = encoder_.encode(message);
  bytes_ += bytes.size();
  waiting_.push_back(std::move(bytes));
  if (opened_ && !writing_) write_next();
  return true;
}

void Outgoing::open() {
  std::lock_guard lock(mutex_);
  opened_ = true;
  if (!closed_ && !waiting_.empty()) write_next();
}

void Outgoing::written(bool ok) {
  std::lock_guard lock(mutex_);
  writing_ = false;
  bytes_ -= waiting_.front().size();
  waiting_.pop_front();
  if (!ok) closed_ = true;
  if (!closed_ && !waiting_.empty()) write_next();
}

bool Outgoing::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  return !writing_;
}

void Outgoing::write_next() {
  writing_ = true;
  writer_.write(waiting_.front());
}

void run_steps(grpc::CompletionQueue& queue) {
  void* tag = nullptr;
  bool ok = false;
  while (queue.Next(&tag, &ok)) static_cast<QueueStep*>(tag)->happen(ok);
}

std::string bytes_of(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  (void)buffer.Dump(&slices);
  std::string bytes;
  bytes.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices)
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

grpc::ByteBuffer buffer_of(const std::string& bytes) {
  grpc::Slice slice(bytes);
  return {&slice, 1};
}

void silence_libraries() {
  gpr_set_log_function([](gpr_log_func_args*) {});
  google::protobuf::SetLogHandler(nullptr);
}

}  // namespace pawl
