// The environment block of new processes: a base that all share, and what one adds.
//
//   ProcessEnvironment environment({"PATH=/bin", "HOME=/root"});
//   char** block = environment.with({{"HOME", "/tmp"}}, "PAWL_GUARD=x.1");   // until the next call
//
// PAWL_* of the base are left out (this Pawl may itself run as a task of another).
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pawl {

using Variables = std::vector<std::pair<std::string, std::string>>;

class ProcessEnvironment {
 public:
  explicit ProcessEnvironment(std::vector<std::string> base);

  // Later entries win over earlier ones and over the base. `mark` is a whole NAME=value.
  char** with(const Variables& variables, std::string mark);
  std::string_view get(std::string_view name) const;  // of the base; empty if unset

 private:
  std::vector<std::string> base_;
  std::unordered_map<std::string_view, size_t> places_;  // name -> index in base_
  std::vector<std::string> added_;
  std::vector<char*> block_;
};

}  // namespace pawl
