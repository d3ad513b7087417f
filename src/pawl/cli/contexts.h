// Servers by name, with what proves who one is: what `pawl context` keeps in a file.
//
//   PAWL_ASSIGN(Contexts contexts, load_contexts(contexts_file()));
//   PAWL_TRY(contexts.add({.name = "prod", .server = "https://pawl.example.org"}));
//   PAWL_TRY(save_contexts(contexts_file(), contexts));
//
// The file is replaced as a whole, readable for its owner alone; of two who write at once the later wins. It
// names files with tokens and keys and holds none of them. Errors: INVALID_ARGUMENT with the file for
// one that cannot be understood, NOT_FOUND and ALREADY_EXISTS for names, RESOURCE_EXHAUSTED for limits.
// Threading: values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pawl/base/result.h"

namespace pawl::cli {

constexpr size_t contexts_max = 1000;
constexpr size_t contexts_bytes_max = 1 << 20;  // of the file
constexpr size_t context_name_bytes_max = 64;

inline constexpr const char* local_context = "local";  // the state directory; always there

struct Context {
  std::string name{};
  std::string server{};      // a URL
  std::string token_file{};  // this and the others: absolute, or empty
  std::string ca_file{};
  std::string certificate_file{};
  std::string key_file{};
};

struct Contexts {
  std::string current = local_context;
  std::vector<Context> all{};  // by name

  Result<Context> find(const std::string& name) const;
  Status add(Context context);
  Status use(const std::string& name);
  Status remove(const std::string& name);  // the current one: then it is the local one
};

Result<Contexts> contexts_from_json(std::string_view text);
std::string to_json(const Contexts& contexts);

std::string contexts_file();  // $XDG_CONFIG_HOME/pawl/config.json, else ~/.config/pawl/config.json
Result<Contexts> load_contexts(const std::string& file);  // no file: none
Status save_contexts(const std::string& file, const Contexts& contexts);

}  // namespace pawl::cli
