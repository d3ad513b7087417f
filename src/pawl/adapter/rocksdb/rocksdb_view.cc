#include "pawl/adapter/rocksdb/rocksdb_view.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "pawl/adapter/rocksdb/generations.h"
#include "pawl/adapter/rocksdb/store.h"

namespace pawl {
namespace {

class EmptyCursor final : public ViewCursor {
 public:
  explicit EmptyCursor(Status status) : status_(std::move(status)) {}
  bool valid() const override { return false; }
  ByteView key() const override { return {}; }
  ByteView value() const override { return {}; }
  void next() override {}
  Status status() const override { return status_; }

 private:
  Status status_;
};

}  // namespace

struct RocksdbView::Impl {
  Impl(const RocksdbViewOptions& wanted, Loop& waker, Telemetry& operators)
      : options(wanted), loop(waker), telemetry(operators), generations(wanted.directory) {}

  void run();                // the own thread
  void choose_generation();  // at the start of run(), if there is any
  Status carry_out(const ViewBatch& batch);
  Status ensure_store();
  Status seal();
  void wait_until_opened(std::unique_lock<std::mutex>& lock) {
    opened_or_submitted.wait(lock, [this] { return opened; });
  }

  const RocksdbViewOptions options;
  Loop& loop;
  Telemetry& telemetry;

  // Of the own thread (before it starts: of open()).
  Generations generations;
  std::vector<uint64_t> checkpoints;  // positions that count: at most two, ascending

  // Under the mutex. The store, once there, stays until the end.
  std::mutex mutex;
  std::condition_variable opened_or_submitted;
  bool opened = false;
  bool stopping = false;
  Status trouble;  // why opening failed
  std::unique_ptr<RocksdbStore> store;
  uint64_t position = 0;
  uint64_t trim_position = 0;
  std::optional<ViewBatch> work;
  std::optional<ViewBatch> failed;  // answered with an error
  bool in_flight = false;
  std::optional<Status> answer;

  std::thread thread;
};

void RocksdbView::Impl::run() {
  if (!generations.positions().empty()) choose_generation();
  std::unique_lock lock(mutex);
  opened = true;
  opened_or_submitted.notify_all();
  while (true) {
    opened_or_submitted.wait(lock, [this] { return work.has_value() || stopping; });
    if (!work) return;
    std::optional<ViewBatch> batch = std::exchange(work, std::nullopt);
    lock.unlock();
    Status done = carry_out(*batch);
    if (done.ok()) batch.reset();  // millions of rows: not while the engine waits for the lock
    lock.lock();
    failed = std::move(batch);
    trim_position = checkpoints.size() == 2 ? checkpoints.front() : 0;
    answer = std::move(done);
    in_flight = false;
    loop.wake();
  }
}

void RocksdbView::Impl::choose_generation() {
  std::vector<uint64_t> found = generations.positions();
  Status why;
  for (; !found.empty(); found.pop_back()) {
    const uint64_t candidate = found.back();
    why = generations.verify(candidate, ReadFrom::cache);
    if (why.ok()) why = generations.copy_to_live(candidate);
    if (why.ok()) {
      auto live = RocksdbStore::open(generations.live(), options);
      if (live.ok()) {
        std::lock_guard lock(mutex);
        store = std::move(*live);
        position = candidate;
        checkpoints = {candidate};
        if (found.size() > 1) checkpoints.insert(checkpoints.begin(), found[found.size() - 2]);
        trim_position = checkpoints.size() == 2 ? checkpoints.front() : 0;
        return;
      }
      why = std::move(live).error();
    }
    telemetry.count("view_generations_refused", 1);
    telemetry.warn("view_generation_refused",
                   "view: generation at position " + std::to_string(candidate) +
                       " is not usable, falling back: " + why.error().message);
  }
  telemetry.warn("view_lost",
                 "view: no generation is usable, starting empty: the whole log is needed");
  std::lock_guard lock(mutex);
  if (why.error().code != Code::data_loss) trouble = std::move(why);
}

Status RocksdbView::Impl::ensure_store() {
  if (!trouble.ok()) return trouble;
  if (store) return {};
  PAWL_TRY(generations.clear_live());
  PAWL_ASSIGN(auto fresh, RocksdbStore::open(generations.live(), options));
  std::lock_guard lock(mutex);
  store = std::move(fresh);
  return {};
}

Status RocksdbView::Impl::carry_out(const ViewBatch& batch) {
  PAWL_TRY(ensure_store());
  // At its own position it has been applied before, and only its seal failed.
  if (batch.position != store->position()) {
    PAWL_TRY(store->apply(batch));
    std::lock_guard lock(mutex);
    position = batch.position;
  }
  return batch.seal ? seal() : Status();
}

Status RocksdbView::Impl::seal() {
  const uint64_t sealed = store->position();
  if (sealed == 0 || (!checkpoints.empty() && checkpoints.back() == sealed)) return {};
  std::vector<uint64_t> keep;
  if (!checkpoints.empty()) keep.push_back(checkpoints.back());
  PAWL_TRY(generations.clear_making());
  PAWL_TRY(store->checkpoint(generations.making()));
  PAWL_TRY(generations.publish(sealed, keep));
  keep.push_back(sealed);
  checkpoints = std::move(keep);
  telemetry.count("view_seals", 1);
  return {};
}

RocksdbView::RocksdbView(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {
  impl_->thread = std::thread([this] { impl_->run(); });
}

RocksdbView::~RocksdbView() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    impl_->opened_or_submitted.notify_all();
  }
  impl_->thread.join();
}

Result<std::unique_ptr<RocksdbView>> RocksdbView::open(const RocksdbViewOptions& options,
                                                       Loop& loop, Telemetry& telemetry) {
  auto impl = std::make_unique<Impl>(options, loop, telemetry);
  PAWL_TRY(impl->generations.open());
  impl->opened = impl->generations.positions().empty();
  return std::unique_ptr<RocksdbView>(new RocksdbView(std::move(impl)));
}

uint64_t RocksdbView::position() const {
  std::unique_lock lock(impl_->mutex);
  impl_->wait_until_opened(lock);
  return impl_->position;
}

uint64_t RocksdbView::trim_position() const {
  std::unique_lock lock(impl_->mutex);
  impl_->wait_until_opened(lock);
  return impl_->trim_position;
}

void RocksdbView::submit(ViewBatch batch) {
  std::unique_lock lock(impl_->mutex);
  impl_->wait_until_opened(lock);
  PAWL_CHECK(!impl_->in_flight && !impl_->answer, "a view batch while another is in flight");
  PAWL_CHECK(batch.may_follow(impl_->position), "view positions must ascend");
  impl_->work = std::move(batch);
  impl_->failed.reset();
  impl_->in_flight = true;
  impl_->opened_or_submitted.notify_all();
}

void RocksdbView::submit_again() {
  std::unique_lock lock(impl_->mutex);
  PAWL_CHECK(impl_->failed && !impl_->in_flight && !impl_->answer,
             "only a batch that has failed is tried again");
  impl_->work = std::exchange(impl_->failed, std::nullopt);
  impl_->in_flight = true;
  impl_->opened_or_submitted.notify_all();
}

std::optional<Status> RocksdbView::poll() {
  std::lock_guard lock(impl_->mutex);
  std::optional<Status> answer = std::move(impl_->answer);
  impl_->answer.reset();
  return answer;
}

Result<std::optional<Bytes>> RocksdbView::get(ByteView key) {
  std::unique_lock lock(impl_->mutex);
  impl_->wait_until_opened(lock);
  if (!impl_->trouble.ok()) return impl_->trouble.error();
  const RocksdbStore* store = impl_->store.get();
  lock.unlock();
  if (store == nullptr) return std::optional<Bytes>();
  return store->get(key);
}

std::unique_ptr<ViewCursor> RocksdbView::scan(ByteView from, ByteView to) {
  std::unique_lock lock(impl_->mutex);
  impl_->wait_until_opened(lock);
  const RocksdbStore* store = impl_->store.get();
  Status trouble = impl_->trouble;
  lock.unlock();
  if (store == nullptr) return std::make_unique<EmptyCursor>(std::move(trouble));
  return store->scan(from, to);
}

Result<std::vector<GenerationReport>> verify_generations(const std::string& directory) {
  Generations generations(directory);
  PAWL_TRY(generations.look());
  std::vector<GenerationReport> reports;
  for (uint64_t position : generations.positions()) {
    reports.push_back({position, generations.verify(position, ReadFrom::medium)});
  }
  return reports;
}

}  // namespace pawl
