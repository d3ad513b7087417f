// Where an answer goes. A port never calls back into its caller: it puts a value, and the owner of
// the sink takes it out on its own turn. Every adapter says from which thread it puts; the mailbox
// behind a sink accepts any thread.
#pragma once

namespace pawl {

template <class T>
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void put(T value) = 0;
};

}  // namespace pawl
