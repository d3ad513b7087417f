// What the expressions of one node run may read, out of its RunContext:
//
//   {"input": ..., "nodes": {"x": {"output": ...}}, "item": ...,
//    "execution": {"id": "e17", "workflow": "w"}}
//
//   Context context(run, payloads);
//   context.value({"nodes", "x", "output", "3"}, item)   ->  JSON text; no document is built
//   context.document(".nodes.x.output | add", item)      ->  {"nodes":{"x":{"output":[...]}}}
//
// Absent steps are null; a step into a value that has none (`.name` of a number) is an error, as in
// jq. An item is there only in mapped nodes. The output of a mapped
// node is an array in item order, null where there is none.
//
// A document holds only what the expression can name: of `input`, `nodes`, `item` and `execution`
// those whose word occurs in its text, of the nodes those whose id occurs; all four when none of
// the words does (`keys`), all nodes when no id does. So an expression without the word `item`
// gives every item of a node the same value (reads_item()), but for `keys` and its like.
//
// Payloads in the blob store are fetched and checked once, and kept for the life of this object; of
// a large item list only its index is kept, and each item is read alone. What a store sends for first (is_on_its_way)
// is the answer of the call, which is made again when it has come. One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pawl/base/json.h"
#include "pawl/model/message.h"
#include "pawl/port/payload_store.h"

namespace pawl {

class Context {
 public:
  Context(RunContextRef run, PayloadStore& payloads);

  const RunContext& run() const { return *run_; }

  Result<std::string> value(const std::vector<std::string>& path, ItemIndex item);
  Result<std::string> item(ItemIndex item);
  Result<std::shared_ptr<const std::string>> document(const std::string& expression,
                                                      ItemIndex item);
  // Whether the value may differ between the items of the node.
  static bool reads_item(const Expression& expression);

 private:
  struct Sections;

  Sections sections_of(const std::string& expression) const;
  Status append_shared(const Sections& sections, JsonWriter& out);
  Status append_output(const NodeOutput& output, JsonWriter& out);
  Status bring(const ItemOutputs& outputs);
  Result<std::string> node_value(const std::vector<std::string>& path);
  Result<std::string> mapped_value(const ItemOutputs& outputs,
                                   const std::vector<std::string>& path);
  std::string execution_json() const;
  Result<std::string_view> text_of(const Payload& payload);
  Result<std::string> item_from_blob(const BlobRef& ref, ItemIndex item);

  RunContextRef run_;
  PayloadStore& payloads_;
  std::map<std::string, const NodeOutput*, std::less<>> outputs_;  // by node id
  std::map<BlobRef, Bytes> fetched_;
  std::optional<Bytes> items_;  // the checked list, or its index when it is too large to keep
  std::map<std::string, std::shared_ptr<const std::string>> documents_;  // by sections, no item
};

}  // namespace pawl
