#include "pawl/cli/each_job.h"

#include <algorithm>
#include <array>
#include <optional>

#include "pawl/base/json.h"
#include "pawl/cli/inputs.h"
#include "pawl/definition/shell_place.h"
#include "pawl/definition/template.h"
#include "pawl/worker/render.h"

namespace pawl::cli {
namespace {

std::string_view last_part(std::string_view path) {
  size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view without_extension(std::string_view path) {
  std::string_view name = last_part(path);
  size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return path;
  return path.substr(0, path.size() - (name.size() - dot));
}

std::string_view folder(std::string_view path) {
  size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

struct Placeholder {
  std::string_view sign;
  std::string_view field;  // of an item that is an object
};
constexpr std::array<Placeholder, 6> placeholders{{
    {"{}", "item"},
    {"{.}", "stem"},
    {"{/}", "name"},
    {"{//}", "folder"},
    {"{/.}", "name_stem"},
    {"{#}", "number"},
}};

std::string value_of(size_t placeholder, std::string_view item, size_t index) {
  switch (placeholder) {
    case 1:
      return std::string(without_extension(item));
    case 2:
      return std::string(last_part(item));
    case 3:
      return std::string(folder(item));
    case 4:
      return std::string(without_extension(last_part(item)));
    case 5:
      return std::to_string(index + 1);
    default:
      return std::string(item);
  }
}

std::optional<size_t> placeholder_at(std::string_view text, size_t at) {
  for (size_t i = 0; i < placeholders.size(); ++i) {
    if (text.substr(at).starts_with(placeholders[i].sign)) return i;
  }
  return std::nullopt;
}

// Which placeholders the command uses, by index.
std::array<bool, placeholders.size()> used_in(const EachJob& job) {
  std::array<bool, placeholders.size()> used{};
  for (const std::string& word : job.command) {
    for (size_t at = 0; at < word.size(); ++at) {
      if (std::optional<size_t> found = placeholder_at(word, at)) {
        used[*found] = true;
        at += placeholders[*found].sign.size() - 1;
      }
    }
  }
  return used;
}

bool needs_fields(const EachJob& job) {
  auto used = used_in(job);
  for (size_t i = 1; i < used.size(); ++i) {
    if (used[i]) return true;
  }
  return false;
}

// The word as a template of the definition; every other dollar before a brace is the user's own.
std::string as_template(std::string_view word, bool fields) {
  std::string text;
  for (size_t at = 0; at < word.size();) {
    if (std::optional<size_t> found = placeholder_at(word, at)) {
      text += "${ .item";
      if (fields) text += "." + std::string(placeholders[*found].field);
      text += " }";
      at += placeholders[*found].sign.size();
      continue;
    }
    bool before_brace = word[at] == '$' && at + 1 < word.size() &&
                        word.find_first_not_of('$', at) != std::string_view::npos &&
                        word[word.find_first_not_of('$', at)] == '{';
    text += before_brace ? "$$" : std::string(1, word[at]);
    ++at;
  }
  return text;
}

// Text that means itself.
std::string as_literal(std::string_view word) {
  std::string text;
  for (size_t at = 0; at < word.size(); ++at) {
    size_t behind = std::min(word.find_first_not_of('$', at), word.size() - 1);
    text.append(word[at] == '$' && word[behind] == '{' ? 2 : 1, word[at]);
  }
  return text;
}

std::string replaced(std::string_view word, std::string_view item, size_t index, bool quote) {
  std::string text;
  for (size_t at = 0; at < word.size();) {
    if (std::optional<size_t> found = placeholder_at(word, at)) {
      std::string value = value_of(*found, item, index);
      text += quote ? shell_quoted(value) : value;
      at += placeholders[*found].sign.size();
    } else {
      text.push_back(word[at++]);
    }
  }
  return text;
}

// The job with its placeholder in place where the user left it out.
EachJob completed(const EachJob& job) {
  EachJob full{job.command, {}, job.items_given};
  for (bool one : used_in(job)) {
    if (one) return full;
  }
  if (full.command.size() == 1) {
    full.command[0] += " {}";
  } else {
    full.command.push_back("{}");
  }
  return full;
}

}  // namespace

EachJob split_each(const std::vector<std::string>& words) {
  EachJob job;
  for (const std::string& word : words) {
    if (!job.items_given && word == ":::") {
      job.items_given = true;
    } else {
      (job.items_given ? job.items : job.command).push_back(word);
    }
  }
  return job;
}

Status check_texts(const EachJob& job) {
  for (const std::string& word : job.command) PAWL_TRY(check_text(word, "the command"));
  for (size_t i = 0; i < job.items.size(); ++i)
    PAWL_TRY(check_text(job.items[i], "item " + std::to_string(i + 1)));
  return {};
}

Status check_line(const EachJob& job) {
  EachJob full = completed(job);
  if (full.command.size() != 1) return {};
  const std::string& line = full.command[0];
  Template parts = scan_template(as_template(line, false)).text;
  std::optional<ShellTrouble> trouble = shell_trouble(parts);
  if (!trouble) return {};
  size_t at = line.find('{');
  for (size_t part = 0; at < line.size(); at = line.find('{', at + 1)) {
    if (!placeholder_at(line, at)) continue;
    while (!parts.parts[part].expression) ++part;
    if (part++ == trouble->part) break;
  }
  std::string sign(placeholders[*placeholder_at(line, at)].sign);
  return Error{Code::invalid_argument, sign + " stands " + trouble->where +
                                           ", where an item is not safe from the shell; " +
                                           shell_advice(sign)};
}

std::vector<std::string> items_of(std::string_view text, ItemEnd end) {
  std::vector<std::string> items;
  char mark = end == ItemEnd::nul ? '\0' : '\n';
  while (!text.empty()) {
    size_t stop = text.find(mark);
    std::string_view item = text.substr(0, stop);
    if (end == ItemEnd::line && item.ends_with('\r')) item.remove_suffix(1);
    if (!item.empty() || end == ItemEnd::nul) items.emplace_back(item);
    text.remove_prefix(stop == std::string_view::npos ? text.size() : stop + 1);
  }
  return items;
}

std::string each_definition(const EachJob& job, const EachOptions& options) {
  EachJob full = completed(job);
  bool fields = needs_fields(full);
  JsonWriter json;
  json.begin_object().key("name").string("each").key("nodes").begin_object();
  json.key("each").begin_object().key("for_each").string("${ .input.items }");
  if (full.command.size() == 1) {
    json.key("run").string(as_template(full.command[0], fields));
  } else {
    json.key("command").begin_array();
    for (const std::string& word : full.command) json.string(as_template(word, fields));
    json.end_array();
  }
  json.key("output").string("lossy");  // the bytes themselves are in the output files
  if (options.attempts > 1) {
    json.key("retry").begin_object().key("max_attempts").number(options.attempts);
    json.key("backoff").string("100ms").end_object();
  }
  if (!options.timeout.empty()) json.key("timeout").string(options.timeout);
  if (!options.directory.empty()) {
    json.key("directory").string(as_literal(options.directory));
  }
  json.end_object().end_object().key("output").null().end_object();
  return json.take();
}

std::string each_input(const EachJob& job) {
  EachJob full = completed(job);
  auto used = used_in(full);
  bool fields = needs_fields(full);
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  for (size_t index = 0; index < job.items.size(); ++index) {
    const std::string& item = job.items[index];
    if (!fields) {
      json.string(item);
      continue;
    }
    json.begin_object();
    for (size_t i = 0; i < used.size(); ++i) {
      if (used[i] || i == 0) json.key(placeholders[i].field).string(value_of(i, item, index));
    }
    json.end_object();
  }
  return json.end_array().end_object().take();
}

std::string each_line(const EachJob& job, size_t item) {
  EachJob full = completed(job);
  bool shell = full.command.size() == 1;
  std::string line;
  for (const std::string& word : full.command) {
    if (!line.empty()) line += ' ';
    std::string text = replaced(word, job.items[item], item, shell);
    bool plain = text.find_first_not_of(
                     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                     "0123456789_-./=:,@%+") == std::string::npos;
    line += shell || (plain && !text.empty()) ? text : shell_quoted(text);
  }
  return line;
}

}  // namespace pawl::cli
