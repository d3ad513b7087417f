// One entry under `nodes:`.
#pragma once

#include <string>
#include <vector>

#include "pawl/definition/field_reader.h"
#include "pawl/model/workflow.h"

namespace pawl {

struct NeedSite {
  std::string id;
  Mark mark;
};

// A node as read, its edges still by name.
struct NodeDraft {
  Node node;
  Mark mark;  // of its id
  std::vector<NeedSite> needs;
};

class NodeReader {
 public:
  explicit NodeReader(FieldReader& fields) : fields_(fields) {}

  NodeDraft read(const Value& id, const Value& body);

 private:
  void field(NodeDraft& draft, const Value& key, const Value& value);
  void work_field(Node& node, const Value& key, const Value& value);
  void process_field(Node& node, const Value& key, const Value& value);
  void choose_work(Node& node, const Value& id, const Value& body);
  void check_belonging(const Node& node, const Value& body);
  void needs(NodeDraft& draft, const Value& value);
  void command(Node& node, const Value& value);
  bool whole_expression(const Value& value, Expression& into, std::string_view field);
  void condition(Node& node, const Value& value);
  void items(Node& node, const Value& value);
  void retry(RetryPolicy& retry, const Value& value);
  void backoff(RetryPolicy& retry, const Value& value);
  void retry_on(RetryPolicy& retry, const Value& value);
  void timeout(Timeouts& timeout, const Value& value);
  void limits(ProcessLimits& limits, const Value& value);
  void environment(Node& node, const Value& value);
  void files(Node& node, const Value& value);
  // placement_reader.cc
  void placement_field(Node& node, const Value& key, const Value& value);
  void resources(Amounts& amounts, const Value& value);
  uint64_t amount(const Value& name, const Value& value);
  void affinity(Placement& placement, const Value& value);
  void anti_affinity(Placement& placement, const Value& value);
  void rules(Placement& placement, const Value& value, std::string_view field, RuleKind kind);
  bool word(const Value& value, std::string_view what, std::string_view extra);

  FieldReader& fields_;
};

}  // namespace pawl
