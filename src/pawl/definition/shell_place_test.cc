#include "pawl/definition/shell_place.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <vector>

#include "pawl/base/random.h"
#include "pawl/definition/template.h"

namespace pawl {
namespace {

// A line with @ where values stand.
Template line_of(std::string_view text) {
  Template line;
  for (char c : text) {
    if (c == '@') {
      line.parts.push_back({{}, make_expression(".v")});
    } else {
      if (line.parts.empty() || line.parts.back().expression) line.parts.emplace_back();
      line.parts.back().literal += c;
    }
  }
  return line;
}

std::string where(std::string_view text) {
  std::optional<ShellTrouble> trouble = shell_trouble(line_of(text));
  return trouble ? std::to_string(trouble->part) + " " + trouble->where : "";
}

constexpr const char* accepted[] = {
    "",
    "@",
    "echo @",
    "a@b@c",
    "x=@; echo \"Hello $x\"",
    "echo \"Hello \"@",
    "echo 'it'@'s'",
    "echo \"a $(echo @) b\"",
    "echo $(echo \"b $(echo @)\" @)",
    "(cd @ && ls @); { ls @; }",
    "f() { echo \"$1\"; }; f @",
    "case @ in a) echo @;; (b) echo @;; esac; echo @",
    "echo $((1 + 2)) @",
    "echo $(( (1 + 2) * $(echo 3) )) @",
    "echo $((16#ff)) @",
    "echo `date` @",
    "echo `echo \\`date\\`` @",
    "# it's\necho @",
    "echo a#b @",
    "echo a # b\necho @",
    "echo \\' @ \\\\@",
    "echo $$ $# $? @ $HOME @",
    "echo $$@",
    "echo ${x:-a} @",
    "echo ${#x}${x%.*} @",
    "echo \"${x:-a b}\" @",
    "echo ${x:-'a}'} @",
    "cat <<E > @\ntext\nE\necho @",
    "cat <<-'E'\n\tit's $(\n\tE\necho @",
    "cat <<E\n$(date) ${x}\nE\necho @",
    "cat <<A; cat <<\\B\na\nA\nb\nB\n@",
    "cat <<<@",
    "echo $((1 << 2)); echo @",
    "a && b || c; ! d & e | f @ >@ 2>&1 <@ >>@",
    "echo \\\n@",
    "while read x; do echo @; done <<E\nq\nE\n@",
    "echo $'a' @",
    "$(cat <<E\na\nE\n) @",
    "echo \"\\\"\" @",
    "echo \"a\nb\" @",
    "if [ @ = @ ]; then :; fi",
    "echo a\\ # b@",
    "a=( @ @ )",
};

struct Refused {
  const char* line;
  const char* where;
};
constexpr Refused refused[] = {
    {"echo \"Hello @\"", "1 inside \"...\""},
    {"@ \"@\"", "2 inside \"...\""},
    {"echo '@'", "1 inside '...'"},
    {"sh -c 'echo @'", "1 inside '...'"},
    {"echo `echo @`", "1 inside `...`"},
    {"echo \"`echo @`\"", "1 inside `...`"},
    {"echo $((@ + 1))", "1 inside $(( ))"},
    {"((x = @))", "1 inside (( ))"},
    {"echo ${x:-@}", "1 inside ${ }"},
    {"echo \"$(echo \"@\")\"", "1 inside \"...\""},
    {"echo \"$(echo a)@\"", "1 inside \"...\""},
    {"cat <<E\n@\nE", "1 inside a here-document"},
    {"cat <<'E'\n@\nE", "1 inside a here-document"},
    {"cat <<A <<B\na\nA\n@\nB", "1 inside a here-document"},
    {"cat <<-E\n\tE x\n@", "1 behind such a here-document, where shells differ"},
    {"cat <<E@\na\nE", "1 behind such a <<, where shells differ"},
    {"cat <<@", "1 behind such a <<, where shells differ"},
    {"cat <<E\n$(cat <<X\nE\nX\n)\nE\n@", "1 behind such a here-document, where shells differ"},
    {"cat <<E\na\\\nE\n@", "1 behind such a here-document, where shells differ"},
    {"cat <<E \"a\nb\" @", "1 behind a line end between << and its text, where shells differ"},
    {"(cat <<E) @", "1 behind a << whose text is not there, where shells differ"},
    {"((1 << E)) @\n", "1 behind a << inside (( )), where shells differ"},
    {"echo a # @", "1 behind a #"},
    {"#@", "1 behind a #"},
    {"(a)#@", "1 behind a #"},
    {"echo \\@", "1 behind a \\"},
    {"echo $@", "1 behind a $"},
    {"echo $'\\'' @", "1 behind $'...', where shells differ"},
    {"echo $[1] @", "1 behind $[, where shells differ"},
    {"\"$(case x in a) echo \"@\";; esac)\"",
     "1 behind a `case` inside brackets, where shells differ"},
    {"$(ca\\\nse x in a) echo @;; esac)", "1 behind a `case` inside brackets, where shells differ"},
    {"echo \"${x#'}'}\" @", "1 behind quotes or braces inside ${ }, where shells differ"},
    {"echo $((echo a) | cat) @", "1 behind a $(( that may be something else, where shells differ"},
    {"echo $(\\\n(1 + @))", "1 behind a $( that ends a line, where shells differ"},
    {"echo $\\\n(echo @)", "1 behind a $ that ends a line, where shells differ"},
};

TEST(ShellPlace, ValuesStandOutsideOfQuotes) {
  for (const char* line : accepted) EXPECT_EQ(where(line), "") << line;
}

TEST(ShellPlace, AndNowhereElse) {
  for (const Refused& one : refused) EXPECT_EQ(where(one.line), one.where) << one.line;
}

TEST(ShellPlace, DepthIsBounded) {
  for (const char* open : {"(", "$(", "${x:-", "\"$("}) {
    std::string line;
    for (int i = 0; i < 100'000; ++i) line += open;
    EXPECT_NE(where(line + "@"), "") << open;
  }
}

std::string single_quoted(std::string_view text) {
  std::string out = "'";
  for (char c : text) c == '\'' ? out += "'\\''" : out += c;
  return out + "'";
}

std::string filled(const Template& line, std::string_view value) {
  std::string text;
  for (const TemplatePart& part : line.parts)
    text += part.expression ? single_quoted(value) : part.literal;
  return text;
}

constexpr const char* tokens[] = {
    "@",       "@",     "@",       "@",      "a",     " ",   " ",
    " ",       "\"",    "\"",      "'",      "'",     "`",   "$(",
    "$(",      ")",     ")",       "$((",    "))",    "(",   "((",
    "${x:-",   "${x#",  "}",       "\\",     "#",     " #",  "\n",
    "\n",      " <<E ", " <<'E' ", " <<-E ", "\nE\n", "; ",  "case a in a)",
    " esac\n", ";;",    "$",       "$x",     "| ",    "&& ", ": ",
    "x=",      "<",     "{ ",      "; }\n",  "1+1",   "$'",  "E",
};

// Values that do something wherever a shell reads them: they leave a file whose name is $M.
constexpr const char* hostile[] = {
    "$(: >$M)",      "`: >$M`",     "; : >$M; ",   "\"; : >$M; \"", "'; : >$M; '",
    "\n: >$M\n",     "); : >$M; (", "}; : >$M; ",  "\nE\n: >$M\n",  "\"$(: >$M)",
    "\\'; : >$M; '", "a[$(: >$M)]", "\\\n: >$M\n",
};

std::string random_line(Random& dice) {
  std::string text;
  for (uint64_t n = dice.between(3, 16); n > 0; --n) text += tokens[dice.below(std::size(tokens))];
  return text;
}

// The lines in which a real shell reads some hostile value.
std::set<std::string> taken_by_a_shell(const std::vector<std::string>& lines) {
  namespace fs = std::filesystem;
  std::string folder = testing::TempDir() + "pawl-shell-" + std::to_string(::getpid());
  fs::create_directories(folder);
  std::ofstream script(folder + "/script");
  script << "cd " << single_quoted(folder) << "\nPATH=/nowhere\n";
  for (size_t i = 0; i < lines.size(); ++i) {
    for (std::string shell : {"/bin/sh", "/bin/bash --posix"}) {
      if (!fs::exists(shell.substr(0, shell.find(' ')))) continue;
      for (const char* value : hostile)
        script << "M=taken-" << i << " " << shell << " -c "
               << single_quoted(filled(line_of(lines[i]), value))
               << " </dev/null >/dev/null 2>&1\n";
    }
  }
  script << ": >all\n";
  script.close();
  EXPECT_NE(std::system(("/bin/sh " + single_quoted(folder + "/script")).c_str()), -1);
  EXPECT_TRUE(fs::exists(folder + "/all"));
  std::set<std::string> taken;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::string name = entry.path().filename();
    if (name.starts_with("taken-")) taken.insert(lines[std::stoul(name.substr(6))]);
  }
  fs::remove_all(folder);
  return taken;
}

constexpr uint64_t test_seed = 14;
constexpr size_t test_lines = 60;

TEST(ShellPlace, NoValueIsReadByAShell) {
  Random dice(test_seed);
  std::vector<std::string> lines;
  while (lines.size() < test_lines) {
    std::string text = random_line(dice);
    if (text.find('@') != std::string::npos && where(text).empty()) lines.push_back(text);
  }
  EXPECT_EQ(taken_by_a_shell(lines), std::set<std::string>());
}

TEST(ShellPlace, AShellWouldReadWhatIsRefused) {
  std::vector<std::string> lines = {"echo \"@\"",       "echo '@'",    "echo `echo @`",
                                    ": $((@))",         "#@",          ": \\@",
                                    "echo ${x:-\"@\"}", ": <<E\n@\nE", ": <<'E'\n@\nE\n"};
  EXPECT_EQ(taken_by_a_shell(lines), std::set<std::string>(lines.begin(), lines.end()));
}

}  // namespace
}  // namespace pawl
