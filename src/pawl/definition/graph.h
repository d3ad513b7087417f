// A workflow as a Mermaid flowchart, for documents and terminals that draw it.
//
//   flowchart TD
//     n0["list"]
//     n1[["count<br/>for each"]]
//     n0 --> n1
//
// A box is a process, a rounded box a transform, a slanted one a function, a box with double sides
// runs once per item; a condition stands in the second line, and the edges into its node are
// dotted. Any text is escaped, so that a workflow cannot become markup.
#pragma once

#include <string>

#include "pawl/model/workflow.h"

namespace pawl {

std::string to_mermaid(const Workflow& workflow);

}  // namespace pawl
