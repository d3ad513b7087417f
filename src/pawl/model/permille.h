// Thousandths as people write them: 2500 is "2.5". Cores, and grants per second, are counted so.
#pragma once

#include <cstdint>
#include <string>

namespace pawl {

std::string permille_text(uint64_t permille);

}  // namespace pawl
