#include "pawl/api/permissions.h"

#include <vector>

#include "pawl/api/json_codec.h"

namespace pawl {
namespace {

constexpr uint8_t bit(Role role) {
  return static_cast<uint8_t>(1u << static_cast<unsigned>(role));
}

constexpr uint8_t admins = bit(Role::admin);
constexpr uint8_t operators = admins | bit(Role::operator_);
constexpr uint8_t submitters = admins | bit(Role::submitter);
constexpr uint8_t users = operators | submitters;
constexpr uint8_t readers = users | bit(Role::reader);
constexpr uint8_t workers = admins | bit(Role::worker);

template <class Kind, size_t place = 0>
constexpr size_t place_of() {
  if constexpr (std::is_same_v<std::variant_alternative_t<place, Call>, Kind>)
    return place;
  else
    return place_of<Kind, place + 1>();
}
template <class Kind>
constexpr Permission asks(uint8_t roles) {
  return {place_of<Kind>(), roles, false};
}
template <class Kind>
constexpr Permission changes(uint8_t roles) {
  return {place_of<Kind>(), roles, true};
}

// In the order of the variant.
constexpr Permission table[] = {
    changes<SubmitRequest>(submitters),
    changes<SubmitMany>(submitters),
    changes<Cancel>(users),
    changes<Redrive>(operators),
    changes<Discard>(operators),
    changes<Forget>(operators),
    asks<AwaitExecution>(readers),
    asks<GetExecution>(readers),
    asks<ListExecutions>(readers),
    asks<GetTask>(readers),
    asks<ListDeadLetters>(readers),
    asks<Explain>(readers),
    asks<GetOverview>(readers),
    asks<ReadHistory>(readers),
    asks<GetProgress>(readers),
    asks<ReadPayload>(readers),
    asks<GetServer>(readers),
    changes<RunRequest>(submitters),
    changes<RegisterDefinition>(submitters),
    asks<GetWorkflow>(readers),
    asks<ListWorkflows>(readers),
    changes<ConfigureQueue>(admins),  // all namespaces share the queues
    asks<ListQueues>(readers),
    asks<ListWorkers>(readers),
    asks<GetMetrics>(readers),
    asks<ReadLog>(readers),
    asks<ListLogs>(readers),
};
static_assert(std::size(table) == std::variant_size_v<Call>, "every call needs its row");
constexpr bool in_order() {
  for (size_t place = 0; place < std::size(table); ++place)
    if (table[place].kind != place) return false;
  return true;
}
static_assert(in_order(), "a row stands at the place that its call has in Call");

Status check(const std::string& what, uint8_t roles, const Caller& caller) {
  if ((caller.roles & roles) == 0)
    return Error{Code::permission_denied,
                 what + " needs the role " + role_names(roles) + "; \"" + caller.name + "\" has " +
                     (caller.roles == 0 ? "none" : role_names(caller.roles))};
  if (caller.name_space.empty() && !caller.has(Role::admin))
    return Error{Code::permission_denied, "\"" + caller.name + "\" has no namespace"};
  return {};
}

}  // namespace

const Permission& permission(size_t kind) {
  return table[kind];
}

Status permit(const Call& call, const Caller& caller) {
  const Permission& row = table[call.index()];
  bool allowed = (caller.roles & row.roles) != 0 && !caller.name_space.empty();
  return allowed ? Status() : check(std::string("the call ") + name(call), row.roles, caller);
}

Status permit_work(const Caller& caller) {
  return check("working", workers, caller);
}

std::string confinement(const Caller& caller) {
  return caller.has(Role::admin) ? "" : caller.name_space;
}

std::string role_names(uint8_t roles) {
  std::vector<std::string> names;
  for (unsigned role = 0; role <= static_cast<unsigned>(Role::admin); ++role)
    if ((roles >> role) & 1u) names.emplace_back(name(static_cast<Role>(role)));
  std::string text;
  for (size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? "" : i + 1 == names.size() ? " or " : ", ") + names[i];
  return text;
}

}  // namespace pawl
