// What can be said about a definition only when all of its nodes are known.
#pragma once

#include <vector>

#include "pawl/definition/node_reader.h"

namespace pawl {

// Moves the drafts into `workflow`, their edges resolved. Reports unknown nodes, cycles, and
// expressions that read what they cannot: a node not (transitively) needed, an item outside a
// mapped node, an input that is not declared.
void link_nodes(std::vector<NodeDraft> drafts, const std::vector<ExpressionSite>& sites,
                Workflow& workflow, Problems& problems);

}  // namespace pawl
