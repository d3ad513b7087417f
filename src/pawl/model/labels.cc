#include "pawl/model/labels.h"

#include "pawl/base/json.h"

namespace pawl {
namespace {

std::string text_of(std::string_view labels, std::string_view name) {
  if (labels.empty()) return {};
  for (JsonItems items(labels); items.next();) {
    if (json_unquote(items.key()) == name && json_kind(items.value()) == JsonKind::string)
      return json_unquote(items.value());
  }
  return {};
}

}  // namespace

std::string submitter(std::string_view labels) {
  return text_of(labels, "user_id");
}

std::string tenant(std::string_view labels) {
  return text_of(labels, "tenant_id");
}

}  // namespace pawl
