#include "pawl/isolate/program.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace pawl {
namespace {

// Words that mean something to the shell, or something else than the program of the same name.
constexpr std::array<std::string_view, 45> shell_words = {
    "!",     ".",    ":",    "alias",    "bg",     "break",   "case",  "cd",     "command",
    "do",    "done", "elif", "else",     "esac",   "eval",    "exec",  "exit",   "export",
    "fg",    "fi",   "for",  "getopts",  "hash",   "if",      "in",    "jobs",   "kill",
    "local", "pwd",  "read", "readonly", "return", "set",     "shift", "source", "then",
    "times", "trap", "type", "ulimit",   "umask",  "unalias", "unset", "until",  "wait"};

bool is_plain(char c) {
  bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return alphanumeric || std::string_view("-_./,:@%+=^").find(c) != std::string_view::npos ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool starts_like_shell(const std::vector<std::string>& words) {
  const std::string& first = words.front();
  if (first.find('=') != std::string::npos || first == "while" || first == "time") return true;
  if (std::find(shell_words.begin(), shell_words.end(), first) != shell_words.end()) return true;
  // The shell's own echo reads options differently from /bin/echo.
  return first == "echo" && words.size() > 1 && words[1].starts_with('-');
}

bool is_program(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::optional<std::vector<std::string>> plain_words(std::string_view line) {
  std::vector<std::string> words;
  bool inside = false;
  for (size_t i = 0; i < line.size(); i++) {
    char c = line[i];
    if (c == ' ' || c == '\t') {
      inside = false;
      continue;
    }
    if (c == '\n' && line.find_first_not_of(" \t\n", i) == std::string_view::npos) break;
    if (!inside) words.emplace_back();
    inside = true;
    if (c == '\'') {
      size_t end = line.find('\'', i + 1);
      if (end == std::string_view::npos) return std::nullopt;
      words.back().append(line.substr(i + 1, end - i - 1));
      i = end;
    } else if (c == '\\' && i + 1 < line.size() && line[i + 1] == '\'') {
      words.back().push_back('\'');
      i++;
    } else if (is_plain(c)) {
      words.back().push_back(c);
    } else {
      return std::nullopt;
    }
  }
  if (words.empty() || starts_like_shell(words)) return std::nullopt;
  return words;
}

ProgramFinder::ProgramFinder(std::string path) : path_(std::move(path)) {}

std::string ProgramFinder::find(const std::string& name, const std::string& directory) {
  if (name.empty() || name.find('/') != std::string::npos) return name;
  if (auto known = found_.find(name); known != found_.end()) return known->second;
  for (size_t begin = 0; begin <= path_.size();) {
    size_t end = std::min(path_.find(':', begin), path_.size());
    std::string entry = path_.substr(begin, end - begin);
    begin = end + 1;
    bool absolute = entry.starts_with('/');
    if (!absolute)
      entry = directory.empty() ? entry : directory + (entry.empty() ? "" : "/" + entry);
    std::string file = entry.empty() ? name : entry + "/" + name;
    if (!is_program(file)) continue;
    if (file.find('/') == std::string::npos) file.insert(0, "./");
    if (absolute) found_.emplace(name, file);
    return file;
  }
  return {};
}

}  // namespace pawl
