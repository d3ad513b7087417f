// The command `pawl`: finds the verb and runs it.
//
//   int main(int argc, char** argv) {
//     return pawl::cli::run_command({argv + 1, argv + argc}, stations);
//   }
#pragma once

#include <string>
#include <vector>

#include "pawl/cli/station.h"

namespace pawl::cli {

int run_command(const std::vector<std::string>& words, Stations& stations);

}  // namespace pawl::cli
