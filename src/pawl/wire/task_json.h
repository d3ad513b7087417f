// A task as a JSON message: the form in which it stands in other systems' queues.
//
//   TaskMessages messages(context);                        // once per node run
//   std::string text = to_json(messages.of(item));         // once per task
//   PAWL_ASSIGN(TaskMessage task, task_from_json(text));
//
//   {"task_id": "<uuid>", "workflow_id": "<uuid>", "execution_id": "<uuid>",
//    "node_id": "resize", "node_type": "function",
//    "node_config": {"function": "resize", "with": "${ .item }"},
//    "input_data": {"file": "a.png"}, "priority": 5, "timeout": 30.5,
//    "retry_policy": {"max_attempts": 3, "backoff": {"first": 1, "factor": 2, "max": 60}},
//    "metadata": {"tenant_id": "t1", "user_id": null}}
//
// docs/schema/task.schema.json is its schema. Who holds a server's address sees it there as
// GET /v1/executions/{execution}/tasks/{node}?message=true.
//
// Input data is the item of a mapped node, the execution's input of others. What is kept in the blob store is
// referred to: {"blob": {"owner", "sequence", "size", "hash"}}, and for an item of a list that is kept there, its
// list and `item`.
//
// Times are seconds with up to nine decimals; `timeout` is that of one attempt, null for none.
// Ids are RFC 9562 UUIDs, constant for a task over all its attempts and over restarts. A reader
// ignores fields it does not know; a field that is missing or of another type is
// INVALID_ARGUMENT and named.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pawl/base/result.h"
#include "pawl/model/message.h"

namespace pawl {

struct TaskMessage {
  std::string task_id;
  std::string workflow_id;  // of this version of the workflow
  std::string execution_id;
  std::string node_id;
  std::string node_type;    // name(NodeType)
  std::string node_config;  // JSON object; templates as their author wrote them
  std::string input_data;   // JSON: the item of a mapped node, otherwise the execution's input
  uint8_t priority = 5;     // 0..9, higher first
  Duration timeout;         // 0: none
  uint32_t max_attempts = 1;
  Duration backoff_first;
  uint32_t backoff_factor_permille = 1000;
  Duration backoff_max;
  std::string tenant_id;  // empty: none
  std::string user_id;

  friend bool operator==(const TaskMessage&, const TaskMessage&) = default;
};

// What all tasks of one node run share is worked out once. Immutable; any thread. The context must outlive it.
class TaskMessages {
 public:
  explicit TaskMessages(const RunContext& context);
  TaskMessage of(ItemIndex item) const;

 private:
  TaskMessage shared_;
  const RunContext& context_;
};

std::string to_json(const TaskMessage& task);
Result<TaskMessage> task_from_json(std::string_view text);

}  // namespace pawl
