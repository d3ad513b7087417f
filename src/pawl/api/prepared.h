// A definition made ready for submission, and the ones lately used.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "pawl/base/hash.h"
#include "pawl/model/workflow.h"

namespace pawl {

struct Prepared {
  Hash128 source;  // of text, file name and directory
  Workflow workflow;
  Bytes encoded;  // until it is registered
  Hash128 hash;   // of `encoded`
  WorkflowId id;  // 0: not registered yet
};

// Newest first; at most `entries_max`.
class PreparedCache {
 public:
  static constexpr size_t entries_max = 64;

  std::shared_ptr<Prepared> find(const Hash128& source);
  void add(std::shared_ptr<Prepared> prepared);

 private:
  std::list<std::shared_ptr<Prepared>> entries_;
};

}  // namespace pawl
