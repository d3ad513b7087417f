// The text of a scenario, taken apart: steps of words, with the block that is indented under them.
//
//   # comment
//   workflow                    a step; what follows indented is its block, as it stands
//     name: w
//   submit w input {"n": 1}     words "submit", "w", "input"...; after("input") is the rest
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pawl/base/result.h"
#include "pawl/base/time.h"
#include "pawl/model/ids.h"

namespace pawl {

struct ScenarioStep {
  uint32_t line = 0;
  std::string text;
  std::vector<std::string> words;  // of text; at least one
  std::string block;

  // The word after the word `key`, from word `from` on; nothing if it is not there.
  std::optional<std::string> value(std::string_view key, size_t from = 1) const;
  // Everything after the word `key`, spaces included.
  std::optional<std::string> after(std::string_view key) const;
};

std::vector<ScenarioStep> scenario_steps(std::string_view text);

// "e1", "e1/count", "e1/count[3]", "e1/count[0..9]" (both included).
struct ScenarioTarget {
  ExecutionId execution;
  std::string node;  // empty: the execution
  std::optional<ItemIndex> first;
  ItemIndex last = 0;
};
std::optional<ScenarioTarget> scenario_target(std::string_view text);

// "250ms", "10s", "2m", "1h"
std::optional<Duration> scenario_duration(std::string_view text);
std::optional<uint64_t> scenario_number(std::string_view text);

}  // namespace pawl
