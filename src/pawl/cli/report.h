// What is said when an execution has settled, and the words for failures wherever they are shown.
#pragma once

#include <string>
#include <vector>

#include "pawl/cli/session.h"

namespace pawl::cli {

std::string in_words(const Cause& cause);  // "exit code 7: no route to c"
// "upload", "upload[2]", "upload[2..9]"
std::string task_name(const std::string& node, ItemIndex begin, ItemIndex end, bool mapped);

// A JSON string without its quotes, anything else indented for people.
std::string for_people(std::string_view json);
std::string indented(std::string_view json);

// The file that holds what an attempt wrote, in Session::output_folder(); empty: there is none.
std::string output_file(const std::string& folder, const std::string& node, ItemIndex item,
                        AttemptNumber attempt, const char* suffix);

// One line about the whole, what failed and where its output is, what can be done: on standard
// error. The output, if it succeeded, on standard output. Gives the exit code.
int report(Session& session, const ExecutionDetail& detail);
// The same as one JSON line on standard output.
int report_json(Session& session, const ExecutionDetail& detail);

int exit_code_of(ExecutionStatus status);

}  // namespace pawl::cli
