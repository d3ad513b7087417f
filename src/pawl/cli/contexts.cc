#include "pawl/cli/contexts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "pawl/adapter/http/http_url.h"
#include "pawl/base/json.h"
#include "pawl/cli/inputs.h"

namespace pawl::cli {
namespace {

struct Member {
  const char* name;
  std::string Context::*value;
};
constexpr Member members[] = {{"server", &Context::server},
                              {"token_file", &Context::token_file},
                              {"ca", &Context::ca_file},
                              {"certificate", &Context::certificate_file},
                              {"key", &Context::key_file}};

Error wrong(const std::string& why) {
  return {Code::invalid_argument, why};
}

Status check_name(const std::string& name) {
  bool good = !name.empty() && name.size() <= context_name_bytes_max;
  for (char c : name)
    good =
        good && (isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.');
  if (!good)
    return wrong("a context is named by letters, digits, '-', '_' and '.', at most " +
                 std::to_string(context_name_bytes_max) + ", not \"" + name.substr(0, 100) + "\"");
  if (name == local_context)
    return wrong("the context \"local\" is the state directory, and always there");
  return {};
}

Result<Context> context_from_json(std::string name, std::string_view text) {
  if (json_kind(text) != JsonKind::object) return wrong("the context " + name + " is no object");
  Context context;
  context.name = std::move(name);
  for (JsonItems items(text); items.next();) {
    std::string key = json_unquote(items.key());
    const Member* found = std::find_if(std::begin(members), std::end(members),
                                       [&](const Member& one) { return key == one.name; });
    if (found == std::end(members))
      return wrong("the context " + context.name + " has a member \"" + key + "\"");
    if (json_kind(items.value()) != JsonKind::string)
      return wrong("\"" + key + "\" of the context " + context.name + " is no text");
    context.*found->value = json_unquote(items.value());
  }
  return context;
}

std::string directory_of(const std::string& file) {
  return file.substr(0, file.rfind('/'));
}

void make_directories(const std::string& path) {
  for (size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1))
    (void)mkdir(path.substr(0, at).c_str(), S_IRWXU);
  (void)mkdir(path.c_str(), S_IRWXU);
}

}  // namespace

Result<Context> Contexts::find(const std::string& name) const {
  std::string known = local_context;
  for (const Context& one : all) {
    if (one.name == name) return one;
    known += ", " + one.name;
  }
  return Error{Code::not_found, "there is no context \"" + name + "\", only " + known +
                                    "; pawl context add " + name + " --server URL makes it"};
}

Status Contexts::add(Context context) {
  PAWL_TRY(check_name(context.name));
  PAWL_ASSIGN([[maybe_unused]] HttpUrl url, parse_http_url(context.server));
  if (context.certificate_file.empty() != context.key_file.empty())
    return wrong("a certificate and its key are given together");
  if (find(context.name).ok())
    return Error{Code::already_exists, "there is a context " + context.name +
                                           " already; pawl context remove " + context.name};
  if (all.size() >= contexts_max)
    return Error{Code::resource_exhausted,
                 "the limit contexts_max (" + std::to_string(contexts_max) + ") is reached"};
  auto place = std::find_if(all.begin(), all.end(),
                            [&](const Context& one) { return one.name > context.name; });
  all.insert(place, std::move(context));
  return {};
}

Status Contexts::use(const std::string& name) {
  if (name != local_context) PAWL_TRY(find(name));
  current = name;
  return {};
}

Status Contexts::remove(const std::string& name) {
  PAWL_TRY(check_name(name));
  PAWL_TRY(find(name));
  std::erase_if(all, [&](const Context& one) { return one.name == name; });
  if (current == name) current = local_context;
  return {};
}

Result<Contexts> contexts_from_json(std::string_view text) {
  PAWL_TRY(json_validate(text));
  if (json_kind(text) != JsonKind::object) return wrong("it is no object");
  Contexts contexts;
  auto list = json_find(text, {"contexts"});
  if (!list || json_kind(*list) != JsonKind::object) return wrong("it has no \"contexts\"");
  for (JsonItems items(*list); items.next();) {
    PAWL_ASSIGN(Context one, context_from_json(json_unquote(items.key()), items.value()));
    PAWL_TRY(contexts.add(std::move(one)));
  }
  if (auto current = json_find(text, {"current"})) PAWL_TRY(contexts.use(json_unquote(*current)));
  return contexts;
}

std::string to_json(const Contexts& contexts) {
  JsonWriter out;
  out.begin_object().key("current").string(contexts.current).key("contexts").begin_object();
  for (const Context& one : contexts.all) {
    out.key(one.name).begin_object();
    for (const Member& member : members)
      if (!(one.*member.value).empty()) out.key(member.name).string(one.*member.value);
    out.end_object();
  }
  return out.end_object().end_object().take();
}

std::string contexts_file() {
  auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value != nullptr ? value : "");
  };
  std::string base = variable("XDG_CONFIG_HOME");
  if (base.empty()) base = variable("HOME") + "/.config";
  return base + "/pawl/config.json";
}

Result<Contexts> load_contexts(const std::string& file) {
  Result<std::string> text = read_text(file, contexts_bytes_max);
  if (!text.ok() && text.error().code == Code::not_found) return Contexts{};
  if (!text.ok()) return text.error();
  Result<Contexts> contexts = contexts_from_json(*text);
  if (contexts.ok()) return contexts;
  return Error{Code::invalid_argument, file + " cannot be understood: " + contexts.error().message};
}

Status save_contexts(const std::string& file, const Contexts& contexts) {
  make_directories(directory_of(file));
  std::string fresh = file + ".new";
  std::string text = to_json(contexts) + "\n";
  int fd =
      open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
  bool written = fd >= 0 && fchmod(fd, S_IRUSR | S_IWUSR) == 0 &&
                 write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                 fsync(fd) == 0 && rename(fresh.c_str(), file.c_str()) == 0;
  int why = errno;
  if (fd >= 0) close(fd);
  if (written) return {};
  return Error{Code::permission_denied, "cannot write " + file + ": " + std::strerror(why)};
}

}  // namespace pawl::cli
