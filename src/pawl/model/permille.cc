#include "pawl/model/permille.h"

namespace pawl {

std::string permille_text(uint64_t permille) {
  std::string text = std::to_string(permille / 1000);
  if (permille % 1000 == 0) return text;
  std::string rest = std::to_string(1000 + permille % 1000).substr(1);
  return text + "." + rest.substr(0, rest.find_last_not_of('0') + 1);
}

}  // namespace pawl
