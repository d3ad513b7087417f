// Definitions made ready for submission, and the ones lately used: by their text, and by the names
// of registered workflows.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "pawl/base/hash.h"
#include "pawl/model/workflow.h"

namespace pawl {

struct Prepared {
  Hash128 source;  // of text, file name, directory and namespace
  std::string name_space;
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

// The newest of each name: "nightly" and "nightly@1.2". At most `entries_max`, then it begins anew.
class NamedCache {
 public:
  static constexpr size_t entries_max = 1024;

  std::shared_ptr<Prepared> find(const std::string& name_space, const std::string& name) const;
  void add(const std::string& name_space, const std::string& name,
           std::shared_ptr<Prepared> prepared);
  // A workflow has been registered: it is the newest of its names, if its id says so.
  void registered(const std::shared_ptr<Prepared>& prepared);

 private:
  using Key = std::pair<std::string, std::string>;  // namespace, name
  std::map<Key, std::shared_ptr<Prepared>> entries_;
};

}  // namespace pawl
