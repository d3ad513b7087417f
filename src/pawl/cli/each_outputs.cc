#include "pawl/cli/each_outputs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "pawl/base/json.h"

namespace pawl::cli {
namespace {

constexpr ItemIndex page_items = 512;
// How far behind the first unfinished item completed ones are looked for.
constexpr ItemIndex window_items = 8192;
constexpr size_t lost_kept_max = 64;

bool settled(TaskStatus status) {
  return is_terminal(status) || status == TaskStatus::parked;
}

}  // namespace

EachOutputs::EachOutputs(Session& session, ExecutionId execution, std::string node, ItemIndex count,
                         OutputOrder order)
    : session_(session),
      execution_(execution),
      node_(std::move(node)),
      folder_(session.output_folder(execution)),
      order_(order),
      done_(count) {}

Status EachOutputs::print_new() {
  at_ = first_;
  while (at_ < done_.size()) {
    PAWL_ASSIGN(bool more, print_page());
    if (!more) break;
  }
  return {};
}

// Whether it is worth to look at the next page.
Result<bool> EachOutputs::print_page() {
  Client& client = session_.client();
  std::vector<Ticket> tickets;
  for (; at_ < done_.size() && tickets.size() < page_items; ++at_) {
    if (!done_[at_]) tickets.push_back(client.start(GetTask{execution_, node_, at_}));
  }
  bool all_done = true;
  std::optional<Error> error;
  for (Ticket ticket : tickets) {
    while (!client.done(ticket)) client.pump(Duration::milliseconds(100));
    Result<TaskDetail> task = client.take_as<TaskDetail>(ticket);
    if (!task.ok()) {
      error = task.error();
      continue;
    }
    if (!settled(task->status)) all_done = false;
    if (error || !settled(task->status) || (!all_done && order_ == OutputOrder::items)) continue;
    print(*task);
    note(*task);
    done_[task->task.item] = true;
    ++printed_;
  }
  if (error) return *error;
  while (first_ < done_.size() && done_[first_]) ++first_;
  return all_done || (order_ == OutputOrder::completion && at_ < first_ + window_items);
}

void EachOutputs::note(const TaskDetail& task) {
  bool cancelled = task.status == TaskStatus::cancelled;
  if ((cancelled || task.status == TaskStatus::failed) && lost_.size() < lost_kept_max)
    lost_.push_back({task.task.item, cancelled, task.cause.value_or(Cause{})});
}

void EachOutputs::print(const TaskDetail& task) {
  if (!print_file(task, "out", true) && task.output && !task.output->is_absent()) {
    Result<std::string> text = session_.client().text(*task.output);
    if (text.ok()) {
      std::string plain = json_unquote(*text);
      if (!plain.empty()) session_.console().out(plain + "\n");
    }
  }
  print_file(task, "err", false);
}

bool EachOutputs::print_file(const TaskDetail& task, const char* suffix, bool to_stdout) {
  // Made before the result that we have been told of.
  if (!any_files_) any_files_ = !folder_.empty() && access(folder_.c_str(), F_OK) == 0;
  if (!any_files_) return false;
  std::string path = folder_ + node_ + "/" + std::to_string(task.task.item) + "." +
                     std::to_string(task.attempts) + "." + suffix;
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char buffer[64 * 1024];
  for (ssize_t got = 0; (got = read(fd, buffer, sizeof buffer)) > 0;) {
    std::string_view text(buffer, static_cast<size_t>(got));
    to_stdout ? session_.console().out(text) : session_.console().err(text);
  }
  close(fd);
  return true;
}

}  // namespace pawl::cli
