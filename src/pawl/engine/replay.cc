#include "pawl/engine/replay.h"

#include "pawl/wire/event_codec.h"

namespace pawl {
namespace {

std::string in_words(uint64_t group, uint32_t event, const std::string& kind) {
  return "event " + std::to_string(event) + " of group " + std::to_string(group) + " (" + kind +
         ")";
}

}  // namespace

bool can_be_left_out(const Event& event) {
  return execution_of(event) && !std::holds_alternative<ExecutionSubmitted>(event) &&
         !std::holds_alternative<ExecutionForgotten>(event) &&
         !std::holds_alternative<ExecutionQuarantined>(event);
}

Bytes encode(const ReplayPlace& place) {
  ByteWriter out;
  out.varint(place.tail);
  out.varint(place.group);
  out.boolean(place.careful);
  out.varint(place.event);
  Group found;
  for (const ExecutionQuarantined& one : place.found) found.events.emplace_back(one);
  out.text(encode(found));
  return out.take();
}

ReplayPlace decode_replay_place(ByteView bytes) {
  ByteReader in(bytes);
  ReplayPlace place;
  place.tail = in.varint();
  place.group = in.varint();
  place.careful = in.boolean();
  place.event = static_cast<uint32_t>(in.varint());
  Result<Group> found = decode_group(0, 0, in.text());
  if (!in.ok() || !found.ok()) return {};
  for (const Event& event : found->events) {
    if (const auto* one = std::get_if<ExecutionQuarantined>(&event)) place.found.push_back(*one);
  }
  return place;
}

Status Replay::run(uint64_t from) {
  Status done = replay(from);
  ports_.note.done();
  return done;
}

// Of the process before, if its replay was its end; what it and those before it found in any case.
ReplayPlace Replay::where_it_died() {
  ReplayRemains remains = ports_.note.read();
  ReplayPlace place = decode_replay_place(remains.note);
  if (place.tail != ports_.log.tail()) return {};
  if (place.group == 0 || remains.died) return place;
  ports_.telemetry.warn("replay_killed", "the process before was killed while it replayed group " +
                                             std::to_string(place.group) +
                                             ": that accuses no event");
  place.group = 0;
  return place;
}

Status Replay::replay(uint64_t from) {
  ReplayPlace died = where_it_died();
  place_.tail = ports_.log.tail();
  place_.found = died.found;
  for (const ExecutionQuarantined& one : place_.found) partition_.expect(one);
  PAWL_TRY(read(from));
  if (history_.empty()) return {};
  if (died.group >= from) PAWL_TRY(judge(died));
  PAWL_TRY(history_.each([&](uint64_t position, ByteView encoded) {
    return apply(position, encoded, position == died.group);
  }));
  place_.group = 0;
  return note();
}

// Into memory first: what is quarantined is written above what it is about.
Status Replay::read(uint64_t from) {
  PAWL_ASSIGN(std::unique_ptr<LogReader> reader, ports_.log.read(from));
  for (;;) {
    PAWL_ASSIGN(std::optional<LogGroup> record, reader->next());
    if (!record) return {};
    bytes_ += record->payload.size();
    for (const ExecutionQuarantined& one : quarantines_in(record->payload)) partition_.expect(one);
    if (auto cluster = cluster_in(record->payload)) PAWL_TRY(partition_.belongs_to(*cluster));
    history_.add(record->position, std::move(record->payload));
  }
}

Status Replay::judge(const ReplayPlace& died) {
  if (!died.careful) {
    ports_.telemetry.warn("replay_died", "the process before died of replaying group " +
                                             std::to_string(died.group) +
                                             ": it is applied event by event");
    return {};
  }
  if (died.event == 0) return hopeless(died, "it cannot be decoded");
  PAWL_ASSIGN(std::unique_ptr<LogReader> reader, ports_.log.read(died.group));
  PAWL_ASSIGN(std::optional<LogGroup> record, reader->next());
  if (!record) return hopeless(died, "it has gone");
  PAWL_ASSIGN(Group group, decode_group(record->position, record->epoch, record->payload));
  if (died.event > group.events.size()) return hopeless(died, "it has no such event");
  const Event& event = group.events[died.event - 1];
  std::string what = in_words(died.group, died.event, kind_name(event));
  for (const ExecutionQuarantined& one : place_.found) {
    if (one.position == died.group && one.index == died.event - 1)
      return hopeless(died, what + " cannot even be left out");
  }
  if (!can_be_left_out(event))
    return hopeless(died, what + " belongs to no execution that could be quarantined");
  ExecutionQuarantined quarantine{execution_of(event), died.group, died.event - 1,
                                  "two processes died of applying its " + what};
  ports_.telemetry.log(
      {.level = LogLevel::error,
       .event = "execution_quarantined",
       .message = to_text(quarantine.execution) + " is quarantined: " + quarantine.error,
       .execution = quarantine.execution});
  partition_.expect(quarantine);
  place_.found.push_back(std::move(quarantine));
  return {};
}

Status Replay::apply(uint64_t position, ByteView encoded, bool careful) {
  place_.group = position;
  place_.careful = careful;
  place_.event = 0;
  PAWL_TRY(note());
  Result<Group> group = decode_group(position, 0, encoded);
  if (!group.ok()) return refuse(std::move(group.error()).within("the log"));
  if (Status follows = partition_.follows(*group); !follows.ok()) return refuse(follows.error());
  if (!careful) {
    partition_.replay(*group);
    return {};
  }
  partition_.begin_replay(*group);
  for (uint32_t index = 0; index < group->events.size(); ++index) {
    place_.event = index + 1;
    PAWL_TRY(note());
    partition_.replay_event(*group, index);
  }
  return {};
}

// An answer, not a death: the next start shall say the same.
Status Replay::refuse(Error error) {
  place_.group = 0;
  PAWL_TRY(note());
  return error;
}

Error Replay::hopeless(const ReplayPlace& died, const std::string& why) {
  std::string where = "the log";
  auto reader = ports_.log.read(died.group);
  if (reader.ok() && (*reader)->next().ok()) where = (*reader)->place();
  return {Code::data_loss, where + ": two processes died of replaying group " +
                               std::to_string(died.group) + ": " + why +
                               "; the partition stops here, nothing is changed"};
}

}  // namespace pawl
