#include "pawl/partition/request.h"

#include <charconv>

namespace pawl {
namespace {

template <class T>
bool number_from(std::string_view text, T& number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string to_text(const HistoryPlace& place) {
  return std::to_string(place.position) + "-" + std::to_string(place.index);
}

bool from_text(std::string_view text, HistoryPlace& place) {
  size_t dash = text.find('-');
  return dash != std::string_view::npos && number_from(text.substr(0, dash), place.position) &&
         number_from(text.substr(dash + 1), place.index);
}

}  // namespace pawl
