// Every verb: what it takes, what it does.
#pragma once

#include <vector>

#include "pawl/cli/verbs.h"

namespace pawl::cli {

struct VerbEntry {
  VerbSpec spec;
  Verb run = nullptr;
};

const std::vector<VerbEntry>& verb_table();

// The overview that `pawl help` shows.
std::string overview();

}  // namespace pawl::cli
