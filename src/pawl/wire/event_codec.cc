#include "pawl/wire/event_codec.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "pawl/wire/event_fields.h"

namespace pawl {
namespace {

struct Kind {
  uint64_t number;
  const char* name;
};

// In the order of the variant. A number is for ever; a new kind takes the next free
// one. clang-format off
constexpr Kind kinds[] = {
    {1, "EpochStarted"},
    {2, "WorkflowRegistered"},
    {3, "ExecutionSubmitted"},
    {4, "EvaluationStarted"},
    {5, "NodeActivated"},
    {6, "NodeSkipped"},
    {7, "NodeParked"},
    {8, "SessionOpened"},
    {9, "SessionClosed"},
    {10, "AttemptsGranted"},
    {11, "AttemptsSucceeded"},
    {12, "AttemptFailed"},
    {13, "RetryReleased"},
    {14, "DeadLettersRedriven"},
    {15, "DeadLettersDiscarded"},
    {16, "NodeRedriven"},
    {17, "NodeDiscarded"},
    {18, "TaskCancelled"},
    {19, "ExecutionCancelled"},
    {20, "ExecutionParked"},
    {21, "ExecutionEnded"},
    {22, "OutboxEnqueued"},
    {23, "InboxAccepted"},
    {24, "ExecutionForgotten"},
    {25, "ExecutionQuarantined"},
    {27, "QueueConfigured"},
};
// clang-format on
constexpr size_t kinds_count = std::variant_size_v<Event>;
static_assert(std::size(kinds) == kinds_count, "every event needs its row");

// Place in the variant by number; kinds_count for a number nobody has.
constexpr size_t numbers_max = 128;
constexpr std::array<uint8_t, numbers_max> make_places() {
  std::array<uint8_t, numbers_max> places{};
  places.fill(static_cast<uint8_t>(kinds_count));
  for (size_t i = 0; i < kinds_count; ++i) places[kinds[i].number] = static_cast<uint8_t>(i);
  return places;
}
constexpr auto places = make_places();

// Where the frequent events are put together: on the stack, appended to the group in one piece.
// Room for kind, length and at most eleven numbers; longer bodies go through a block.
class SmallWriter {
 public:
  void u8(uint8_t v) { bytes_[size_++] = static_cast<char>(v); }
  void u64(uint64_t v) {
    std::memcpy(bytes_ + size_, &v, sizeof v);
    size_ += sizeof v;
  }
  void varint(uint64_t v) { size_ += put_varint(bytes_ + size_, v); }
  void svarint(int64_t v) { varint(zigzag(v)); }
  void set(size_t at, size_t v) { bytes_[at] = static_cast<char>(v); }
  const char* data() const { return bytes_; }
  size_t size() const { return size_; }

 private:
  char bytes_[2 + 11 * varint_bytes_max];
  size_t size_ = 0;
};

template <class E, class... Small>
constexpr bool is_one_of = (std::is_same_v<E, Small> || ...);

// Bodies of a few numbers. AttemptsSucceeded is one when its outputs are all null.
template <class E>
constexpr bool is_small = is_one_of<E, EvaluationStarted, NodeSkipped, AttemptsGranted,
                                    RetryReleased, DeadLettersRedriven, DeadLettersDiscarded,
                                    NodeRedriven, NodeDiscarded, ExecutionParked>;

template <class E, class Fields>
void encode_small(uint64_t number, const E& event, ByteWriter& out, Fields write_fields) {
  SmallWriter small;
  small.u8(static_cast<uint8_t>(number));  // below numbers_max: one byte
  small.u8(0);
  Encoder io(small);
  write_fields(io, event);
  small.set(1, small.size() - 2);
  out.raw(small.data(), small.size());
}

template <class E>
void encode_kind(uint64_t number, const E& event, ByteWriter& out) {
  if constexpr (is_small<E>) {
    encode_small(number, event, out, [](auto& io, const E& e) { fields(io, e); });
  } else {
    if constexpr (std::is_same_v<E, AttemptsSucceeded>)
      if (event.outputs.empty())
        return encode_small(number, event, out, [](auto& io, const E& e) { null_fields(io, e); });
    out.varint(number);
    size_t body = out.begin_block();
    Encoder io(out);
    fields(io, event);
    out.end_block(body);
  }
}

using DecodeBody = void (*)(ByteReader&, Event&);

template <size_t place>
void decode_place(ByteReader& in, Event& event) {
  Decoder io(in);
  fields(io, event.emplace<place>());
}

template <size_t... place>
constexpr std::array<DecodeBody, kinds_count> make_decoders(std::index_sequence<place...>) {
  return {&decode_place<place>...};
}
constexpr auto decoders = make_decoders(std::make_index_sequence<kinds_count>());

// How many numbers a body has before its execution; nobody's: it has none.
constexpr uint8_t nobodys = 255;
template <class E>
constexpr uint8_t numbers_before_execution() {
  if (std::is_same_v<E, AttemptsGranted>) return 1;
  bool has = requires(E e) {
    e.execution;
  }
  || requires(E e) {
    e.range;
  }
  || requires(E e) {
    e.task;
  };
  return has ? 0 : nobodys;
}
template <size_t... place>
constexpr std::array<uint8_t, kinds_count> make_before(std::index_sequence<place...>) {
  return {numbers_before_execution<std::variant_alternative_t<place, Event>>()...};
}
constexpr auto before_execution = make_before(std::make_index_sequence<kinds_count>());

std::string where(uint64_t position, uint64_t index) {
  return "group " + std::to_string(position) + ", event " + std::to_string(index + 1);
}

// Appends the next event, unless it is an annotation.
Status decode_event(uint64_t position, uint64_t index, ByteReader& in, std::vector<Event>& events) {
  uint64_t number = in.varint();
  ByteReader body(in.text());
  if (!in.ok()) return Error{Code::data_loss, where(position, index) + " is cut off"};
  if (number >= event_annotation_first) return {};
  size_t place = number < numbers_max ? places[number] : kinds_count;
  if (place == kinds_count)
    return Error{Code::failed_precondition,
                 where(position, index) + " is of kind " + std::to_string(number) +
                     ", written by a newer Pawl; use that one to read this log"};
  decoders[place](body, events.emplace_back());
  if (!body.ok() || !body.at_end())
    return Error{Code::data_loss,
                 where(position, index) + " (" + kinds[place].name + ") is damaged"};
  return {};
}

}  // namespace

uint64_t kind_number(const Event& event) {
  return kinds[event.index()].number;
}
const char* kind_name(const Event& event) {
  return kinds[event.index()].name;
}

void encode(const Event& event, ByteWriter& out) {
  uint64_t number = kind_number(event);
  std::visit([&](const auto& e) { encode_kind(number, e, out); }, event);
}

Bytes encode(const Group& group) {
  ByteWriter out;
  out.u8(group_format);
  out.svarint(group.now.ns);
  out.svarint(group.wall.ns);
  out.varint(group.events.size());
  for (const Event& event : group.events) encode(event, out);
  return out.take();
}

GroupScan::GroupScan(ByteView group) : in_(group) {
  if (in_.u8() != group_format) in_.fail();
  in_.svarint();
  in_.svarint();
  clocks_ = group.substr(0, group.size() - in_.rest().size());
  left_ = in_.count();
}

bool GroupScan::next() {
  while (left_ > 0 && in_.ok()) {
    --left_;
    ByteView from = in_.rest();
    uint64_t number = in_.varint();
    in_.text();
    event_ = from.substr(0, from.size() - in_.rest().size());
    if (number >= event_annotation_first) continue;
    if (number >= numbers_max || places[number] == kinds_count) in_.fail();
    ++seen_;
    return in_.ok();
  }
  return false;
}

uint64_t GroupScan::kind() const {
  return ByteReader(event_).varint();
}

ExecutionId GroupScan::execution() const {
  ByteReader event(event_);
  uint8_t before = before_execution[places[event.varint()]];
  if (before == nobodys) return {};
  ByteReader body(event.text());
  for (; before > 0; --before) body.varint();
  return {body.varint()};
}

Bytes GroupScan::alone() const {
  Bytes group;
  (void)alone_in(group);
  return group;
}

ByteView GroupScan::alone_in(Bytes& room) const {
  room.clear();
  room.reserve(clocks_.size() + 1 + event_.size());
  return room.append(clocks_).append(1, '\1').append(event_);
}

std::vector<ExecutionQuarantined> quarantines_in(ByteView group) {
  const uint64_t first_of_a_reign = kind_number(EpochStarted{});
  const uint64_t wanted = kind_number(ExecutionQuarantined{});
  std::vector<ExecutionQuarantined> found;
  GroupScan scan(group);
  if (!scan.next() || scan.kind() != first_of_a_reign) return found;
  while (scan.next()) {
    if (scan.kind() != wanted) continue;
    Result<Group> alone = decode_group(0, 0, scan.alone());
    if (alone.ok()) found.push_back(std::get<ExecutionQuarantined>(alone->events.front()));
  }
  return found;
}

std::optional<Hash128> cluster_in(ByteView group) {
  GroupScan scan(group);
  if (!scan.next() || scan.kind() != kind_number(EpochStarted{})) return std::nullopt;
  Result<Group> alone = decode_group(0, 0, scan.alone());
  if (!alone.ok()) return std::nullopt;
  return std::get<EpochStarted>(alone->events.front()).cluster;
}

Result<Group> decode_group(uint64_t position, uint64_t epoch, ByteView bytes) {
  ByteReader in(bytes);
  uint8_t format = in.u8();
  if (format > group_format)
    return Error{Code::failed_precondition,
                 "group " + std::to_string(position) + " of format " + std::to_string(format) +
                     " was written by a newer Pawl; use that one to read this log"};
  Group group;
  group.position = position;
  group.epoch = epoch;
  group.now.ns = in.svarint();
  group.wall.ns = in.svarint();
  uint64_t count = in.count();
  if (!in.ok() || format == 0)
    return Error{Code::data_loss, "group " + std::to_string(position) + ": its head is damaged"};
  constexpr uint64_t event_bytes_min = 4;
  group.events.reserve(std::min(count, in.rest().size() / event_bytes_min));
  for (uint64_t index = 0; index < count; ++index)
    PAWL_TRY(decode_event(position, index, in, group.events));
  if (!in.at_end())
    return Error{Code::data_loss,
                 "group " + std::to_string(position) + ": bytes after its last event"};
  return group;
}

}  // namespace pawl
