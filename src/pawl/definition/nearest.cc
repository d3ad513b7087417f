#include "pawl/definition/nearest.h"

#include <algorithm>

namespace pawl {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

size_t edit_distance(std::string_view a, std::string_view b, size_t limit) {
  size_t gap = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (gap > limit) return limit + 1;
  std::vector<size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i;
    size_t best = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1]))
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      best = std::min(best, row[j]);
    }
    if (best > limit) return limit + 1;
  }
  return std::min(row[b.size()], limit + 1);
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  if (word.size() > 128) return {};
  size_t limit = std::max<size_t>(1, word.size() / 3);
  std::string_view best;
  for (std::string_view candidate : candidates) {
    size_t distance = edit_distance(word, candidate, limit);
    if (distance > limit || distance >= std::max(word.size(), candidate.size())) continue;
    best = candidate;
    if (distance == 0) break;
    limit = distance - 1;
  }
  if (!best.empty() || word.size() < 3) return best;
  for (std::string_view candidate : candidates)
    if (candidate.starts_with(word)) return candidate;
  for (std::string_view candidate : candidates)
    if (candidate.find(word) != std::string_view::npos) return candidate;
  return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates) {
  std::string_view best = nearest(word, candidates);
  return best.empty() ? "" : "; did you mean \"" + std::string(best) + "\"?";
}

std::string hint(std::string_view word, const std::vector<std::string_view>& candidates) {
  constexpr size_t listed_max = 20;
  std::string text = did_you_mean(word, candidates);
  if (!text.empty() || candidates.empty() || candidates.size() > listed_max) return text;
  for (std::string_view candidate : candidates)
    text.append(text.empty() ? "; known: " : ", ").append(candidate);
  return text;
}

}  // namespace pawl
