// What several partitions answer to one question, as one answer.
//
//   Response whole = merge(std::move(answers), list.limit);   // answers by partition, one of each
//
// The first error is the answer. Otherwise counts are added; lists are put together in their order (`limit`
// entries at most); queues are matched by name, workers by name too, and of one name in the order in
// which they joined. Whatever cannot differ, or must be one, is the first partition's: a reply's number, a
// worker's session, how many workers there are.
#pragma once

#include <cstdint>
#include <vector>

#include "pawl/partition/request.h"

namespace pawl {

Response merge(std::vector<Response> answers, uint32_t limit);

// As merge() does it with the lists of two partitions: `part` is the later one.
void add(QueueList& sum, const QueueList& part);
void add(WorkerList& sum, const WorkerList& part);
void add(Figures& sum, const Figures& part);

}  // namespace pawl
