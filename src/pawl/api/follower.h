// Follows an execution's history from a place on: page after page, each once, until its end.
//
//   Follower follower(ExecutionId{17}, from);
//   ask(follower.next());                                 // ReadHistory that waits
//   ... follower.take(history) -> each entry is behind the one before; over(): no more will come
//
// Pure; threading: compatible.
#pragma once

#include "pawl/partition/request.h"

namespace pawl {

class Follower {
 public:
  static constexpr uint32_t page = 256;  // events asked for at once

  explicit Follower(ReadHistory from) : query_(from) {
    query_.limit = page;
    query_.wait = true;
  }
  ReadHistory next() const { return query_; }
  // Goes on behind the last of them. An empty page is the end: there will be no other.
  void take(const History& history) {
    over_ = history.entries.empty();
    if (!over_) query_.after = history.entries.back().place();
  }
  bool over() const { return over_; }
  ExecutionId execution() const { return query_.execution; }

 private:
  ReadHistory query_;
  bool over_ = false;
};

}  // namespace pawl
