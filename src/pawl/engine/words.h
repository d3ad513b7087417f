// What tasks have said about their progress, kept for those who watch: each word at a place of its own.
//
//   Words words;
//   words.start(epoch);
//   words.add(word, 3);                               // as they come; the third of its attempt
//   Words::Page page = words.read(execution, after, 256);
//   ... page.words; and again, behind page.cursor
//
// Places ascend, also over the lives of a partition: who comes back with one of an earlier life misses
// nothing of this one. Kept in memory alone, of executions that have ended too, until there are too many bytes: of an
// execution the oldest words go, of all of them those of the one that was silent longest. What is gone
// shows in the numbers of what is left (SaidWord::number). Threading: compatible.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "pawl/partition/request.h"

namespace pawl {

constexpr uint64_t words_bytes_max = 4 << 20;       // of one execution, estimated
constexpr uint64_t all_words_bytes_max = 64 << 20;  // of a partition's

class Words {
 public:
  explicit Words(uint64_t bytes_max = words_bytes_max, uint64_t all_bytes_max = all_words_bytes_max)
      : bytes_max_(bytes_max), all_bytes_max_(all_bytes_max) {}
  void start(uint64_t epoch);  // ascends over lives
  void add(AttemptProgress word, uint64_t number);

  struct Page {
    std::vector<SaidWord> words;  // in the order in which they came
    uint64_t cursor = 0;          // the place of the last; `after`, if there is none
  };
  Page read(ExecutionId execution, uint64_t after, uint32_t limit) const;
  uint64_t bytes() const { return bytes_; }  // estimated

 private:
  struct Kept {
    uint64_t place = 0;
    SaidWord said;
  };
  struct Said {
    std::deque<Kept> words;  // never empty
    uint64_t bytes = 0;
  };
  void drop_oldest(Said& said);

  const uint64_t bytes_max_;
  const uint64_t all_bytes_max_;
  uint64_t last_place_ = 0;
  uint64_t bytes_ = 0;
  std::map<ExecutionId, Said> said_;
  std::map<uint64_t, ExecutionId> by_newest_;  // by the place of each one's newest word
};

}  // namespace pawl
