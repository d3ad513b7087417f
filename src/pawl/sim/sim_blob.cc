#include "pawl/sim/sim_blob.h"

#include <algorithm>

namespace pawl::sim {
namespace {

constexpr uint64_t capacity = 256ULL << 20;

std::string text(const BlobRef& ref) {
  return "blob " + std::to_string(ref.owner.value) + "/" + std::to_string(ref.sequence);
}

}  // namespace

Status SimBlob::put(const BlobRef& ref, ByteView bytes) {
  auto known = acknowledged_.find({ref.owner, ref.sequence});
  if (known != acknowledged_.end() && known->second != ref)
    universe_.violate("I2", text(ref) + " is overwritten with other content");
  Status done = files_.put(ref, bytes);
  universe_.note("blob put", ref.owner.value, ref.sequence, done.ok());
  if (done.ok()) {
    acknowledged_[{ref.owner, ref.sequence}] = ref;
    dropped_.erase({ref.owner, ref.sequence});
  } else {
    universe_.reached(Sometimes::blob_write_failed);
    if (!spoiled_ && !disk_.crashed())
      universe_.violate("I14", text(ref) + " cannot be put: " + done.error().message);
  }
  return done;
}

Result<Bytes> SimBlob::get(const BlobRef& ref) {
  Result<Bytes> got = files_.get(ref);
  universe_.note("blob get", ref.owner.value, ref.sequence, got.ok());
  if (!got.ok()) {
    judge_error(ref, got.error());
  } else if (got->size() != ref.size || hash128(*got) != ref.hash) {
    universe_.violate("I18", text(ref) + " was read with bytes that fail their checksum");
  } else {
    universe_.reached(Sometimes::blob_read);
  }
  return got;
}

Result<Bytes> SimBlob::part(const BlobRef& ref, uint64_t offset, uint64_t size) {
  return files_.part(ref, offset, size);
}

Status SimBlob::adopt(const BlobRef& from, const BlobRef& to) {
  Status done = files_.adopt(from, to);
  if (!done.ok()) return done;
  acknowledged_.erase({from.owner, from.sequence});
  acknowledged_[{to.owner, to.sequence}] = to;
  dropped_.erase({to.owner, to.sequence});
  return done;
}

bool SimBlob::referred_to(const BlobRef& ref) const {
  const ExecutionModel* known = log_.find(ref.owner);
  return known != nullptr && std::any_of(known->payloads.begin(), known->payloads.end(),
                                         [&](const BlobRef& one) { return one == ref; });
}

void SimBlob::judge_drop(const BlobRef& ref) {
  if (referred_to(ref))
    universe_.violate("I18", text(ref) + " is removed, and the log refers to it");
}

Status SimBlob::drop(const BlobRef& ref) {
  judge_drop(ref);
  acknowledged_.erase({ref.owner, ref.sequence});
  dropped_.insert({ref.owner, ref.sequence});
  return files_.drop(ref);
}

Status SimBlob::drop_owner(ExecutionId owner) {
  universe_.note("blob drop", owner.value);
  const ExecutionModel* known = log_.find(owner);
  if (known != nullptr && !known->forgotten())
    universe_.violate("I18",
                      "payloads of " + to_text(owner) + " are removed before it is forgotten");
  auto first = acknowledged_.lower_bound({owner, 0});
  auto last = acknowledged_.upper_bound({owner, UINT64_MAX});
  for (auto it = first; it != last; ++it) dropped_.insert(it->first);
  acknowledged_.erase(first, last);
  return files_.drop_owner(owner);
}

void SimBlob::judge_error(const BlobRef& ref, const Error& error) {
  if (disk_.crashed()) return;
  if (dropped_.contains({ref.owner, ref.sequence})) {
    if (referred_to(ref))
      universe_.violate("I18", text(ref) + " was removed, and the log refers to it");
    return;
  }
  if (!acknowledged_.contains({ref.owner, ref.sequence}))
    return universe_.violate("I1", text(ref) + " is referred to, and was never put");
  if (!spoiled_)
    return universe_.violate("I1", text(ref) + " was put, and cannot be read: " + error.message);
  universe_.reached(Sometimes::blob_damage_detected);
}

void SimBlob::check_payloads() {
  for (const auto& [id, execution] : log_.executions()) {
    for (const BlobRef& ref : execution.payloads) {
      Result<Bytes> got = files_.get(ref);
      if (!got.ok()) judge_error(ref, got.error());
    }
  }
}

std::optional<ExecutionId> SimBlob::left_behind() {
  auto kept = files_.owners();
  if (!kept.ok()) {
    universe_.violate("I14", "the blob store cannot be listed: " + kept.error().message);
    return std::nullopt;
  }
  for (ExecutionId owner : *kept) {
    const ExecutionModel* known = log_.find(owner);
    if (known == nullptr || known->forgotten()) return owner;
  }
  return std::nullopt;
}

bool SimBlob::keeps_forgotten() {
  auto kept = files_.owners();
  return kept.ok() && std::any_of(kept->begin(), kept->end(), [&](ExecutionId owner) {
           const ExecutionModel* known = log_.find(owner);
           return known != nullptr && known->forgotten();
         });
}

void SimBlob::restart() {
  if (disk_.crashed()) disk_.restart();
}

void SimBlob::fail_write(SimFault fault, uint64_t calls_from_now) {
  spoiled_ = true;
  disk_.plan(disk_.calls() + calls_from_now, fault);
}

void SimBlob::damage(Random& dice) {
  std::vector<std::string> files = disk_.files();
  if (files.empty()) return;
  const std::string& path = files[dice.below(files.size())];
  uint64_t size = disk_.file_size(path);
  if (size == 0) return;
  spoiled_ = true;
  switch (dice.below(4)) {
    case 0:
      return disk_.flip_bit(path, dice.below(size), static_cast<uint32_t>(dice.below(8)));
    case 1:
      return disk_.truncate(path, dice.below(size));
    case 2: {
      const std::string& other = files[dice.below(files.size())];
      return disk_.overwrite(path, 0, disk_.content(other, 0, std::min<uint64_t>(4096, size)));
    }
    default:
      return disk_.erase(path);
  }
}

void SimBlob::fill(bool full) {
  spoiled_ |= full;
  disk_.set_capacity(full ? 0 : capacity);
}

void SimBlob::heal() {
  disk_.calm();
  fill(false);
}

}  // namespace pawl::sim
