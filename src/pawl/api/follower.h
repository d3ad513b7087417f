// Follows an execution's history from a place on: page after page, each once, until its end.
//
//   Follower follower(ExecutionId{17}, from);
//   ask(follower.next());                                 // ReadHistory that waits
//   ... follower.take(history) -> each entry is behind the one before; over(): no more will come
//
//   ProgressFollower progress(from);                      // the same with what its tasks say
//   ask(progress.next());                                 // GetProgress: at once, with what there is
//   ... progress.take(list); each word of list.words is behind the one before; more(): there is more already
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
  HistoryPlace place() const { return query_.after; }

 private:
  ReadHistory query_;
  bool over_ = false;
};

class ProgressFollower {
 public:
  explicit ProgressFollower(const ReadHistory& from)
      : query_{from.execution, Follower::page, from.words_after.value_or(0)} {}
  GetProgress next() const { return query_; }
  void take(const ProgressList& list) {
    if (list.words_cursor) query_.words_after = list.words_cursor;
    more_ = list.words && list.words->size() >= query_.limit;
  }
  bool more() const { return more_; }
  uint64_t place() const { return query_.words_after.value_or(0); }

 private:
  GetProgress query_;
  bool more_ = false;
};

inline bool has_words(const ProgressList& list) {
  return list.words && !list.words->empty();
}

}  // namespace pawl
