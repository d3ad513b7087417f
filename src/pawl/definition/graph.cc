#include "pawl/definition/graph.h"

namespace pawl {
namespace {

constexpr size_t condition_shown_max = 60;  // bytes

// Mermaid reads #34; as a character entity, in every kind of label; what is no ASCII stays.
std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    bool safe = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                c == ' ' || c == '.' || c == '_' || c == '-' || byte >= 0x80;
    if (safe)
      out += c;
    else if (byte < 0x20)
      out += ' ';
    else
      out += "#" + std::to_string(byte) + ";";
  }
  return out;
}

// Cut between characters, not inside one.
std::string shortened(const std::string& text) {
  if (text.size() <= condition_shown_max) return text;
  size_t end = condition_shown_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

std::string label(const Node& node) {
  std::string text = "\"" + escaped(node.id);
  if (node.mapped()) text += "<br/>for each";
  if (node.when) text += "<br/>when " + escaped(shortened(node.when.text));
  return text + "\"";
}

std::string shaped(const Node& node) {
  if (node.mapped()) return "[[" + label(node) + "]]";
  if (node.type == NodeType::transform) return "(" + label(node) + ")";
  if (node.type == NodeType::function) return "[/" + label(node) + "/]";
  return "[" + label(node) + "]";
}

}  // namespace

std::string to_mermaid(const Workflow& workflow) {
  std::string text = "---\ntitle: \"" + escaped(workflow.name) + "\"\n---\nflowchart TD\n";
  for (size_t i = 0; i < workflow.nodes.size(); ++i)
    text += "  n" + std::to_string(i) + shaped(workflow.nodes[i]) + "\n";
  for (size_t i = 0; i < workflow.nodes.size(); ++i)
    for (NodeIndex need : workflow.nodes[i].needs)
      text += "  n" + std::to_string(need) + (workflow.nodes[i].when ? " -.-> n" : " --> n") +
              std::to_string(i) + "\n";
  return text;
}

}  // namespace pawl
