// What the clients do with workflows that were given: submit each until it is accepted, and see to it that
// the deed is done which its file speaks of.

#include "pawl/base/json.h"
#include "pawl/sim/clients.h"

namespace pawl::sim {

void Clients::submit_given(Client& client) {
  Past past;
  past.definition = client.number;
  past.submit.workflow = definitions_[past.definition].ids[client.name_space];
  if (!past.submit.workflow)
    return send_register(client, past.definition, [this, &client] { submit_given(client); });
  past.submit.input = Payload::inline_json(plan_.given[past.definition].input);
  past.submit.request_id =
      "c" + std::to_string(client.number) + "-" + std::to_string(++client.submits);
  past.submit.payload_hash = submit_hash(past.submit, definitions_[past.definition].hash);
  past_.push_back(past);
  constexpr int tries = 10'000;  // or what it became would be nobody's
  send_submit(client, std::move(past), tries);
}

// As soon as a node runs which its file wants cancelled.
void Clients::cancel_once_it_runs(ExecutionId id) {
  auto again = [this, id] {
    universe_.after(Duration::milliseconds(50), [this, id] { cancel_once_it_runs(id); });
  };
  send(Query{GetExecution{id}}, [this, id, again](const Response* response) {
    const QueryResult* result = response ? std::get_if<QueryResult>(&response->what) : nullptr;
    const auto* detail = result ? std::get_if<ExecutionDetail>(result) : nullptr;
    if (detail == nullptr) return again();
    if (detail->summary.status != ExecutionStatus::running) return;
    const Given* given = find_given(plan_.given, detail->summary.workflow);
    bool runs = false;
    for (const NodeDetail& node : detail->nodes)
      runs |= node.attempts > 0 && part_of(*given, node.id, 0, 0).hangs;
    if (!runs) return again();
    send(Command{CancelExecution{id, "as its file says"}}, [again](const Response*) { again(); });
  });
}

Deed Clients::deed_of(ExecutionId id) const {
  auto found = deeds_.find(id);
  return found == deeds_.end() ? Deed::none : found->second;
}

}  // namespace pawl::sim
