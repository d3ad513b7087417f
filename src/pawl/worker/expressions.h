// The values of a node's expressions for a range of its items: plain paths, JSON and what is composed
// of them at once (context/draft.h), everything else by the evaluator, later.
//
//   Expressions expressions(evaluator, evaluations, payloads, loop);
//   auto now = expressions.values(launch, grant, {&a, &b}, later);
//   if (now) use((*now)[0].value().at(a.text));        // of the first item of grant.range
//   // otherwise `later` gets {launch, ...} once
//   expressions.give_up(launch, later);               // unless nobody waits for it any more
//
// The value of an expression that does not read the item is asked for once per node run and kept;
// an error is not kept, so that a new attempt asks again. None may run longer than the node's
// timeout.run. One item's error is that item's alone. Where a payload is on its way, what needs it is looked
// at again when it has come, and nothing else.
// What is kept goes with the node run: contexts that nobody else holds any more are dropped when a
// new one comes, and at most contexts_max are held. Threading: the loop's thread; it registers
// itself with the loop. `later` must outlive the answer.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pawl/context/draft.h"
#include "pawl/model/message.h"
#include "pawl/port/evaluator.h"
#include "pawl/port/loop.h"
#include "pawl/port/mailbox.h"
#include "pawl/port/payload_store.h"
#include "pawl/worker/render.h"

namespace pawl {

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

  // What only this call of values() waits for is not evaluated any more; `later` gets nothing.
  void give_up(uint64_t id, Sink<ExpressionValues>& later);

  bool turn() override;
  Instant deadline() const override { return Instant::never(); }

 private:
  struct Batch;   // one call of values()
  struct Kept;    // what is known of one node run
  struct Asked {  // one evaluation under way
    std::shared_ptr<Kept> kept;
    std::string expression;
    std::shared_ptr<Batch> batch;  // null: a shared value, for all that wait for it
    size_t place = 0;
    Draft draft;
  };
  using BatchRef = std::shared_ptr<Batch>;
  using Key = std::pair<Sink<ExpressionValues>*, uint64_t>;

  std::shared_ptr<Kept> kept_for(const RunContextRef& run);
  void want_missing(const BatchRef& batch);
  void resume_suspended();
  // Whether it is known, or asked for; else a payload is on its way.
  bool want_shared(const BatchRef& batch, const Expression& expression);
  bool want_item(const BatchRef& batch, const Expression& expression, size_t place);
  std::optional<Result<std::string>> ask(Asked asked, const Expression& expression, ItemIndex item,
                                         uint64_t& ticket);
  void answer_shared(Kept& kept, const std::string& expression, const Result<std::string>& value);
  void tell_if_whole(const BatchRef& batch);
  void cancel(uint64_t ticket);

  Evaluator& evaluator_;
  Mailbox<Evaluation>& evaluations_;
  PayloadStore& payloads_;
  Loop& loop_;
  std::vector<Evaluation> batch_;
  uint64_t next_ticket_ = 1;
  std::map<uint64_t, Asked> asked_;
  std::map<const RunContext*, std::shared_ptr<Kept>> kept_;
  std::map<Key, BatchRef> open_;     // whose answers come later
  std::vector<BatchRef> suspended_;  // until payloads have come
  uint64_t arrivals_seen_ = 0;
};

}  // namespace pawl
