#include "pawl/sim/museum.h"

namespace pawl::sim {

std::vector<Exhibit> museum() {
  std::vector<Exhibit> all = storage_exhibits();
  for (const Exhibit& exhibit : service_exhibits()) all.push_back(exhibit);
  for (const Exhibit& exhibit : content_exhibits()) all.push_back(exhibit);
  return all;
}

}  // namespace pawl::sim
