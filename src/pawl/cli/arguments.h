// Command lines by declaration: a verb says what it takes, and from that come the parser, its
// errors and its help.
//
//   const VerbSpec spec{.name = "run", .arguments = "FILE", .summary = "run a workflow", ...};
//   PAWL_ASSIGN(Arguments given, parse_arguments(spec, {"--jobs", "4", "nightly.yaml"}));
//   given.value("jobs")  ->  "4"        given.positionals()  ->  {"nightly.yaml"}
//
// `--name value`, `--name=value`, `-n value`; `--` ends the options. A wrong word is an
// INVALID_ARGUMENT that names the nearest right one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pawl/base/result.h"

namespace pawl::cli {

struct OptionSpec {
  std::string_view name;   // without the dashes
  char letter = 0;         // 0: none
  std::string_view value;  // what its value is called in the help, "N"; empty: a flag
  std::string_view help;
};

// Where options may stand. In `before_command` everything from the first positional on belongs to
// it (`pawl each gzip -k {}`).
enum class OptionPlace : uint8_t { anywhere, before_command };

struct VerbSpec {
  std::string_view name;
  std::string_view arguments;  // "FILE [--input k=v ...]" as the help shows it
  std::string_view summary;    // one line
  std::string_view details;    // paragraphs; may be empty
  std::vector<OptionSpec> options;
  std::vector<std::string_view> examples;
  size_t positionals_min = 0;
  size_t positionals_max = 0;
  OptionPlace place = OptionPlace::anywhere;
  std::string_view
      no_command{};  // with this option there is no command, and options stand anywhere
};

class Arguments {
 public:
  bool has(std::string_view option) const { return values_.contains(option); }
  std::optional<std::string> value(std::string_view option) const;  // the last one given
  std::vector<std::string> values(std::string_view option) const;   // all, in order
  const std::vector<std::string>& positionals() const { return positionals_; }

 private:
  friend class ArgumentParser;
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::vector<std::string> positionals_;
};

Result<Arguments> parse_arguments(const VerbSpec& spec, const std::vector<std::string>& words);

std::string help_of(const VerbSpec& spec);

// A whole number from `least` on; the error names the option.
Result<uint64_t> number_of(const Arguments& given, std::string_view option, uint64_t fallback,
                           uint64_t least);

}  // namespace pawl::cli
