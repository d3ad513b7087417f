// The clients of a run: they register, submit, submit again, cancel, ask and wait, give up on
// silence and try again with the same request id. And the operator, who looks after dead letters
// once the world is healed.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "pawl/base/callback.h"
#include "pawl/base/random.h"
#include "pawl/sim/front.h"

namespace pawl::sim {

class Clients {
 public:
  Clients(Universe& universe, Front& front, const Plan& plan, const bool& healed, Random dice);

  void start();
  void answer(Response response);  // from the server, on its way to whoever asked
  bool finished() const { return busy_ == 0; }
  void operate();  // the operator starts to look after what is parked
  // Asks until it is forgotten; it must have ended.
  void forget_at_last(ExecutionId id, Callback<void()> then);
  // One question to one partition, asked until it answers.
  void ask_overview(uint32_t slot, Callback<void(const Overview&)> then);

 private:
  struct Definition {
    Bytes bytes;
    Hash128 hash;
    std::map<std::string, WorkflowId> ids;  // by namespace, once it is registered there
  };
  struct Client {
    Random dice;
    uint32_t left = 0;
    uint32_t number = 0;
    uint32_t submits = 0;
    std::string name_space;  // that it is confined to; empty: none
  };
  struct Past {
    SubmitExecution submit;
    size_t definition = 0;
    std::string large_input;  // goes through the blob store, anew with every try
  };
  using Then = Callback<void(const Response*)>;  // null: no answer came

  // To whom it concerns, or to one partition.
  Ticket send(decltype(Request::what) what, Then then, const std::string& name_space = "",
              std::optional<uint32_t> slot = std::nullopt);
  void stop_waiting(Client& client, Ticket ticket);
  void follow(Client& client, ReadHistory from, uint64_t pages);
  void next(Client& client);
  void operate_once(Client& client);
  void submit_new(Client& client);
  void submit_again(Client& client);
  void send_submit(Client& client, Past past, int tries);
  void submit_given(Client& client);
  void cancel_once_it_runs(ExecutionId id);
  Deed deed_of(ExecutionId id) const;
  bool stage_input(Past& past);
  void send_register(Client& client, size_t definition, Callback<void()> then);
  void change_something(Client& client);
  void forget_something(Client& client);
  void ask_something(Client& client);
  decltype(Request::what) question(Client& client);
  void done(Client& client);
  ExecutionId some_execution(Random& dice) const;
  void tend(const DeadLetterList& letters);

  Universe& universe_;
  Front& front_;
  const Plan& plan_;
  const bool& healed_;
  Random dice_;
  std::vector<Definition> definitions_;
  std::vector<Client> clients_;
  std::vector<Past> past_;
  std::vector<ExecutionId> executions_;
  std::map<Ticket, Then> waiting_;
  std::map<ExecutionId, int> tended_;
  std::map<ExecutionId, Deed> deeds_;  // of what was given
  Ticket last_ticket_ = 0;
  uint64_t staged_ = 0;
  uint32_t busy_ = 0;
};

}  // namespace pawl::sim
