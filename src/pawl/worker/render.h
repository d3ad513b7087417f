// Templates to text, once the values of their expressions are known.
//
//   Values values{{".input.name", "\"it's\""}};         // expression text -> JSON text
//   render_shell("echo ${ .input.name }", values)    -> echo 'it'\''s'
//
// How a value is written:
//
//                    shell line            argument, text     JSON
//   string           quoted raw text       raw text           as JSON
//   null             ''                    nothing            as JSON
//   number, boolean  quoted                its JSON           as JSON
//   object           quoted compact JSON   compact JSON       as JSON
//   list             its elements, each    compact JSON       as JSON
//                    quoted, with a space
//                    between (an empty
//                    list: nothing)
//
// In a shell line every value is in single quotes, so no input reaches the shell as anything but
// data; definitions hold expressions outside of the author's own quotes (definition/shell_place.h). A
// value in a word (`a${ .b }c`) joins that word; a list joins it with its first and last element, and
// is an error in `x=${ .b }` where it has more than one, because the others would be a command. An
// argument template that is one expression alone and gives a list becomes as many arguments as the
// list has elements (none for an empty one), each written as above; a list inside an element stays
// JSON. NUL bytes cannot be handed to a program: they are an error in everything but JSON.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "pawl/base/result.h"
#include "pawl/model/expression.h"

namespace pawl {

using Values = std::map<std::string, std::string, std::less<>>;

// JSON text -> as it stands in a text: strings raw, null empty, all else compact JSON.
std::string plain_text(std::string_view json);
// One word for sh: in single quotes.
std::string shell_quoted(std::string_view text);

Result<std::string> render_shell(const Template& line, const Values& values);
Result<std::vector<std::string>> render_argument(const Template& argument, const Values& values);
Result<std::string> render_text(const Template& text, const Values& values);
std::string render_json(const Template& json, const Values& values);

}  // namespace pawl
