// The values of a node's expressions for a range of its items: plain paths and JSON literals at
// once, everything else by the evaluator, later.
//
//   Expressions expressions(evaluator, evaluations, payloads, loop);
//   auto now = expressions.values(launch, grant, {&a, &b}, later);
//   if (now) use((*now)[0].value().at(a.text));        // of the first item of grant.range
//   // otherwise `later` gets {launch, ...} once
//
// The value of an expression that does not read the item is asked for once per node run and kept;
// an error is not kept, so that a new attempt asks again. None may run longer than the node's
// timeout.run. One item's error is that item's alone. Where a payload is on its way, values() is made again
// when it has come.
// What is kept goes with the node run: contexts that nobody else holds any more are dropped when a
// new one comes, and at most contexts_max are held. Threading: the loop's thread; it registers
// itself with the loop. `later` must outlive the answer.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pawl/model/message.h"
#include "pawl/port/evaluator.h"
#include "pawl/port/loop.h"
#include "pawl/port/mailbox.h"
#include "pawl/port/payload_store.h"
#include "pawl/worker/render.h"

namespace pawl {

class Context;

using ItemValues = std::vector<Result<Values>>;  // one per item of the range, in order

struct ExpressionValues {
  uint64_t id = 0;
  ItemValues items;
};

class Expressions final : public Actor {
 public:
  static constexpr size_t contexts_max = 64;

  // `evaluations` is where `evaluator` puts its answers; both serve nobody else.
  Expressions(Evaluator& evaluator, Mailbox<Evaluation>& evaluations, PayloadStore& payloads,
              Loop& loop);
  ~Expressions() override;
  Expressions(const Expressions&) = delete;
  Expressions& operator=(const Expressions&) = delete;

  std::optional<ItemValues> values(uint64_t id, const Grant& grant,
                                   const std::vector<const Expression*>& wanted,
                                   Sink<ExpressionValues>& later);

  bool turn() override;
  Instant deadline() const override { return Instant::never(); }

 private:
  struct Batch;  // one call of values()
  struct Kept;   // what is known of one node run
  struct Call {  // of values()
    uint64_t id = 0;
    std::shared_ptr<Kept> kept;
    Grant grant;
    std::vector<const Expression*> wanted;  // of the grant's workflow
    Sink<ExpressionValues>* later = nullptr;
  };
  struct Asked {  // one evaluation under way
    std::shared_ptr<Kept> kept;
    std::string expression;
    std::shared_ptr<Batch> batch;  // null: a shared value, for all that wait for it
    size_t place = 0;
  };
  using BatchRef = std::shared_ptr<Batch>;

  std::optional<ItemValues> values(Call call);
  void resume_suspended();
  std::shared_ptr<Kept> kept_for(const RunContextRef& run);
  void want_shared(const std::shared_ptr<Kept>& kept, const Expression& expression,
                   const BatchRef& batch);
  void want_per_item(const std::shared_ptr<Kept>& kept, const Expression& expression,
                     const BatchRef& batch, const TaskRange& range);
  std::optional<Error> ask(Asked asked, ItemIndex item);
  void answer_shared(Kept& kept, const std::string& expression, const Result<std::string>& value);
  static void close_one(Batch& batch);

  Evaluator& evaluator_;
  Mailbox<Evaluation>& evaluations_;
  PayloadStore& payloads_;
  Loop& loop_;
  std::vector<Evaluation> batch_;
  uint64_t next_ticket_ = 1;
  std::map<uint64_t, Asked> asked_;
  std::map<const RunContext*, std::shared_ptr<Kept>> kept_;
  std::vector<Call> suspended_;  // until payloads have come
  uint64_t arrivals_seen_ = 0;
};

}  // namespace pawl
