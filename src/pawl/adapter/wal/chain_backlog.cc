#include "pawl/adapter/wal/chain_backlog.h"

#include <openssl/evp.h>

#include <cstring>

namespace pawl::wal {

namespace {

struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

}  // namespace

ChainPoint next_point(const ChainPoint& previous, uint64_t position, uint64_t epoch,
                      ByteView payload) {
  ByteWriter prefix;
  prefix.u64(previous.value.low);
  prefix.u64(previous.value.high);
  prefix.u64(position);
  prefix.u64(epoch);
  prefix.u64(payload.size());
  unsigned char digest[EVP_MAX_MD_SIZE];
  std::unique_ptr<EVP_MD_CTX, FreeDigest> context(EVP_MD_CTX_new());
  bool done = context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1 &&
              EVP_DigestUpdate(context.get(), prefix.view().data(), prefix.size()) == 1 &&
              EVP_DigestUpdate(context.get(), payload.data(), payload.size()) == 1 &&
              EVP_DigestFinal_ex(context.get(), digest, nullptr) == 1;
  PAWL_CHECK(done, "SHA-256 is not to be had from the crypto library");
  ChainPoint point;
  point.position = position;
  std::memcpy(&point.value.low, digest, sizeof point.value.low);
  std::memcpy(&point.value.high, digest + sizeof point.value.low, sizeof point.value.high);
  return point;
}

void ChainBacklog::unpark() {
  for (LinkRef& link : parked_) {
    bytes_ += link->payload.size();
    links_.push_back(std::move(link));
  }
  parked_.clear();
}

void ChainBacklog::add(ChainLink link) {
  added_ = link.at;
  parked_.push_back(std::make_shared<const ChainLink>(std::move(link)));
  if (std::unique_lock lock(mutex_, std::try_to_lock); lock) unpark();
  while (late()) advance();
}

void ChainBacklog::hand_over() {
  std::lock_guard lock(mutex_);
  unpark();
}

ChainPoint ChainBacklog::newest() {
  std::lock_guard lock(mutex_);
  return seen_ = point_;
}

ChainPoint ChainBacklog::glimpse() {
  if (std::unique_lock lock(mutex_, std::try_to_lock); lock) seen_ = point_;
  return seen_;
}

bool ChainBacklog::late() {
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || links_.empty()) return false;
  return bytes_ > limits_.bytes_max || added_ - links_.front()->at > limits_.lag_max;
}

uint64_t ChainBacklog::advance() {
  LinkRef link;  // outlives the lock: its memory is given back behind it
  std::unique_lock lock(mutex_);
  if (links_.empty()) return 0;
  link = links_.front();
  ChainPoint before = point_;
  lock.unlock();
  ChainPoint after = next_point(before, link->position, link->epoch, link->payload);
  lock.lock();
  // Unless somebody else was quicker.
  if (!links_.empty() && links_.front() == link) {
    point_ = after;
    bytes_ -= link->payload.size();
    links_.pop_front();
  }
  return header_bytes + link->payload.size();
}

}  // namespace pawl::wal
