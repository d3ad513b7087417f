// Defects in what is decided and kept: timers, retries, payloads, values.

#include <algorithm>
#include <map>

#include "pawl/sim/museum.h"
#include "pawl/sim/wrappers.h"
#include "pawl/wire/event_codec.h"

namespace pawl::sim {
namespace {

// Changes what the engine hands to its log.
template <class Owner>
class RewritingAppends final : public WrappedLog {
 public:
  RewritingAppends(Log& log, Owner& owner) : WrappedLog(log), owner_(owner) {}
  void append(uint64_t position, Bytes group, AppendMode mode) override {
    auto decoded = decode_group(position, 0, group);
    if (decoded.ok()) {
      owner_.change(*decoded);
      group = encode(*decoded);
    }
    real.append(position, std::move(group), mode);
  }

 private:
  Owner& owner_;
};

// A timer is set anew when the wall clock jumps, beside the one that is armed already.
struct DoubleFireAfterClockJump final : Seams {
  class WatchedClock final : public Clock {
   public:
    WatchedClock(Clock& real, DoubleFireAfterClockJump& owner) : real_(real), owner_(owner) {}
    Instant monotonic() override { return real_.monotonic(); }
    WallTime wall() override {
      WallTime wall = real_.wall();
      int64_t apart = wall.ns - real_.monotonic().ns;
      owner_.jumped_ |= apart_ != 0 && apart != apart_;
      apart_ = apart;
      return wall;
    }

   private:
    Clock& real_;
    DoubleFireAfterClockJump& owner_;
    int64_t apart_ = 0;
  };
  Clock& clock(Clock& real) override {
    return *(clock_ = std::make_unique<WatchedClock>(real, *this));
  }
  Log& log_above_listener(Log& real) override {
    return *(log_ = std::make_unique<RewritingAppends<DoubleFireAfterClockJump>>(real, *this));
  }
  void change(Group& group) {
    auto fired = std::find_if(group.events.begin(), group.events.end(), [](const Event& event) {
      return std::holds_alternative<RetryReleased>(event);
    });
    if (!jumped_ || fired == group.events.end()) return;
    jumped_ = false;
    group.events.insert(fired, Event(*fired));
  }
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<Log> log_;
  bool jumped_ = false;
};

// What failed is tried again at once.
struct RetryStorm final : Seams {
  Log& log_above_listener(Log& real) override {
    return *(log_ = std::make_unique<RewritingAppends<RetryStorm>>(real, *this));
  }
  void change(Group& group) {
    for (Event& event : group.events) {
      auto* failed = std::get_if<AttemptFailed>(&event);
      if (failed != nullptr && failed->disposition == Disposition::retry)
        failed->retry_at = group.now;
    }
  }
  std::unique_ptr<Log> log_;
};

// A checkpoint without the request ids.
struct DedupeNotInSnapshot final : Seams {
  class ForgettingView final : public WrappedView {
   public:
    using WrappedView::WrappedView;
    void submit(ViewBatch batch) override {
      std::erase_if(batch.puts, [](const auto& put) { return put.first.starts_with('r'); });
      real.submit(std::move(batch));
    }
  };
  View& view(View& real) override { return *(view_ = std::make_unique<ForgettingView>(real)); }
  std::unique_ptr<View> view_;
};

class WrappedBlob : public Blob {
 public:
  explicit WrappedBlob(Blob& blob) : real(blob) {}
  Status put(const BlobRef& ref, ByteView bytes) override { return real.put(ref, bytes); }
  Result<Bytes> get(const BlobRef& ref) override { return real.get(ref); }
  Result<Bytes> part(const BlobRef& ref, uint64_t offset, uint64_t size) override {
    return real.part(ref, offset, size);
  }
  Status adopt(const BlobRef& from, const BlobRef& to) override { return real.adopt(from, to); }
  Status drop(const BlobRef& ref) override { return real.drop(ref); }
  Result<std::vector<ExecutionId>> owners() override { return real.owners(); }
  Status drop_owner(ExecutionId owner) override { return real.drop_owner(owner); }

 protected:
  Blob& real;
};

// A payload is stored behind the event that refers to it: until then it is in memory only.
struct BlobAfterEvent final : Seams {
  class LazyBlob final : public WrappedBlob {
   public:
    using WrappedBlob::WrappedBlob;
    Status put(const BlobRef& ref, ByteView bytes) override {
      if (waiting_) (void)real.put(waiting_->first, waiting_->second);
      waiting_ = {ref, Bytes(bytes)};
      return {};
    }
    Result<Bytes> get(const BlobRef& ref) override {
      if (waiting_ && waiting_->first == ref) return waiting_->second;
      return real.get(ref);
    }
    void stopped() { waiting_.reset(); }

   private:
    std::optional<std::pair<BlobRef, Bytes>> waiting_;
  };
  Blob& blob(Blob& real) override { return *(blob_ = std::make_unique<LazyBlob>(real)); }
  void stopped(SimDisk&, MapView&) override { blob_->stopped(); }
  std::unique_ptr<LazyBlob> blob_;
};

// Whatever the disk gives is handed on.
struct BlobUnchecked final : Seams {
  class TrustingBlob final : public WrappedBlob {
   public:
    using WrappedBlob::WrappedBlob;
    Result<Bytes> get(const BlobRef& ref) override {
      Result<Bytes> got = real.get(ref);
      if (got.ok() || got.error().code != Code::data_loss) return got;
      return "\"" + Bytes(ref.size - 2, '?') + "\"";
    }
  };
  Blob& blob(Blob& real) override { return *(blob_ = std::make_unique<TrustingBlob>(real)); }
  std::unique_ptr<Blob> blob_;
};

// A sweep that believes what is durable only: to it, an execution that is being submitted is nobody.
struct SweepRacesWithSubmit final : Seams {
  class HastyBlob final : public WrappedBlob {
   public:
    using WrappedBlob::WrappedBlob;
    Status adopt(const BlobRef& from, const BlobRef& to) override {
      Status adopted = real.adopt(from, to);
      return adopted.ok() && ++adopted_ % 2 == 0 ? real.drop_owner(to.owner) : adopted;
    }

   private:
    uint64_t adopted_ = 0;
  };
  Blob& blob(Blob& real) override { return *(blob_ = std::make_unique<HastyBlob>(real)); }
  std::unique_ptr<Blob> blob_;
};

// Payloads go when the forgetting is on its way to the log.
struct DropBeforeDurable final : Seams {
  Blob& blob(Blob& real) override { return *(blob_ = &real); }
  Log& log_above_listener(Log& real) override {
    return *(log_ = std::make_unique<RewritingAppends<DropBeforeDurable>>(real, *this));
  }
  void change(Group& group) {
    for (const Event& event : group.events)
      if (const auto* forgotten = std::get_if<ExecutionForgotten>(&event))
        (void)blob_->drop_owner(forgotten->execution);
  }
  Blob* blob_ = nullptr;
  std::unique_ptr<Log> log_;
};

// Whatever is dropped stays.
struct PayloadsLeak final : Seams {
  class HoardingBlob final : public WrappedBlob {
   public:
    using WrappedBlob::WrappedBlob;
    Status drop_owner(ExecutionId) override { return {}; }
  };
  Blob& blob(Blob& real) override { return *(blob_ = std::make_unique<HoardingBlob>(real)); }
  std::unique_ptr<Blob> blob_;
};

// What programs wrote goes with a forgetting; what comes later is nobody's.
struct OutputsNotSwept final : Seams {
  class Unlisted final : public Belongings {
   public:
    explicit Unlisted(Belongings& outputs) : real(outputs) {}
    Result<std::vector<ExecutionId>> owners() override { return std::vector<ExecutionId>(); }
    Status drop_owner(ExecutionId owner) override { return real.drop_owner(owner); }
    Belongings& real;
  };
  Belongings& outputs(Belongings& real) override {
    return *(outputs_ = std::make_unique<Unlisted>(real));
  }
  std::unique_ptr<Belongings> outputs_;
};

// The outputs of a mapped node stand in another order than its items.
struct FanInOutOfOrder final : Seams {
  static std::shared_ptr<const ItemOutputs> reversed(const ItemOutputs& outputs) {
    auto other = std::make_shared<ItemOutputs>(outputs.count());
    for (ItemIndex i = 0; i < outputs.count(); ++i)
      other->set(i, outputs.get(outputs.count() - 1 - i));
    return other;
  }
  bool message(Message& message) override {
    auto* grants = std::get_if<Grants>(&message.body);
    if (grants == nullptr) return true;
    for (Grant& grant : grants->grants) {
      auto context = std::make_shared<RunContext>(*grant.context);
      for (NodeOutput& output : context->outputs)
        if (output.mapped) output.mapped = reversed(*output.mapped);
      grant.context = std::move(context);
    }
    return true;
  }
};

// A worker that is gone keeps what it held.
struct LeaseNeverExpires final : Seams {
  bool message(Message& message) override {
    if (auto* hello = std::get_if<Hello>(&message.body)) hello->worker.lease = Duration::forever();
    return true;
  }
};

// While the disk is full nobody gets an answer, not even whoever only reads.
struct FullDiskBlocksReads final : Seams {
  Log& log_above_listener(Log& real) override { return *(log_ = &real); }
  bool request(Request& request) override {
    return !std::holds_alternative<Query>(request.what) || log_->space() == DiskSpace::plenty;
  }
  Log* log_ = nullptr;
};

template <class Defect>
std::unique_ptr<Seams> make() {
  return std::make_unique<Defect>();
}

}  // namespace

std::vector<Exhibit> content_exhibits() {
  return {
      {"double_fire_after_clock_jump", "cron and its heirs: a clock set back runs a job twice",
       "faults wall_jump\nfail_permille 500", make<DoubleFireAfterClockJump>},
      {"retry_storm", "AWS 2025: retries without a pause keep a service down",
       "faults none\n"
       "fail_permille 500",
       make<RetryStorm>},
      {"dedupe_not_in_snapshot", "request ids that a snapshot leaves out",
       "faults engine_crash\ncheckpoint_log_bytes 1000", make<DedupeNotInSnapshot>},
      {"blob_after_event", "a claim check handed out before the luggage is in",
       "faults engine_crash\nlarge_output_permille 400", make<BlobAfterEvent>},
      {"blob_unchecked", "NATS #7549 and others: what a bit flip left is served",
       "faults blob_damaged blob_write_lost", make<BlobUnchecked>},
      {"sweep_races_with_submit", "garbage collectors that miss a reference while it is being made",
       "faults none\nlarge_output_permille 400", make<SweepRacesWithSubmit>},
      {"drop_before_durable", "data deleted before the record that says so is safe",
       "faults none\nlarge_output_permille 400", make<DropBeforeDurable>},
      {"payloads_leak", "object stores that fill with what nobody refers to",
       "faults none\nlarge_output_permille 400\nforget_all 1", make<PayloadsLeak>},
      {"outputs_not_swept", "Airflow: the logs of runs that are deleted stay for ever",
       "faults engine_crash\nforget_all 1", make<OutputsNotSwept>},
      {"fan_in_out_of_order", "results gathered in the order in which they came", "faults none",
       make<FanInOutOfOrder>},
      {"lease_never_expires",
       "activities without a heartbeat timeout: the worker died, nobody noticed",
       "faults worker_crash\nembedded 0\nlongest_ms 20000", make<LeaseNeverExpires>},
      {"full_disk_blocks_reads", "Zeebe: with a full disk even queries fail", "faults disk_full",
       make<FullDiskBlocksReads>},
  };
}

}  // namespace pawl::sim
