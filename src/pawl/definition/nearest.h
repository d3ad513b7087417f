// The word that a misspelt one was probably meant to be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pawl {

// Optimal string alignment distance (insert, delete, replace, swap neighbours), ignoring case;
// stops counting above `limit` and gives limit + 1.
size_t edit_distance(std::string_view a, std::string_view b, size_t limit);

// The nearest candidate that differs in at most a third of the word's characters; else the first
// that begins with the word ("rate": "rate_permille") or contains it ("attempts": "max_attempts"); else empty.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

// `; did you mean "list"?`, or nothing.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates);

// The same, or `; known: list, count` where there is nothing near and little to choose from.
std::string hint(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace pawl
