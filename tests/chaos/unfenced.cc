// `pawl` without fencing, so that the chaos harness can show that it would notice: every engine of this program is
// given a transport that makes late results look current.
//
// Linked like `pawl`, with the engine's constructor wrapped (ld --wrap): the shipped sources know nothing of it and
// have no switch for it. The defect is the classical one: a result is accepted because its task matches. A report of
// an attempt that is no longer current is given the token of the current one, and slipped into the next message of
// the worker that holds that.
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "pawl/engine/engine.h"

namespace pawl {
namespace {

class Unfenced final : public Transport {
 public:
  explicit Unfenced(Transport& real) : real_(real) {}

  void bind(Address address, Sink<Message>& receiver) override {
    taps_.push_back(std::make_unique<Tap>(*this, receiver));
    real_.bind(address, *taps_.back());
  }
  void unbind(Address address) override { real_.unbind(address); }

  void send(Message message) override {
    if (auto* grants = std::get_if<Grants>(&message.body)) note(message.to, *grants);
    real_.send(std::move(message));
  }

 private:
  struct Tap final : Sink<Message> {
    Tap(Unfenced& all, Sink<Message>& to) : owner(all), receiver(to) {}
    void put(Message message) override {
      owner.forge(message);
      receiver.put(std::move(message));
    }
    Unfenced& owner;
    Sink<Message>& receiver;
  };

  struct Current {
    AttemptNumber attempt = 0;
    uint64_t nonce = 0;
    Address holder = 0;
  };
  struct Holder {
    uint64_t heard = 0;  // highest sequence number
    std::vector<AttemptReport> owed;
  };

  void note(Address to, const Grants& grants) {
    std::lock_guard lock(mutex_);
    for (const Grant& grant : grants.grants)
      for (ItemIndex item = grant.range.begin; item < grant.range.end; ++item) {
        Current& current = current_[grant.range.at(item)];
        if (grant.attempt >= current.attempt) current = {grant.attempt, grant.nonce, to};
      }
  }

  void forge(Message& message) {
    std::lock_guard lock(mutex_);
    auto* reports = std::get_if<Reports>(&message.body);
    if (reports != nullptr)
      for (const AttemptReport& report : reports->reports) keep_late(report);
    bool carries = reports != nullptr || std::holds_alternative<Heartbeat>(message.body);
    Holder& holder = holders_[message.from];
    if (!carries || message.sequence <= holder.heard) return;
    holder.heard = message.sequence;
    if (holder.owed.empty()) return;
    Reports forged{std::exchange(holder.owed, {})};
    if (reports != nullptr)
      forged.reports.insert(forged.reports.end(), reports->reports.begin(), reports->reports.end());
    message.body = std::move(forged);
  }

  void keep_late(const AttemptReport& report) {
    for (ItemIndex item = report.range.begin; item < report.range.end; ++item) {
      auto current = current_.find(report.range.at(item));
      if (current == current_.end() || current->second.attempt <= report.attempt) continue;
      AttemptReport forged = report;
      forged.range.begin = item;
      forged.range.end = item + 1;
      forged.attempt = current->second.attempt;
      forged.nonce = current->second.nonce;
      if (!report.outputs.empty()) forged.outputs = {report.outputs[item - report.range.begin]};
      holders_[current->second.holder].owed.push_back(std::move(forged));
    }
  }

  Transport& real_;
  std::vector<std::unique_ptr<Tap>> taps_;
  std::mutex mutex_;
  std::map<TaskKey, Current> current_;
  std::map<Address, Holder> holders_;
};

}  // namespace
}  // namespace pawl

// The constructor pawl::Engine(EnginePorts, EngineOptions, std::unique_ptr<Background>), and what stands in its place.
#define PAWL_ENGINE_CONSTRUCTOR \
  _ZN4pawl6EngineC1ENS_11EnginePortsENS_13EngineOptionsESt10unique_ptrINS_10BackgroundESt14default_deleteIS4_EE
#define PAWL_JOIN(a, b) a##b
#define PAWL_NAME(prefix, symbol) PAWL_JOIN(prefix, symbol)

extern "C" {
void PAWL_NAME(__real_, PAWL_ENGINE_CONSTRUCTOR)(pawl::Engine*, pawl::EnginePorts,
                                                 pawl::EngineOptions,
                                                 std::unique_ptr<pawl::Background>);
void PAWL_NAME(__wrap_, PAWL_ENGINE_CONSTRUCTOR)(pawl::Engine* engine, pawl::EnginePorts ports,
                                                 pawl::EngineOptions options,
                                                 std::unique_ptr<pawl::Background> background) {
  static pawl::Unfenced transport(ports.transport);  // one engine per process
  PAWL_NAME(__real_, PAWL_ENGINE_CONSTRUCTOR)
  (engine,
   pawl::EnginePorts{ports.loop, ports.clock, ports.log, ports.view, ports.blob, ports.evaluator,
                     ports.evaluations, transport, ports.telemetry, ports.clients,
                     ports.replay_note, ports.belongings},
   std::move(options), std::move(background));
}
}
