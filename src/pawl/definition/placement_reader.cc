// resources, affinity and anti_affinity of a node.

#include <algorithm>

#include "pawl/definition/node_reader.h"

namespace pawl {
namespace {

bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= placement_name_max;
}

}  // namespace

void NodeReader::placement_field(Node& node, const Value& key, const Value& value) {
  if (key.text == "resources")
    resources(node.placement.resources, value);
  else if (key.text == "affinity")
    affinity(node.placement, value);
  else
    anti_affinity(node.placement, value);
}

void NodeReader::resources(Amounts& amounts, const Value& value) {
  if (value.kind != ValueKind::mapping || value.keys.empty())
    return fields_.report(
        value.mark, std::string("\"resources\" must be a mapping of names to amounts, such as "
                                "{cpu: 0.5, memory: 512MiB}, not ") +
                        describe(value));
  if (value.keys.size() > amounts_max)
    return fields_.report(value.mark, "at most " + std::to_string(amounts_max) +
                                          " resources are allowed (amounts_max)");
  for (size_t i = 0; i < value.keys.size(); ++i) {
    if (!word(value.keys[i], "a resource's name", "_-.")) continue;
    uint64_t wanted = amount(value.keys[i], value.items[i]);
    if (wanted > 0) amounts.push_back({value.keys[i].text, wanted});
  }
  std::sort(amounts.begin(), amounts.end(),
            [](const Amount& a, const Amount& b) { return a.name < b.name; });
}

// cpu in thousandths of a core, memory in bytes, others as they are.
uint64_t NodeReader::amount(const Value& name, const Value& value) {
  if (name.text == "memory") return fields_.size(value, "memory");
  if (name.text != "cpu") return fields_.integer(value, name.text, 1, amount_max);
  uint32_t cores = fields_.permille(value, "cpu", 1'000'000'000);
  if (cores == 0) fields_.report(value.mark, "\"cpu\" must be more than nothing");
  return cores;
}

void NodeReader::affinity(Placement& placement, const Value& value) {
  if (!fields_.section(value, "\"affinity\"", Section::affinity)) return;
  if (const Value* must = value.find("require"))
    rules(placement, *must, "require", RuleKind::require);
  if (const Value* wish = value.find("prefer")) rules(placement, *wish, "prefer", RuleKind::prefer);
  const Value* key = value.find("key");
  if (key == nullptr) return;
  size_t before = fields_.problems();
  if (!whole_expression(*key, placement.key, "key"))
    return fields_.report(key->mark, "\"key\" must be an expression such as ${ .input.customer }");
  bool plain =
      placement.key.plain && !placement.key.path.empty() && placement.key.path[0] != "item";
  if (fields_.problems() == before && !plain)
    fields_.report(
        key->mark,
        "\"key\" must be a plain path such as ${ .input.customer }, without .item: it is "
        "the same for all tasks of a node");
}

void NodeReader::anti_affinity(Placement& placement, const Value& value) {
  if (!fields_.section(value, "\"anti_affinity\"", Section::anti_affinity)) return;
  if (const Value* must = value.find("require"))
    rules(placement, *must, "require", RuleKind::forbid);
  if (const Value* wish = value.find("prefer")) rules(placement, *wish, "prefer", RuleKind::avoid);
  if (const Value* apart = value.find("apart")) {
    size_t none = apart_words().size();
    size_t word = fields_.choice(*apart, "apart", apart_words(), none);
    if (word < none) placement.apart = static_cast<Apart>(word + 1);
  }
}

// Labels and their values: {disk: ssd, zone: eu-1}.
void NodeReader::rules(Placement& placement, const Value& value, std::string_view field,
                       RuleKind kind) {
  if (value.kind != ValueKind::mapping)
    return fields_.report(value.mark, "\"" + std::string(field) +
                                          "\" must be a mapping of labels to values, such as "
                                          "{disk: ssd}, not " +
                                          describe(value));
  for (size_t i = 0; i < value.keys.size(); ++i) {
    const Value& label = value.items[i];
    if (!word(value.keys[i], "a label's name", "_-./")) continue;
    if (label.kind != ValueKind::scalar || !is_name(label.text)) {
      fields_.report(label.mark, "a label's value is a text of 1 to " +
                                     std::to_string(placement_name_max) + " bytes");
      continue;
    }
    if (placement.rules.size() == rules_max)
      return fields_.report(
          label.mark, "at most " + std::to_string(rules_max) + " labels are allowed (rules_max)");
    placement.rules.push_back({value.keys[i].text, label.text, kind});
  }
}

}  // namespace pawl
