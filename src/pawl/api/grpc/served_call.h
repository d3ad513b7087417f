// A call of a client as the door sees it, between gRPC's threads and the door's own.
//
//   for (CallNews& one : news) switch (one.moment) ...      // opened, read, written, cancelled, done
//   call.read();                            // then the news `read`, and request()
//   call.write(message);                    // then `written`; one at a time
//   call.finish(Error{Code::not_found, "no execution e71"});
//
// Each call is finished exactly once, by answer() or finish(), and lives until its `done`.
// Threading: the door's; news are put from gRPC's threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "pawl/api/access.h"
#include "pawl/api/grpc/methods.h"
#include "pawl/port/sink.h"

namespace grpc {
class Service;
}

namespace pawl {

// Bytes of an error's message that travel: clients take 8 KiB of metadata, in which a byte may need three.
constexpr size_t error_message_bytes_max = 2048;
// After which a refused client may come again, where the error does not say.
constexpr Duration retry_after_else = Duration::seconds(1);

class ServedCall {
 public:
  virtual ~ServedCall() = default;
  virtual const Method& method() const = 0;
  virtual Credentials shown() const = 0;
  virtual void read() = 0;
  virtual std::unique_ptr<google::protobuf::Message> request() const = 0;  // null: it is none
  virtual void write(const google::protobuf::Message& message) = 0;
  virtual void answer(const google::protobuf::Message& message) = 0;  // writes and finishes
  virtual void finish(const Status& status) = 0;
};

enum class CallMoment : uint8_t { opened, read, written, cancelled, done };
struct CallNews {
  ServedCall* call = nullptr;  // at `opened` it becomes the receiver's, who deletes it after `done`
  CallMoment moment = CallMoment::opened;
  bool ok = true;  // of read and written
};

// Which messages to a client travel compressed: those of so many bytes, to whoever takes gzip (clients of gRPC
// say so by themselves) and is not near. There it would cost more than it saves.
struct Packing {
  uint64_t bytes_min = 1 << 10;
  bool near_too = false;
};
// Of this machine, by what gRPC calls the other side: "ipv4:127.0.0.1:40312", "unix:/run/pawl".
bool is_near(std::string_view peer);

// A service of gRPC for each that the methods name; `news` outlives them and their calls.
std::vector<std::shared_ptr<grpc::Service>> make_services(Sink<CallNews>& news, Packing packing);

}  // namespace pawl
