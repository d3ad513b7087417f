#include "pawl/sim/server.h"

#include <algorithm>

#include "pawl/adapter/libjq/interpreter.h"
#include "pawl/engine/replay.h"
#include "pawl/partition/snapshot.h"
#include "pawl/sim/listening_log.h"
#include "pawl/sim/sim_background.h"
#include "pawl/testing/sim_evaluator.h"
#include "pawl/wire/event_codec.h"

namespace pawl::sim {
namespace {

constexpr uint64_t capacity = 256ULL << 20;
constexpr Hash128 log_id{7, 7};
constexpr uint64_t starts_max = 60;
constexpr Duration patience = Duration::seconds(10);

class SilentTelemetry final : public Telemetry {
 public:
  void count(std::string_view, uint64_t) override {}
  void gauge(std::string_view, int64_t) override {}
  void log(const LogLine&) override {}
};

// A blob store that stops with its machine.
class MachineBlob final : public Blob {
 public:
  MachineBlob(Blob& blob, const SimDisk& disk) : blob_(blob), disk_(disk) {}
  Status put(const BlobRef& ref, ByteView bytes) override {
    if (disk_.crashed()) return Error{Code::unavailable, "the simulated machine has stopped"};
    return blob_.put(ref, bytes);
  }
  Result<Bytes> get(const BlobRef& ref) override { return blob_.get(ref); }
  Result<Bytes> part(const BlobRef& ref, uint64_t offset, uint64_t size) override {
    return blob_.part(ref, offset, size);
  }
  Status adopt(const BlobRef& from, const BlobRef& to) override {
    if (disk_.crashed()) return Error{Code::unavailable, "the simulated machine has stopped"};
    return blob_.adopt(from, to);
  }
  Status drop(const BlobRef& ref) override {
    if (disk_.crashed()) return Error{Code::unavailable, "the simulated machine has stopped"};
    return blob_.drop(ref);
  }
  Result<std::vector<ExecutionId>> owners() override { return blob_.owners(); }
  Status drop_owner(ExecutionId owner) override {
    if (disk_.crashed()) return Error{Code::unavailable, "the simulated machine has stopped"};
    return blob_.drop_owner(owner);
  }

 private:
  Blob& blob_;
  const SimDisk& disk_;
};

// Answers take a while, and come in another order than they were asked for.
class LateEvaluator final : public Evaluator {
 public:
  LateEvaluator(SimProcess& process, Sink<Evaluation>& answers, Random dice,
                Callback<Duration()> delay, jq::Interpreter* jq)
      : process_(process),
        dice_(dice),
        delay_(std::move(delay)),
        answers_(answers),
        evaluator_(answers),
        jq_(jq) {}
  void start(uint64_t ticket, const std::string& expression,
             std::shared_ptr<const std::string> context, Duration at_most) override {
    Duration delay = delay_() + Duration::microseconds(static_cast<int64_t>(dice_.below(3000)));
    if (jq_ != nullptr)
      return process_.after(delay, [this, ticket, expression, context] {
        jq_->read(*context);
        answers_.put(Evaluation{ticket, jq_->evaluate(expression)});
      });
    std::string known = expression.substr(0, expression.find(" | ."));
    process_.after(delay, [this, ticket, known, context, at_most] {
      evaluator_.start(ticket, known, context, at_most);
    });
  }
  void cancel(uint64_t) override {}  // it comes all the same
  Status check(const std::string& expression) override { return evaluator_.check(expression); }

 private:
  SimProcess& process_;
  Random dice_;
  Callback<Duration()> delay_;
  Sink<Evaluation>& answers_;
  SimEvaluator evaluator_;
  jq::Interpreter* const jq_;  // of expressions that are given; null: the simulated one
};

class Door final : public Sink<Response> {
 public:
  explicit Door(Callback<void(Response)> out) : out_(std::move(out)) {}
  void put(Response response) override { out_(std::move(response)); }

 private:
  Callback<void(Response)> out_;
};

bool mentions(const Response& response, const char* word) {
  const auto* reply = std::get_if<Reply>(&response.what);
  return reply != nullptr && reply->code == Code::resource_exhausted &&
         reply->message.find(word) != std::string::npos;
}

}  // namespace

// What ends with the process.
struct Server::Life {
  Life(Universe& universe, const WallJump& jump, Random dice)
      : process(universe, jump, dice), evaluations(process) {}
  ~Life() {
    if (engine) process.remove(*engine);
  }

  SimProcess process;
  Mailbox<Evaluation> evaluations;
  SilentTelemetry telemetry;
  Clock* clock = nullptr;
  std::unique_ptr<Wal> wal;
  Log* below = nullptr;
  std::unique_ptr<ListeningLog> listener;
  std::unique_ptr<MachineBlob> blob;
  std::unique_ptr<LateEvaluator> evaluator;
  std::unique_ptr<Door> door;
  std::unique_ptr<Engine> engine;
};

Server::Server(World world, Random dice)
    : world_(std::move(world)),
      dice_(dice),
      disk_(dice.next(), Completion::on_demand),
      blob_(world_.universe, world_.oracle.model(), dice.split()),
      shared_blob_(world_.seams.blob(blob_)),
      outputs_(world_.universe, world_.oracle.model(), Random(mix64(world_.plan.seed) ^ 0x0075),
               disk_),
      shared_outputs_(world_.seams.outputs(outputs_)) {
  disk_.set_capacity(capacity);
  world_.network.mute_if(engine_address(world_.slot.slot), [this] { return disk_.crashed(); });
}

Server::~Server() {
  life_.reset();
}

bool Server::up() const {
  return life_ && life_->engine && !life_->process.dead() && !recovering_;
}

bool Server::engine_idle() const {
  return life_->engine->idle() && life_->engine->swept();
}

Status Server::open_log(Life& life) {
  WalOptions options;
  options.log_id = log_id;
  options.segment_bytes = world_.plan.segment_bytes;
  options.ballast_bytes = 32 * 1024;
  options.soft_free_bytes = 512 * 1024;
  options.hard_free_bytes = 128 * 1024;
  options.rewrite_bytes_max = world_.plan.rewrite_bytes_max;
  options.idle_after = world_.plan.idle_after;
  options.chain = wal::ChainMode::in_line;
  PAWL_ASSIGN(life.wal, Wal::open(world_.seams.disk(disk_), *life.clock, options));
  life.below = &world_.seams.log_below_listener(*life.wal);
  return read_log(life);
}

// What the log holds, for the oracle, before the engine sees it.
Status Server::read_log(Life& life) {
  PAWL_ASSIGN(std::unique_ptr<LogReader> reader, life.below->read(life.below->first()));
  std::vector<LogGroup> groups;
  for (;;) {
    PAWL_ASSIGN(std::optional<LogGroup> group, reader->next());
    if (!group) break;
    groups.push_back(*std::move(group));
  }
  uint64_t durable_before = world_.oracle.durable();
  world_.oracle.recovered(life.below->first(), groups);
  world_.universe.coverage.reached_if(blob_.keeps_forgotten(),
                                      Sometimes::forgotten_payloads_dropped_after_restart);
  world_.universe.coverage.reached_if(write_lost_ && durable_before == world_.oracle.durable(),
                                      Sometimes::torn_tail_rewritten);
  write_lost_ = false;
  world_.universe.coverage.reached_if(life.below->first() > 1, Sometimes::log_trimmed);
  return {};
}

// A crash in one of its calls ends the process, as one in a turn does.
class Server::Calls final : public Background {
 public:
  Calls(Server& server, SimProcess& process, Random dice, Duration longest)
      : server_(server), calls_(process, dice, longest) {}
  using Background::run;
  void run(Callback<void()> call, Duration after) override {
    calls_.run(
        [&server = server_, call = std::move(call)] {
          call();
          if (server.machine_crashed()) server.after_turn();
        },
        after);
  }

 private:
  Server& server_;
  SimBackground calls_;
};

std::unique_ptr<Background> Server::background(Life& life) {
  if (world_.plan.payload_time == Duration{}) return nullptr;
  return std::make_unique<Calls>(*this, life.process, Random(world_.plan.seed + lives_),
                                 world_.plan.payload_time);
}

Status Server::build_engine(Life& life) {
  life.listener = std::make_unique<ListeningLog>(*life.below, world_.oracle);
  life.blob = std::make_unique<MachineBlob>(shared_blob_, disk_);
  life.evaluator = std::make_unique<LateEvaluator>(
      life.process, life.evaluations, dice_.split(),
      [this] {
        bool slow = world_.universe.now() < evaluator_slow_until_;
        if (slow) world_.universe.reached(Sometimes::evaluation_delayed);
        return slow ? Duration::milliseconds(static_cast<int64_t>(dice_.below(5000))) : Duration{};
      },
      world_.plan.jq.get());
  life.door = std::make_unique<Door>([this](Response response) {
    if (disk_.crashed() || !world_.seams.response(response)) return;
    note_answer(response);
    world_.oracle.told(response);
    world_.answers(std::move(response));
  });
  EngineOptions options;
  options.limits = world_.plan.limits;
  options.seed = world_.plan.seed;
  options.cluster = {9, 9 + world_.slot.slot};
  options.slot = world_.slot;
  options.address = engine_address(world_.slot.slot);
  options.workers_died = world_.plan.embedded;
  options.link = world_.plan.engine_link;
  options.checkpoint_log_bytes = world_.plan.checkpoint_log_bytes;
  options.checkpoint_executions = world_.plan.checkpoint_executions;
  life.engine =
      std::make_unique<Engine>(EnginePorts{life.process,
                                           *life.clock,
                                           world_.seams.log_above_listener(*life.listener),
                                           world_.seams.view(view_),
                                           *life.blob,
                                           *life.evaluator,
                                           life.evaluations,
                                           world_.network,
                                           life.telemetry,
                                           *life.door,
                                           world_.seams.replay_note(note_),
                                           {&shared_outputs_},
                                           world_.capacity},
                               options, background(life));
  disk_.wake_with(&life.process);
  return life.engine->recover();
}

void Server::start() {
  Universe& universe = world_.universe;
  if (disk_.crashed()) disk_.restart();
  blob_.restart();
  outputs_.cut_power();
  if (start_fault_ != SimFault::none) disk_.plan(disk_.calls() + start_fault_call_, start_fault_);
  start_fault_ = SimFault::none;
  uint64_t faults_before = disk_.faults_injected();
  bool lied = disk_.lied();
  ++universe.tally.restarts;
  life_ = std::make_unique<Life>(universe, world_.jump, dice_.split());
  Life& life = *life_;
  recovering_ = true;
  life.clock = &world_.seams.clock(life.process.clock());
  life.process.read_deadlines_on(*life.clock);
  universe.note("start", ++lives_, view_.position());
  Status opened = open_log(life);
  if (universe.violated()) return;
  choose_poison();
  if (opened.ok()) opened = build_engine(life);
  if (note_.take_death()) return died_in_replay();
  if (universe.violated()) return;
  if (!opened.ok() || disk_.crashed()) {
    bool injected = disk_.faults_injected() > faults_before || disk_.crashed();
    if (!injected) return refused_to_start(opened.error());
    universe.reached(disk_.crashed() ? Sometimes::crash_during_recovery
                                     : Sometimes::read_error_during_recovery);
    return try_again(Duration::milliseconds(10));
  }
  failed_starts_ = 0;
  note_.cure();
  if (undamaged_) universe.reached(Sometimes::damage_without_effect);
  undamaged_.reset();
  universe.coverage.reached_if(view_.position() == 0 && world_.oracle.durable() > 0,
                               Sometimes::recovered_without_checkpoint);
  universe.coverage.reached_if(lied, Sometimes::lost_write_without_effect);
  started_at_ = universe.now();
  recovering_ = false;
  life.process.add(*life.engine);
  life.process.after_each_turn([this] { after_turn(); });
  world_.came_up(life.process);
}

void Server::try_again(Duration after) {
  until_back_ = after;
  started_at_ = world_.universe.now();
  life_->process.die();
  bury();
}

// It will not start, and no fault was injected while it tried.
void Server::refused_to_start(const Error& error) {
  if (undamaged_ && error.code == Code::data_loss) {
    world_.universe.reached(Sometimes::damage_detected);
    life_->engine.reset();
    life_->wal.reset();
    disk_.restore(*undamaged_);
    undamaged_.reset();
    return try_again(Duration::milliseconds(10));
  }
  if (disk_.lied() && error.code == Code::data_loss) {
    world_.universe.reached(Sometimes::lost_write_detected);
    life_->engine.reset();
    life_->wal.reset();
    disk_.mend();
    return try_again(Duration::milliseconds(10));
  }
  if (error.code == Code::data_loss)
    return world_.universe.violate(
        "I17", "it refuses to start although nothing was damaged: " + error.message);
  if (++failed_starts_ > starts_max)
    return world_.universe.violate("I14", "it cannot start: " + error.message);
  try_again(Duration::milliseconds(500));
}

void Server::died_in_replay() {
  world_.universe.note("died", lives_);
  if (++failed_starts_ > starts_max)
    return world_.universe.violate("I14", "every process dies of the same event");
  try_again(Duration::milliseconds(10));
}

void Server::poison(uint64_t dice, Duration until_back) {
  poison_dice_ = dice;
  crash(until_back);
}

// One that an execution can be quarantined for, and that the coming process will replay. Some are
// innocent: it is the processes that come to it that are killed.
void Server::choose_poison() {
  if (!poison_dice_) return;
  Random dice(*poison_dice_);
  poison_dice_.reset();
  std::vector<std::pair<uint64_t, uint32_t>> places;
  for (const LogGroup& known : world_.oracle.history()) {
    if (known.position <= view_.position()) continue;
    auto group = decode_group(known.position, known.epoch, known.payload);
    for (uint32_t index = 0; group.ok() && index < group->events.size(); ++index) {
      if (can_be_left_out(group->events[index])) places.emplace_back(known.position, index + 1);
    }
  }
  if (places.empty()) return;
  auto [group, event] = places[dice.below(places.size())];
  if (dice.chance(300)) {
    note_.kill(group, event, dice.between(2, 6));
    return world_.universe.reached(Sometimes::killed_while_replaying);
  }
  world_.oracle.poisoned(group, event);
  note_.poison(group, event);
}

void Server::ask(Request request) {
  if (!up()) return;
  bool waits = std::holds_alternative<AwaitExecution>(request.what) ||
               std::holds_alternative<RunExecution>(request.what) ||
               std::holds_alternative<StopWaiting>(request.what);
  if (const auto* read = std::get_if<ReadHistory>(&request.what)) waits = read->wait;
  if (!waits) asked_at_[request.ticket] = world_.universe.now();
  world_.oracle.asked(request);
  if (world_.seams.request(request)) life_->engine->put(std::move(request));
}

void Server::note_answer(const Response& response) {
  Universe& universe = world_.universe;
  asked_at_.erase(response.ticket);
  universe.note("answer", response.ticket, response.what.index());
  // A client that wants the result reads it where it is kept.
  const auto* result = std::get_if<QueryResult>(&response.what);
  const auto* detail = result ? std::get_if<ExecutionDetail>(result) : nullptr;
  if (detail != nullptr && detail->output.is_blob()) (void)shared_blob_.get(detail->output.ref());
  universe.coverage.reached_if(mentions(response, "almost full"), Sometimes::disk_soft_refusal);
  universe.coverage.reached_if(mentions(response, "inbox_depth_max"), Sometimes::inbox_refused);
  universe.coverage.reached_if(mentions(response, "open_bytes_max"), Sometimes::memory_used_up);
  universe.coverage.reached_if(mentions(response, "waiting_max"), Sometimes::queue_without_room);
  bool of_name_space = mentions(response, "name_space_open_executions_max");
  universe.coverage.reached_if(of_name_space, Sometimes::name_space_executions_refused);
  universe.coverage.reached_if(!of_name_space && mentions(response, "open_executions_max"),
                               Sometimes::executions_refused);
}

// Nothing more happens in this process; it is taken away once the current event is over.
void Server::doom(Duration until_back) {
  if (!life_ || life_->process.dead()) return;
  world_.universe.note("stop", lives_, disk_.crashed());
  until_back_ = until_back;
  write_lost_ = disk_.in_flight() > 0 || disk_.crashed();
  life_->process.die();
  disk_.crash();
  blob_.crash();
  world_.universe.after(Duration{}, [this] { bury(); });
}

void Server::bury() {
  Universe& universe = world_.universe;
  world_.goes_down();
  world_.oracle.forget_questions();
  asked_at_.clear();
  disk_.crash();
  blob_.crash();
  disk_.wake_with(nullptr);
  life_.reset();
  write_planned_ = view_planned_ = false;
  universe.coverage.reached_if(
      sealed_at_.ns >= 0 && universe.now() - sealed_at_ < Duration::seconds(1),
      Sometimes::checkpoint_sealed_then_crash);
  uint64_t newest = view_.newest_checkpoint();
  view_.crash(dice_.chance(500) ? MapView::InFlight::lost : MapView::InFlight::done);
  universe.coverage.reached_if(view_.newest_checkpoint() < newest && view_.newest_checkpoint() > 0,
                               Sometimes::older_checkpoint_used);
  world_.seams.stopped(disk_, view_);
  apply_damage();
  universe.after(until_back_, [this] { start(); });
}

void Server::crash(Duration until_back) {
  if (!up()) return;
  world_.universe.reached(Sometimes::crash_between_turns);
  doom(until_back);
}

void Server::fail_write(SimFault fault, uint64_t calls_from_now) {
  write_fault_ = fault;
  disk_.plan(disk_.calls() + calls_from_now, fault);
}

void Server::fault_at_next_start(SimFault fault, uint64_t call) {
  start_fault_ = fault;
  start_fault_call_ = call;
}

void Server::damage_at_next_stop(uint64_t dice) {
  damage_dice_ = dice;
}

// The newest record, just written, cannot be told from a torn one: nothing but a crash may have
// happened to it. Behind an idle while there is a mark.
bool Server::quiet() const {
  Instant now = world_.universe.now();
  Instant newest = std::max(world_.oracle.last_acknowledged(), started_at_);
  return now - newest > Duration::milliseconds(60) && !write_lost_ && full_until_ <= now;
}

// One thing goes wrong at rest.
void Server::apply_damage() {
  if (!quiet()) disk_.mend();
  if (!damage_dice_) return;
  Random dice(*damage_dice_);
  damage_dice_.reset();
  std::vector<std::string> files = disk_.files();
  if (undamaged_ || disk_.lied() || !quiet() || files.empty()) return;
  undamaged_ = disk_.image();
  const std::string& path = files[dice.below(files.size())];
  uint64_t size = disk_.file_size(path);
  if (size == 0) return;
  uint64_t block = dice.below((size + 4095) / 4096) * 4096;
  // Most of a file is zeros that nobody reads: look for something written.
  for (int i = 0; i < 20; ++i) {
    Bytes bytes = disk_.content(path, block, 4096);
    if (std::any_of(bytes.begin(), bytes.end(), [](char c) { return c != 0; })) break;
    block = dice.below((size + 4095) / 4096) * 4096;
  }
  switch (dice.below(4)) {
    case 0:
      disk_.flip_bit(path, std::min(block + dice.below(300), size - 1),
                     static_cast<uint32_t>(dice.below(8)));
      break;
    case 1:
      disk_.overwrite(path, block, Bytes(std::min<uint64_t>(4096, size - block), '\0'));
      break;
    case 2: {
      uint64_t other = dice.below((size + 4095) / 4096) * 4096;
      disk_.overwrite(
          path, block,
          disk_.content(path, other, std::min(size - block, size - other)).substr(0, 4096));
      break;
    }
    default:
      disk_.truncate(path, dice.below(size));
  }
}

// Only one of the two kept checkpoints may be lost: the log is whole from the older one on.
void Server::damage_checkpoint() {
  if (view_.trim_position() > 0) view_.corrupt_newest();
}

void Server::pause(Duration lasts) {
  if (!up()) return;
  life_->process.pause_until(world_.universe.now() + lasts);
  world_.oracle.stands_still(world_.universe.now() + lasts);
  world_.universe.coverage.reached_if(lasts > world_.plan.lease,
                                      Sometimes::engine_paused_beyond_lease);
}

void Server::fill_disk(Duration lasts, uint64_t left) {
  auto free = disk_.free_bytes();
  if (!free.ok()) return;
  disk_.set_capacity(capacity - *free + left);
  full_until_ = world_.universe.now() + lasts;
  world_.oracle.blobs_spoiled();
  blob_.fill(true);
  world_.universe.after(lasts, [this] {
    if (world_.universe.now() < full_until_) return;
    disk_.set_capacity(capacity);
    blob_.fill(false);
  });
}

void Server::damage_blob(Random& dice) {
  blob_.damage(dice);
  if (blob_.spoiled()) world_.oracle.blobs_spoiled();
}

void Server::fail_blob_write(SimFault fault, uint64_t calls_from_now) {
  world_.oracle.blobs_spoiled();
  blob_.fail_write(fault, calls_from_now);
}

void Server::heal() {
  disk_.calm();
  blob_.heal();
  disk_.set_capacity(capacity);
  full_until_ = slow_until_ = refuse_until_ = evaluator_slow_until_ = world_.universe.now();
  start_fault_ = SimFault::none;
  damage_dice_.reset();
}

void Server::after_turn() {
  if (machine_crashed()) {
    world_.universe.reached(Sometimes::crash_inside_disk_call);
    return doom(Duration::milliseconds(static_cast<int64_t>(dice_.below(2000))));
  }
  if (life_->engine->failure()) note_failure();
  if (life_->engine->failure())
    return doom(Duration::milliseconds(static_cast<int64_t>(dice_.below(500))));
  if (++turns_ % world_.plan.check_turns == 0) {
    std::string wrong = inconsistency(life_->engine->partition().state());
    if (!wrong.empty()) world_.universe.violate("I13", "the state contradicts itself: " + wrong);
  }
  world_.universe.coverage.reached_if(asked_at_.size() > world_.plan.limits.group_commands_max,
                                      Sometimes::group_full);
  world_.universe.coverage.reached_if(world_.oracle.largest_group() > world_.plan.segment_bytes,
                                      Sometimes::group_beyond_a_segment);
  bool full = world_.universe.now() < full_until_;
  world_.universe.coverage.reached_if(
      full && world_.oracle.waiting() && disk_.in_flight() == 0 && !write_planned_,
      Sometimes::append_waited_for_space);
  pump_disk();
  pump_view();
}

void Server::note_failure() {
  world_.universe.coverage.reached_if(write_fault_ == SimFault::io_error,
                                      Sometimes::write_error_stopped_engine);
  world_.universe.coverage.reached_if(write_fault_ == SimFault::short_write,
                                      Sometimes::short_write_stopped_engine);
  write_fault_ = SimFault::none;
}

void Server::pump_disk() {
  if (write_planned_ || disk_.in_flight() == 0) return;
  write_planned_ = true;
  bool slow = world_.universe.now() < slow_until_;
  uint64_t most = slow ? 500'000'000 : 3'000'000;
  life_->process.after(Duration{static_cast<int64_t>(20'000 + dice_.below(most))}, [this] {
    write_planned_ = false;
    disk_.complete_one();
    if (disk_.crashed()) after_turn();
  });
}

void Server::pump_view() {
  if (view_planned_ || !view_.busy()) return;
  view_planned_ = true;
  life_->process.after(Duration::milliseconds(static_cast<int64_t>(1 + dice_.below(200))), [this] {
    view_planned_ = false;
    view_done();
  });
}

void Server::view_done() {
  if (world_.universe.now() < refuse_until_) {
    world_.universe.reached(Sometimes::checkpoint_refused);
    view_.fail_one({Code::unavailable, "the simulated view refuses"});
  } else {
    uint64_t before = view_.newest_checkpoint();
    view_.complete_one();
    if (view_.newest_checkpoint() > before) {
      sealed_at_ = world_.universe.now();
      world_.universe.reached(Sometimes::checkpoint_sealed);
      if (!world_.healed) world_.universe.reached(Sometimes::checkpoint_during_load);
    }
  }
  life_->process.wake();
}

void Server::check_answers() {
  Instant now = world_.universe.now();
  bool no_room = full_until_ > now && world_.oracle.waiting();
  if (!up() || life_->process.paused() || slow_until_ > now || no_room) hindered_at_ = now;
  if (now - hindered_at_ < patience) return;
  for (const auto& [ticket, asked] : asked_at_)
    if (now - asked > patience)
      return world_.universe.violate("I14", "a question is not answered although nothing hinders");
}

void Server::add_granted(std::map<std::string, uint64_t>& granted) const {
  if (!up()) return;
  for (const auto& [id, session] : life_->engine->partition().state().sessions)
    granted[session.worker.name] += session.outstanding;
}

void Server::check_state() {
  if (!up()) return;
  blob_.check_payloads();
  const State& live = life_->engine->partition().state();
  std::string wrong = inconsistency(live);
  if (!wrong.empty())
    return world_.universe.violate("I13", "the state contradicts itself: " + wrong);
  Partition replayed(world_.plan.limits, world_.slot);
  for (const LogGroup& known : world_.oracle.history()) {
    for (const ExecutionQuarantined& one : quarantines_in(known.payload)) replayed.expect(one);
  }
  for (const LogGroup& known : world_.oracle.history()) {
    auto group = decode_group(known.position, known.epoch, known.payload);
    if (group.ok()) replayed.replay(*group);
  }
  // Questions move the live clock without an event.
  replayed.replay(Group{world_.oracle.durable(), live.epoch, live.now, live.wall, {}});
  if (state_hash(replayed.state()) != state_hash(live))
    world_.universe.violate("I9",
                            "the live state is not the one that all events give when replayed");
}

}  // namespace pawl::sim
