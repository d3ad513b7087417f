#include "pawl/definition/keys.h"

namespace pawl {

const std::vector<std::string_view>& keys_of(Section section) {
  static const std::vector<std::string_view> keys[] = {
      {"$schema", "name", "version", "input", "nodes", "output"},
      {"run",           "command", "transform", "function",  "with",   "needs",     "when",
       "for_each",      "retry",   "timeout",   "priority",  "queue",  "resources", "affinity",
       "anti_affinity", "output",  "env",       "directory", "limits", "files"},
      {"max_attempts", "backoff", "on"},
      {"first", "factor", "max", "jitter"},
      {"run", "queue", "heartbeat"},
      {"memory", "cpu", "open_files", "file_size"},
      {"require", "prefer", "key"},
      {"require", "prefer", "apart"},
  };
  return keys[static_cast<size_t>(section)];
}

const std::vector<std::string_view>& output_words() {
  static const std::vector<std::string_view> words = {"text", "json", "lines", "none", "lossy"};
  return words;
}

const std::vector<std::string_view>& failure_words() {
  static const std::vector<std::string_view> words = {"exit_code",     "signal",  "timeout",
                                                      "out_of_memory", "spawn",   "output",
                                                      "expression",    "function"};
  return words;
}

const std::vector<std::string_view>& apart_words() {
  static const std::vector<std::string_view> words = {"worker", "zone"};
  return words;
}

}  // namespace pawl
