// What queries share: states in words and numbers. Private to query.cc and why.cc.
#pragma once

#include <string>

#include "pawl/partition/query.h"

namespace pawl {

// Every item of the node is in exactly one of the counts.
TaskCounts count_tasks(const NodeRun& run);
// "exit code 3: no such table", in one line.
std::string describe(const Cause& cause);
// "e17/count", "e17/count[42]"
std::string subject_of(const Execution& execution, NodeIndex node);
std::string subject_of(const Execution& execution, NodeIndex node, ItemIndex item);
// "1 task", "3 tasks"
std::string counted(uint64_t count, const char* noun);
// "250 ms", "12 s", "5 min", "3 h"
std::string in_words(Duration duration);

// Where `id` stands in the workflow, or NOT_FOUND that names nodes there are.
Result<NodeIndex> find_node(const Execution& execution, const std::string& id);
// Checks that the node has the task `item`.
Status check_item(const Execution& execution, NodeIndex node, ItemIndex item);

QueueList list_queues(const State& state);
WorkerList list_workers(const State& state);
QueryResult explain_query(const State& state, const Explain& query);

// NOT_FOUND: it never was, or it has been forgotten.
Error unknown_execution(const State& state, ExecutionId id);

}  // namespace pawl
