#include "pawl/cli/arguments.h"

#include <charconv>

#include "pawl/definition/nearest.h"

namespace pawl::cli {

namespace {

Error wrong(std::string message) {
  return Error{Code::invalid_argument, std::move(message)};
}

const OptionSpec help_option{"help", 'h', "", "show this text"};

}  // namespace

class ArgumentParser {
 public:
  ArgumentParser(const VerbSpec& spec, const std::vector<std::string>& words)
      : spec_(spec), words_(words) {}

  Result<Arguments> parse() {
    for (at_ = 0; at_ < words_.size(); ++at_) {
      const std::string& word = words_[at_];
      if (raw_ || word == "-" || !word.starts_with('-')) {
        given_.positionals_.push_back(word);
        if (spec_.place == OptionPlace::before_command && !given_.has(spec_.no_command))
          raw_ = true;
      } else if (word == "--") {
        raw_ = true;
      } else if (word.starts_with("--")) {
        PAWL_TRY(take_long(word.substr(2)));
      } else {
        PAWL_TRY(take_short(word));
      }
    }
    if (!given_.has("help")) PAWL_TRY(check_count());
    return std::move(given_);
  }

 private:
  const OptionSpec* find(std::string_view name) const {
    if (name == help_option.name) return &help_option;
    for (const OptionSpec& option : spec_.options) {
      if (option.name == name) return &option;
    }
    return nullptr;
  }

  const OptionSpec* find(char letter) const {
    if (letter == help_option.letter) return &help_option;
    for (const OptionSpec& option : spec_.options) {
      if (option.letter == letter) return &option;
    }
    return nullptr;
  }

  Status take_long(const std::string& text) {
    size_t equals = text.find('=');
    std::string name = text.substr(0, equals);
    const OptionSpec* option = find(name);
    if (option == nullptr) return unknown("--" + name, name);
    if (equals == std::string::npos) return take(*option, "--" + name);
    if (option->value.empty()) return wrong("--" + name + " takes no value");
    return keep(*option, "--" + name, text.substr(equals + 1));
  }

  Status take_short(const std::string& word) {
    const OptionSpec* option = find(word[1]);
    if (option == nullptr) return unknown(word, word.substr(1));
    if (word.size() == 2) return take(*option, word);
    if (option->value.empty()) return unknown(word, word.substr(1));
    return keep(*option, word.substr(0, 2), word.substr(2));  // -j4
  }

  Status take(const OptionSpec& option, const std::string& written) {
    if (!option.value.empty())
      return keep(option, written, at_ + 1 < words_.size() ? words_[++at_] : "");
    given_.values_[std::string(option.name)];
    return {};
  }

  // An empty value is a variable that somebody forgot to set, never a wish.
  Status keep(const OptionSpec& option, const std::string& written, std::string value) {
    if (value.empty())
      return wrong(written + " needs a value: " + written + " " + std::string(option.value));
    given_.values_[std::string(option.name)].push_back(std::move(value));
    return {};
  }

  Error unknown(const std::string& written, const std::string& name) const {
    std::vector<std::string_view> names{help_option.name};
    for (const OptionSpec& option : spec_.options) names.push_back(option.name);
    std::string_view close = nearest(name, names);
    if (name == "server" || name == "context")
      return wrong(written + " is not for pawl " + std::string(spec_.name) +
                   ": it works on this machine alone");
    std::string message = "unknown option " + written;
    if (!close.empty()) message += "; did you mean --" + std::string(close) + "?";
    return wrong(message + " (pawl " + std::string(spec_.name) + " --help shows all)");
  }

  Status check_count() const {
    size_t count = given_.positionals_.size();
    std::string usage =
        "; usage: pawl " + std::string(spec_.name) + " " + std::string(spec_.arguments);
    if (count < spec_.positionals_min) return wrong("something is missing" + usage);
    if (count > spec_.positionals_max) {
      return wrong("unexpected \"" + given_.positionals_[spec_.positionals_max] + "\"" + usage);
    }
    return {};
  }

  const VerbSpec& spec_;
  const std::vector<std::string>& words_;
  Arguments given_;
  size_t at_ = 0;
  bool raw_ = false;
};

std::optional<std::string> Arguments::value(std::string_view option) const {
  auto found = values_.find(option);
  if (found == values_.end() || found->second.empty()) return std::nullopt;
  return found->second.back();
}

std::vector<std::string> Arguments::values(std::string_view option) const {
  auto found = values_.find(option);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

Result<Arguments> parse_arguments(const VerbSpec& spec, const std::vector<std::string>& words) {
  return ArgumentParser(spec, words).parse();
}

std::string help_of(const VerbSpec& spec) {
  std::string text = "Usage: pawl " + std::string(spec.name);
  if (!spec.arguments.empty()) text += " " + std::string(spec.arguments);
  text += "\n\n" + std::string(spec.summary) + "\n";
  if (!spec.details.empty()) text += "\n" + std::string(spec.details) + "\n";
  text += "\nOptions:\n";
  std::vector<OptionSpec> options = spec.options;
  options.push_back(help_option);
  for (const OptionSpec& option : options) {
    std::string left = "  ";
    left += option.letter != 0 ? std::string("-") + option.letter + ", " : std::string("    ");
    left += "--" + std::string(option.name);
    if (!option.value.empty()) left += " " + std::string(option.value);
    if (left.size() < 28) left.append(28 - left.size(), ' ');
    text += left + " " + std::string(option.help) + "\n";
  }
  if (!spec.examples.empty()) text += "\nExamples:\n";
  for (std::string_view example : spec.examples) text += "  " + std::string(example) + "\n";
  return text;
}

Result<uint64_t> number_of(const Arguments& given, std::string_view option, uint64_t fallback,
                           uint64_t least) {
  std::optional<std::string> text = given.value(option);
  if (!text) return fallback;
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size() || number < least) {
    return wrong("--" + std::string(option) + " needs a whole number from " +
                 std::to_string(least) + ", not \"" + *text + "\"");
  }
  return number;
}

}  // namespace pawl::cli
