#include "pawl/isolate/function.h"

namespace pawl {

Status FunctionRegistry::add(const std::string& name, std::unique_ptr<Function> function) {
  if (name.empty()) return Error{Code::invalid_argument, "a function needs a name"};
  if (!functions_.emplace(name, std::move(function)).second) {
    return Error{Code::already_exists, "function \"" + name + "\" is registered already"};
  }
  return {};
}

Function* FunctionRegistry::find(const std::string& name) const {
  auto found = functions_.find(name);
  return found == functions_.end() ? nullptr : found->second.get();
}

std::vector<std::string> FunctionRegistry::names() const {
  std::vector<std::string> names;
  for (const auto& [name, function] : functions_) names.push_back(name);
  return names;
}

}  // namespace pawl
