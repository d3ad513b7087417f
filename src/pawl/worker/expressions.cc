#include "pawl/worker/expressions.h"

#include <set>
#include <utility>

#include "pawl/context/context.h"

namespace pawl {

struct Expressions::Batch {
  static constexpr size_t all = SIZE_MAX;
  struct Want {
    const Expression* expression = nullptr;  // of the grant's workflow
    size_t place = all;                      // of the item; all: of every item the same
  };

  uint64_t id = 0;
  Grant grant;
  std::shared_ptr<Kept> kept;
  Sink<ExpressionValues>* later = nullptr;
  ItemValues items;
  std::vector<Want> missing;   // not asked for yet: a payload is on its way
  std::set<uint64_t> tickets;  // evaluations of its own that it waits for
  size_t shared = 0;           // and those that others may wait for too

  bool whole() const { return missing.empty() && tickets.empty() && shared == 0; }
  void set(const std::string& expression, size_t place, const Result<std::string>& value) {
    if (place == all) {
      for (size_t one = 0; one < items.size(); ++one) set(expression, one, value);
      return;
    }
    Result<Values>& item = items[place];
    if (!item.ok()) return;
    if (value.ok())
      item->insert_or_assign(expression, *value);
    else
      item = Error(value.error()).within("${ " + expression + " }");
  }
};

struct Expressions::Kept {
  struct Shared {
    std::optional<std::string> value;  // nothing: being asked for
    uint64_t ticket = 0;
    std::vector<BatchRef> waiting;
  };

  Kept(const RunContextRef& held, PayloadStore& payloads) : run(held), context(held, payloads) {}

  RunContextRef run;
  Context context;
  std::map<std::string, Shared> shared;
};

namespace {

bool is_coming(const Result<std::string>& value) {
  return !value.ok() && is_on_its_way(value.error());
}

}  // namespace

Expressions::Expressions(Evaluator& evaluator, Mailbox<Evaluation>& evaluations,
                         PayloadStore& payloads, Loop& loop)
    : evaluator_(evaluator), evaluations_(evaluations), payloads_(payloads), loop_(loop) {
  loop_.add(*this);
}

Expressions::~Expressions() {
  loop_.remove(*this);
  for (auto& [key, batch] : open_) batch->kept.reset();  // which may hold the batch
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
  auto batch = std::make_shared<Batch>();
  batch->id = id;
  batch->grant = grant;
  batch->kept = kept_for(grant.context);
  batch->later = &later;
  batch->items.assign(grant.range.size(), Values());
  for (const Expression* expression : wanted) {
    if (!Context::reads_item(*expression)) {
      batch->missing.push_back({expression});
      continue;
    }
    for (size_t place = 0; place < batch->items.size(); ++place)
      batch->missing.push_back({expression, place});
  }
  want_missing(batch);
  if (batch->whole()) return std::move(batch->items);
  open_.emplace(Key{&later, id}, batch);
  return std::nullopt;
}

// Each once: what is at hand is not asked for again because something else is on its way.
void Expressions::want_missing(const BatchRef& batch) {
  for (const Batch::Want& want : std::exchange(batch->missing, {})) {
    bool known = want.place == Batch::all ? want_shared(batch, *want.expression)
                                          : want_item(batch, *want.expression, want.place);
    if (!known) batch->missing.push_back(want);
  }
  if (!batch->missing.empty()) suspended_.push_back(batch);
}

void Expressions::resume_suspended() {
  const uint64_t arrivals = payloads_.arrivals().value_or(0);
  if (suspended_.empty() || arrivals == arrivals_seen_) return;
  arrivals_seen_ = arrivals;
  for (const BatchRef& batch : std::exchange(suspended_, {})) {
    want_missing(batch);
    tell_if_whole(batch);
  }
}

bool Expressions::want_shared(const BatchRef& batch, const Expression& expression) {
  const std::shared_ptr<Kept>& kept = batch->kept;
  auto [place, fresh] = kept->shared.try_emplace(expression.text);
  Kept::Shared& shared = place->second;
  if (shared.value) {
    batch->set(expression.text, Batch::all, *shared.value);
    return true;
  }
  std::optional<Result<std::string>> known;
  if (fresh) known = ask({kept, expression.text, nullptr, 0, {}}, expression, 0, shared.ticket);
  if (!known) {
    ++batch->shared;
    shared.waiting.push_back(batch);
    return true;
  }
  const bool comes = is_coming(*known);
  if (!comes) batch->set(expression.text, Batch::all, *known);
  if (known->ok())
    shared.value = **known;
  else
    kept->shared.erase(place);
  return !comes;
}

bool Expressions::want_item(const BatchRef& batch, const Expression& expression, size_t place) {
  if (!batch->items[place].ok()) return true;
  const ItemIndex item = batch->grant.range.begin + static_cast<ItemIndex>(place);
  uint64_t ticket = 0;
  auto known = ask({batch->kept, expression.text, batch, place, {}}, expression, item, ticket);
  if (!known) batch->tickets.insert(ticket);
  if (!known) return true;
  if (is_coming(*known)) return false;
  batch->set(expression.text, place, *known);
  return true;
}

// At hand, where no evaluator is needed, or an error already. Else the answer comes to turn(), never from in here.
std::optional<Result<std::string>> Expressions::ask(Asked asked, const Expression& expression,
                                                    ItemIndex item, uint64_t& ticket) {
  auto draft = make_draft(asked.kept->context, expression, item);
  if (!draft.ok()) return Result<std::string>(std::move(draft.error()));
  if (draft->is_whole()) return Result<std::string>(draft->take_value());
  ticket = next_ticket_++;
  Duration run = asked.kept->run->definition().timeout.run;
  std::string program = draft->take_program();
  std::shared_ptr<const std::string> document = draft->take_document();
  asked.draft = std::move(*draft);
  asked_.emplace(ticket, std::move(asked));
  evaluator_.start(ticket, program, std::move(document), run.ns > 0 ? run : Duration::forever());
  return std::nullopt;
}

bool Expressions::turn() {
  resume_suspended();
  evaluations_.take_all(batch_);
  for (Evaluation& evaluation : batch_) {
    auto found = asked_.find(evaluation.ticket);
    if (found == asked_.end()) continue;  // given up
    Asked asked = std::move(found->second);
    asked_.erase(found);
    const Result<std::string> value = asked.draft.filled(std::move(evaluation.value));
    if (!asked.batch) {
      answer_shared(*asked.kept, asked.expression, value);
      continue;
    }
    asked.batch->set(asked.expression, asked.place, value);
    asked.batch->tickets.erase(evaluation.ticket);
    tell_if_whole(asked.batch);
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
    batch->set(expression, Batch::all, value);
    --batch->shared;
    tell_if_whole(batch);
  }
}

void Expressions::tell_if_whole(const BatchRef& batch) {
  if (!batch->whole() || open_.erase({batch->later, batch->id}) == 0) return;
  batch->later->put({batch->id, std::move(batch->items)});
}

void Expressions::give_up(uint64_t id, Sink<ExpressionValues>& later) {
  auto open = open_.extract(Key{&later, id});
  if (open.empty()) return;
  const BatchRef batch = std::move(open.mapped());
  std::erase(suspended_, batch);
  batch->missing.clear();
  for (uint64_t ticket : batch->tickets) cancel(ticket);
  auto& shared = batch->kept->shared;
  for (auto it = shared.begin(); it != shared.end();) {
    auto one = it++;
    std::vector<BatchRef>& waiting = one->second.waiting;
    if (std::erase(waiting, batch) == 0 || !waiting.empty()) continue;
    cancel(one->second.ticket);
    shared.erase(one);
  }
}

void Expressions::cancel(uint64_t ticket) {
  asked_.erase(ticket);
  evaluator_.cancel(ticket);
}

}  // namespace pawl
