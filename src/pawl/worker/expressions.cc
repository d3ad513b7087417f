#include "pawl/worker/expressions.h"

#include <utility>

#include "pawl/base/json.h"
#include "pawl/context/context.h"

namespace pawl {

struct Expressions::Batch {
  uint64_t id = 0;
  Sink<ExpressionValues>* later = nullptr;  // null: values() has not returned yet
  ItemValues items;
  size_t open = 0;         // evaluations it waits for
  bool suspended = false;  // a payload is on its way: it is made again

  void set(size_t place, const std::string& expression, const Result<std::string>& value) {
    Result<Values>& item = items[place];
    if (!item.ok()) return;
    suspended = suspended || (!value.ok() && is_on_its_way(value.error()));
    if (value.ok())
      item->insert_or_assign(expression, *value);
    else
      item = Error(value.error()).within("${ " + expression + " }");
  }
  void set_all(const std::string& expression, const Result<std::string>& value) {
    for (size_t place = 0; place < items.size(); ++place) set(place, expression, value);
  }
};

struct Expressions::Kept {
  struct Shared {
    std::optional<std::string> value;  // nothing: being asked for
    std::vector<BatchRef> waiting;
  };

  Kept(const RunContextRef& held, PayloadStore& payloads) : run(held), context(held, payloads) {}

  RunContextRef run;
  Context context;
  std::map<std::string, Shared> shared;
};

namespace {

// What needs no evaluator: a plain path, or a JSON literal.
std::optional<Result<std::string>> at_once(const Expression& expression, Context& context,
                                           ItemIndex item) {
  if (expression.plain) return context.value(expression.path, item);
  if (json_validate(expression.text).ok()) return Result<std::string>(expression.text);
  return std::nullopt;
}

}  // namespace

Expressions::Expressions(Evaluator& evaluator, Mailbox<Evaluation>& evaluations,
                         PayloadStore& payloads, Loop& loop)
    : evaluator_(evaluator), evaluations_(evaluations), payloads_(payloads), loop_(loop) {
  loop_.add(*this);
}

Expressions::~Expressions() {
  loop_.remove(*this);
}

std::shared_ptr<Expressions::Kept> Expressions::kept_for(const RunContextRef& run) {
  auto found = kept_.find(run.get());
  if (found != kept_.end()) return found->second;
  // Held by Kept and by its Context, and by nobody else: the node run is over.
  std::erase_if(kept_, [](const auto& entry) { return entry.second->run.use_count() <= 2; });
  if (kept_.size() >= contexts_max) kept_.erase(kept_.begin());
  return kept_.emplace(run.get(), std::make_shared<Kept>(run, payloads_)).first->second;
}

std::optional<ItemValues> Expressions::values(uint64_t id, const Grant& grant,
                                              const std::vector<const Expression*>& wanted,
                                              Sink<ExpressionValues>& later) {
  if (wanted.empty()) return ItemValues(grant.range.size(), Values());
  return values({id, kept_for(grant.context), grant, wanted, &later});
}

std::optional<ItemValues> Expressions::values(Call call) {
  auto batch = std::make_shared<Batch>();
  batch->id = call.id;
  batch->items.assign(call.grant.range.size(), Values());
  for (const Expression* expression : call.wanted) {
    if (Context::reads_item(*expression))
      want_per_item(call.kept, *expression, batch, call.grant.range);
    else
      want_shared(call.kept, *expression, batch);
  }
  if (batch->suspended) {  // what is being evaluated meanwhile ends for nobody, or is kept
    suspended_.push_back(std::move(call));
    return std::nullopt;
  }
  if (batch->open == 0) return std::move(batch->items);
  batch->later = call.later;
  return std::nullopt;
}

void Expressions::resume_suspended() {
  const uint64_t arrivals = payloads_.arrivals().value_or(0);
  if (suspended_.empty() || arrivals == arrivals_seen_) return;
  arrivals_seen_ = arrivals;
  for (Call& call : std::exchange(suspended_, {})) {
    Sink<ExpressionValues>& later = *call.later;
    const uint64_t id = call.id;
    if (auto known = values(std::move(call))) later.put({id, std::move(*known)});
  }
}

void Expressions::want_shared(const std::shared_ptr<Kept>& kept, const Expression& expression,
                              const BatchRef& batch) {
  auto [place, fresh] = kept->shared.try_emplace(expression.text);
  Kept::Shared& shared = place->second;
  if (shared.value) return batch->set_all(expression.text, *shared.value);
  if (!fresh) {
    ++batch->open;
    shared.waiting.push_back(batch);
    return;
  }
  std::optional<Result<std::string>> known = at_once(expression, kept->context, 0);
  if (!known) {
    ++batch->open;
    shared.waiting.push_back(batch);
    std::optional<Error> refused = ask({kept, expression.text, nullptr, 0}, 0);
    if (!refused) return;
    --batch->open;
    known = std::move(*refused);
  }
  batch->set_all(expression.text, *known);
  if (known->ok())
    shared.value = **known;
  else
    kept->shared.erase(place);
}

void Expressions::want_per_item(const std::shared_ptr<Kept>& kept, const Expression& expression,
                                const BatchRef& batch, const TaskRange& range) {
  for (ItemIndex item = range.begin; item < range.end; ++item) {
    size_t place = item - range.begin;
    if (auto known = at_once(expression, kept->context, item)) {
      batch->set(place, expression.text, *known);
    } else if (auto refused = ask({kept, expression.text, batch, place}, item)) {
      batch->set(place, expression.text, std::move(*refused));
    } else {
      ++batch->open;
    }
  }
}

// The answer comes to turn(), never from in here.
std::optional<Error> Expressions::ask(Asked asked, ItemIndex item) {
  auto document = asked.kept->context.document(asked.expression, item);
  if (!document.ok()) return std::move(document.error());
  uint64_t ticket = next_ticket_++;
  std::string expression = asked.expression;
  Duration run = asked.kept->run->definition().timeout.run;
  asked_.emplace(ticket, std::move(asked));
  evaluator_.start(ticket, expression, std::move(*document),
                   run.ns > 0 ? run : Duration::forever());
  return std::nullopt;
}

bool Expressions::turn() {
  resume_suspended();
  evaluations_.take_all(batch_);
  for (Evaluation& evaluation : batch_) {
    auto found = asked_.find(evaluation.ticket);
    PAWL_CHECK(found != asked_.end(), "an evaluation answered twice");
    Asked asked = std::move(found->second);
    asked_.erase(found);
    if (!asked.batch) {
      answer_shared(*asked.kept, asked.expression, evaluation.value);
      continue;
    }
    asked.batch->set(asked.place, asked.expression, evaluation.value);
    close_one(*asked.batch);
  }
  return false;
}

void Expressions::answer_shared(Kept& kept, const std::string& expression,
                                const Result<std::string>& value) {
  auto place = kept.shared.find(expression);
  std::vector<BatchRef> waiting = std::exchange(place->second.waiting, {});
  if (value.ok())
    place->second.value = *value;
  else
    kept.shared.erase(place);
  for (const BatchRef& batch : waiting) {
    batch->set_all(expression, value);
    close_one(*batch);
  }
}

void Expressions::close_one(Batch& batch) {
  if (--batch.open == 0 && batch.later != nullptr)
    batch.later->put({batch.id, std::move(batch.items)});
}

}  // namespace pawl
