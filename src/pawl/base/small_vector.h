// A vector that keeps one element inside itself: most nodes have one task, most tasks one open
// attempt, and those then need no memory of their own.
//
//   SmallVector<OpenRange> open;
//   open.insert(open.end(), range);     // no allocation
//   open.insert(open.end(), another);   // both move to the heap, and stay there
//
// Pointers and iterators are valid until the next insert, erase or resize. Neither copied nor moved.
// One thread at a time. Sizes up to 2^32 - 1.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "pawl/base/check.h"

namespace pawl {

template <class T>
class SmallVector {
 public:
  SmallVector() {}
  ~SmallVector() {
    std::destroy(begin(), end());
    if (!inside()) std::allocator<T>().deallocate(data_, capacity_);
  }
  SmallVector(const SmallVector&) = delete;
  SmallVector& operator=(const SmallVector&) = delete;

  uint32_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  T& operator[](size_t index) { return data_[index]; }
  const T& operator[](size_t index) const { return data_[index]; }
  T& at(size_t index) {
    PAWL_CHECK(index < size_, "an element that does not exist");
    return data_[index];
  }
  T& front() { return data_[0]; }
  const T& front() const { return data_[0]; }

  void insert(const T* before, T value) {
    size_t at = static_cast<size_t>(before - data_);
    if (size_ == capacity_) reserve(2 * size_t{capacity_});
    if (at == size_) {
      std::construct_at(end(), std::move(value));
    } else {
      std::construct_at(end(), std::move(data_[size_ - 1]));
      std::move_backward(data_ + at, end() - 1, end());
      data_[at] = std::move(value);
    }
    ++size_;
  }

  void erase(const T* first, const T* last) {
    if (first == last) return;
    T* rest = std::move(data_ + (last - data_), end(), data_ + (first - data_));
    std::destroy(rest, end());
    size_ = static_cast<uint32_t>(rest - data_);
  }
  void erase(const T* one) { erase(one, one + 1); }

  // New elements are T().
  void resize(size_t size) {
    if (size > capacity_) reserve(size);
    while (size_ < size) std::construct_at(data_ + size_++);
    erase(data_ + size, end());
  }

 private:
  bool inside() const { return data_ == &one_; }
  void reserve(size_t capacity) {
    PAWL_CHECK(capacity <= UINT32_MAX, "a vector of more than 2^32 - 1 elements");
    T* data = std::allocator<T>().allocate(capacity);
    std::uninitialized_move(begin(), end(), data);
    std::destroy(begin(), end());
    if (!inside()) std::allocator<T>().deallocate(data_, capacity_);
    data_ = data;
    capacity_ = static_cast<uint32_t>(capacity);
  }

  T* data_ = &one_;
  uint32_t size_ = 0;
  uint32_t capacity_ = 1;
  union {
    T one_;  // alive when size_ is 1 and nothing was ever moved to the heap
  };
};

}  // namespace pawl
