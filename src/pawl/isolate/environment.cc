#include "pawl/isolate/environment.h"

#include <algorithm>

namespace pawl {

ProcessEnvironment::ProcessEnvironment(std::vector<std::string> base) : base_(std::move(base)) {
  std::erase_if(base_, [](const std::string& entry) {
    return entry.starts_with("PAWL_") || entry.find('=') == std::string::npos;
  });
  for (size_t i = 0; i < base_.size(); i++) {
    std::string_view entry = base_[i];
    places_[entry.substr(0, entry.find('='))] = i;
  }
}

std::string_view ProcessEnvironment::get(std::string_view name) const {
  auto place = places_.find(name);
  if (place == places_.end()) return {};
  return std::string_view(base_[place->second]).substr(name.size() + 1);
}

char** ProcessEnvironment::with(const Variables& variables, std::string mark) {
  added_.clear();
  added_.push_back(std::move(mark));
  block_.resize(base_.size());
  for (size_t i = 0; i < base_.size(); i++) block_[i] = base_[i].data();
  for (auto at = variables.begin(); at != variables.end(); ++at) {
    if (auto place = places_.find(at->first); place != places_.end())
      block_[place->second] = nullptr;
    bool again = std::any_of(at + 1, variables.end(),
                             [&](const auto& later) { return later.first == at->first; });
    if (!again) added_.push_back(at->first + "=" + at->second);
  }
  std::erase(block_, nullptr);
  for (std::string& entry : added_) block_.push_back(entry.data());
  block_.push_back(nullptr);
  return block_.data();
}

}  // namespace pawl
