#include "pawl/testing/memory_blob.h"

namespace pawl {
namespace {

std::string label(const BlobRef& ref) {
  return "blob " + std::to_string(ref.owner.value) + "/" + std::to_string(ref.sequence);
}

}  // namespace

Status MemoryBlob::put(const BlobRef& ref, ByteView bytes) {
  if (bytes.size() != ref.size || hash128(bytes) != ref.hash) {
    return Error{Code::invalid_argument,
                 label(ref) + ": the content is not what the reference says"};
  }
  std::lock_guard lock(mutex_);
  blobs_[{ref.owner, ref.sequence}] = Bytes(bytes);
  return {};
}

Result<Bytes> MemoryBlob::get(const BlobRef& ref) {
  std::lock_guard lock(mutex_);
  auto found = blobs_.find({ref.owner, ref.sequence});
  if (found == blobs_.end()) return Error{Code::not_found, label(ref) + " does not exist"};
  if (found->second.size() != ref.size || hash128(found->second) != ref.hash) {
    return Error{Code::data_loss, label(ref) + " holds other bytes than were put"};
  }
  return found->second;
}

Result<Bytes> MemoryBlob::part(const BlobRef& ref, uint64_t offset, uint64_t size) {
  std::lock_guard lock(mutex_);
  auto found = blobs_.find({ref.owner, ref.sequence});
  if (found == blobs_.end()) return Error{Code::not_found, label(ref) + " does not exist"};
  if (offset > found->second.size() || size > found->second.size() - offset) {
    return Error{Code::out_of_range, label(ref) + ": the part reaches past its end"};
  }
  return found->second.substr(offset, size);
}

Status MemoryBlob::adopt(const BlobRef& from, const BlobRef& to) {
  std::lock_guard lock(mutex_);
  auto found = blobs_.extract({from.owner, from.sequence});
  if (found.empty()) return Error{Code::not_found, label(from) + " does not exist"};
  blobs_[{to.owner, to.sequence}] = std::move(found.mapped());
  return {};
}

Status MemoryBlob::drop(const BlobRef& ref) {
  std::lock_guard lock(mutex_);
  blobs_.erase({ref.owner, ref.sequence});
  return {};
}

Result<std::vector<ExecutionId>> MemoryBlob::owners() {
  std::lock_guard lock(mutex_);
  std::vector<ExecutionId> owners;
  for (const auto& [key, bytes] : blobs_) {
    if (owners.empty() || owners.back() != key.first) owners.push_back(key.first);
  }
  return owners;
}

Status MemoryBlob::drop_owner(ExecutionId owner) {
  std::lock_guard lock(mutex_);
  blobs_.erase(blobs_.lower_bound({owner, 0}), blobs_.upper_bound({owner, UINT64_MAX}));
  return {};
}

void MemoryBlob::corrupt(const BlobRef& ref) {
  std::lock_guard lock(mutex_);
  auto found = blobs_.find({ref.owner, ref.sequence});
  if (found == blobs_.end() || found->second.empty()) return;
  found->second[found->second.size() / 2] ^= 1;
}

uint64_t MemoryBlob::count() const {
  std::lock_guard lock(mutex_);
  return blobs_.size();
}

}  // namespace pawl
