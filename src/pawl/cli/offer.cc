// What a worker offers, from its command line.

#include "pawl/cli/offer.h"

#include <algorithm>

#include "pawl/cli/style.h"
#include "pawl/definition/quantity.h"
#include "pawl/model/placement.h"
#include "pawl/model/word.h"

namespace pawl::cli {
namespace {

Error usage(const std::string& option, const std::string& what) {
  return {Code::invalid_argument, "--" + option + ": " + what};
}

Result<Label> pair_of(const std::string& option, const std::string& text) {
  size_t at = text.find('=');
  if (at == std::string::npos || at == 0 || at + 1 == text.size())
    return usage(option, "\"" + text + "\" is not NAME=VALUE");
  return Label{text.substr(0, at), text.substr(at + 1)};
}

Result<uint64_t> amount_of(const Label& pair) {
  if (pair.name == "memory") return parse_size(pair.value);
  if (pair.name == "cpu") {
    PAWL_ASSIGN(uint32_t permille, parse_permille(pair.value, 1'000'000'000));
    return uint64_t{permille};
  }
  if (pair.value.size() > 15 || pair.value.find_first_not_of("0123456789") != std::string::npos)
    return Error{Code::invalid_argument, "\"" + pair.value + "\" is not a whole number"};
  return static_cast<uint64_t>(std::stoull(pair.value));
}

// What no workflow can name would wait for ever.
Status check_names(const WorkerSpec& offer) {
  for (const std::string& queue : offer.queues) {
    if (!is_queue_name(queue))
      return usage("queue", std::string(queue_name_rule) + ", not \"" + tame(queue) + "\"");
  }
  auto too_long = [](const std::string& text) { return text.size() > placement_name_max; };
  const std::string most = "at most " + std::to_string(placement_name_max) + " bytes";
  for (const Label& label : offer.labels) {
    if (label.name == "zone" || label.name == "worker")
      return usage("label", label.name + " is what --" +
                                (label.name == "zone" ? label.name : std::string("name")) +
                                " says; call the label otherwise");
    if (too_long(label.name) || too_long(label.value))
      return usage("label", "a name and a value have " + most);
  }
  if (too_long(offer.zone)) return usage("zone", most);
  return {};
}

Status read_capacity(const Arguments& given, WorkerSpec& offer) {
  for (const std::string& text : given.values("capacity")) {
    PAWL_ASSIGN(Label pair, pair_of("capacity", text));
    auto amount = amount_of(pair);
    if (!amount.ok()) return usage("capacity", pair.name + ": " + amount.error().message);
    std::erase_if(offer.capacity, [&](const Amount& one) { return one.name == pair.name; });
    offer.capacity.push_back({pair.name, *amount});
  }
  std::sort(offer.capacity.begin(), offer.capacity.end(),
            [](const Amount& a, const Amount& b) { return a.name < b.name; });
  return check_amounts(offer.capacity, "--capacity");
}

}  // namespace

Status read_offer(const Arguments& given, WorkerSpec& offer) {
  PAWL_TRY(read_capacity(given, offer));
  offer.queues = given.values("queue");
  std::sort(offer.queues.begin(), offer.queues.end());
  offer.queues.erase(std::unique(offer.queues.begin(), offer.queues.end()), offer.queues.end());
  for (const std::string& text : given.values("label")) {
    PAWL_ASSIGN(Label label, pair_of("label", text));
    offer.labels.push_back(std::move(label));
  }
  std::sort(offer.labels.begin(), offer.labels.end());
  offer.labels.erase(std::unique(offer.labels.begin(), offer.labels.end()), offer.labels.end());
  offer.labels.erase(std::unique(offer.labels.begin(), offer.labels.end()), offer.labels.end());
  offer.zone = given.value("zone").value_or("");
  PAWL_TRY(check_names(offer));
  PAWL_ASSIGN(uint64_t weight, number_of(given, "weight", 1, 1));
  if (weight > worker_weight_max)
    return usage("weight", "at most " + std::to_string(worker_weight_max));
  offer.weight = static_cast<uint32_t>(weight);
  PAWL_ASSIGN(offer.price, number_of(given, "price", 0, 0));
  return {};
}

}  // namespace pawl::cli
