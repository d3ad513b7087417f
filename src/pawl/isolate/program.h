// From what a user wrote to a program file: plain shell lines to words, names to paths.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pawl {

// The words of a shell line that needs no shell: no operators, expansions, globs, assignments or
// builtins, only blanks, '...' quotes and \'. Nothing when /bin/sh must read it.
//
//   plain_words("gzip -k 'a b.log'")  ->  {"gzip", "-k", "a b.log"}
//   plain_words("ls | wc")            ->  nothing
std::optional<std::vector<std::string>> plain_words(std::string_view line);

// Finds programs in a PATH, as execvp does, and remembers those found.
class ProgramFinder {
 public:
  explicit ProgramFinder(std::string path);

  // The file to execute; empty if there is none. A name with a slash is returned as it is. Relative
  // PATH entries are taken from `directory`.
  std::string find(const std::string& name, const std::string& directory);
  void forget(const std::string& name) { found_.erase(name); }  // it was there, and is gone

 private:
  std::string path_;
  std::unordered_map<std::string, std::string> found_;
};

}  // namespace pawl
