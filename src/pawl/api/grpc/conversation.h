// What becomes of a client's request until it is answered: small state machines over calls. The desk is what
// they work with.
//
//   class Echo final : public Conversation {
//     void begin(Call call) override { ask(std::move(call)); }
//     void answered(Ticket, CallResult result) override { ... place().desk.answer(call(), message); }
//   };
//
// Once the desk has been told to answer or finish, the conversation is destroyed, and what it has asked and
// got no answer to is forgotten. Threading: the door's.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "pawl/api/call.h"
#include "pawl/api/grpc/served_call.h"

namespace pawl {

class Desk {
 public:
  virtual ~Desk() = default;
  virtual Ticket ask(ServedCall& call, Call question) = 0;
  virtual void forget(Ticket ticket) = 0;
  virtual void write(ServedCall& call, const google::protobuf::Message& message) = 0;
  virtual void answer(ServedCall& call, const google::protobuf::Message& message) = 0;
  virtual void finish(ServedCall& call, Status status) = 0;
  virtual void wake_in(ServedCall& call, Duration time) = 0;
  virtual Duration progress_every() const = 0;
};

class Conversation {
 public:
  Conversation(Desk& desk, ServedCall& call) : desk_(desk), call_(call) {}
  virtual ~Conversation() {
    for (Ticket ticket : open_) desk_.forget(ticket);
  }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  virtual void begin(Call call) = 0;
  void take(Ticket ticket, CallResult result) {
    std::erase(open_, ticket);
    answered(ticket, std::move(result));
  }
  virtual void written() {}
  virtual void woken() {}

 protected:
  virtual void answered(Ticket ticket, CallResult result) = 0;
  Desk& desk() { return desk_; }
  ServedCall& call() { return call_; }
  Ticket ask(Call question) {
    open_.push_back(desk_.ask(call_, std::move(question)));
    return open_.back();
  }

 private:
  Desk& desk_;
  ServedCall& call_;
  std::vector<Ticket> open_;
};

// What answers a call of this kind.
std::unique_ptr<Conversation> make_conversation(Desk& desk, ServedCall& call);

}  // namespace pawl
