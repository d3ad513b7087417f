// What a jq expression reads from its context, as far as that can be told without running it.
//
//   ".nodes.count.output | map(.item)"  ->  {"nodes", "count", "output"}
//
// Only paths that surely start at the context are given: behind a pipe or inside a function's
// argument the dot is something else, and `.item` there is nobody's mistake.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pawl {

struct Reference {
  std::vector<std::string> path;  // one to three names
  // ".nodes.my-node": jq reads my minus node; what was probably meant, "my-node". Else empty.
  std::string dashed;
};

std::vector<Reference> find_references(std::string_view jq);

}  // namespace pawl
