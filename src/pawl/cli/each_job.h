// `pawl each`: a command and a list of items become a workflow of one mapped node.
//
//   EachJob job = split_each({"gzip -k {}", ":::", "a.log", "b.log"});
//   each_definition(job, {.retries = 2})
//       ->  {"name":"each","nodes":{"each":{"for_each":"${ .input.items }",
//            "run":"gzip -k ${ .item }", ...}}}
//   each_input(job)  ->  {"items":["a.log","b.log"]}
//
// Placeholders, as GNU parallel has them: {} the item, {.} without its extension, {/} its last
// part, {//} its directory, {/.} the last part without extension, {#} its number from 1. Without
// any, the item is appended. One word is a shell line, in which they arrive quoted; several words
// are a program and its arguments. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pawl/base/result.h"

namespace pawl::cli {

struct EachJob {
  std::vector<std::string> command;
  std::vector<std::string> items;
  bool items_given = false;  // ::: was there
};

// The words behind the options: COMMAND [::: ITEM...].
EachJob split_each(const std::vector<std::string>& words);

// The first word or item that is not UTF-8 is INVALID_ARGUMENT.
Status check_texts(const EachJob& job);
// And so is a placeholder inside the quotes of a shell line, where items are not safe from the shell.
Status check_line(const EachJob& job);

// What stands in a stream: one item per line (empty lines are none), or per NUL (empty ones count).
enum class ItemEnd : uint8_t { line, nul };
std::vector<std::string> items_of(std::string_view text, ItemEnd end);

struct EachOptions {
  uint64_t attempts = 1;
  std::string timeout;    // "30s"; empty: none
  std::string directory;  // where the commands run
};
std::string each_definition(const EachJob& job, const EachOptions& options);
std::string each_input(const EachJob& job);

// The command as it will run for one item, for --dry-run and messages.
std::string each_line(const EachJob& job, size_t item);

}  // namespace pawl::cli
