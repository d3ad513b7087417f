// The log reader on arbitrary segments. The first byte chooses: bytes laid over an intact log as
// they are (what damage looks like), or records with correct checksums whose every field comes from
// the input (what a broken or malicious writer could leave). Opening, reading and verifying must
// end with an answer, positions must be dense, and nothing may be served beyond the tail.
#include <algorithm>
#include <cstdint>

#include "pawl/adapter/wal/wal.h"
#include "pawl/adapter/wal/wal_verify.h"
#include "pawl/testing/sim_disk.h"

namespace pawl {
namespace {

class StillClock final : public Clock {
 public:
  Instant monotonic() override { return {1}; }
  WallTime wall() override { return {}; }
};

WalOptions tiny_options() {
  WalOptions options;
  options.log_id = {1, 2};
  options.segment_bytes = options.ballast_bytes = 32 * 1024;
  options.chain = wal::ChainMode::in_line;
  return options;
}

void build(SimDisk& disk) {
  StillClock clock;
  auto log = Wal::open(disk, clock, tiny_options()).value();
  PAWL_CHECK(log->take_over().ok(), "the template cannot be written");
  for (uint64_t p = 1; p <= 9; ++p) {
    log->append(p, Bytes(p * 100, 'x'), AppendMode::blocking);
    PAWL_CHECK(log->poll()->outcome == AppendOutcome::ok, "the template cannot be written");
  }
}

// Where the active segment's records are, in the template.
std::string newest_segment(const SimDisk& disk) {
  std::string newest;
  for (const std::string& name : disk.files())
    if (name.starts_with("log/segment-")) newest = std::max(newest, name);
  return newest;
}

void forge(SimDisk& disk, const std::string& file, ByteReader& in) {
  uint64_t segment = std::stoull(file.substr(file.rfind('-') + 1));
  uint64_t at = in.u8() % 8 * wal::block_bytes;
  while (!in.at_end() && at + wal::block_bytes <= disk.file_size(file)) {
    wal::RecordHeader header;
    header.type = static_cast<wal::RecordType>(in.u8() % 6);
    header.epoch = in.varint();
    header.record = in.varint();
    header.position = in.varint();
    header.segment = segment + in.u8() % 2;
    header.offset = at;
    header.synced_upto = in.varint();
    header.chain.position = in.varint();
    Bytes payload(in.text());
    header.length = static_cast<uint32_t>(in.u8() == 7 ? in.varint() : payload.size());
    header.payload_crc = crc32c(payload);
    Bytes block(wal::header_bytes, '\0');
    wal::encode_header({{1, 2}, 1}, header, block.data());
    block += payload;
    block.resize(wal::record_span(payload.size()), '\0');
    uint64_t room = disk.file_size(file) - at;
    disk.overwrite(file, at, ByteView(block).substr(0, room));
    at += block.size();
  }
}

void read_it(SimDisk& disk) {
  (void)verify_wal(disk, "log");
  StillClock clock;
  auto log = Wal::open(disk, clock, tiny_options());
  if (!log.ok()) return;
  auto reader = (*log)->read((*log)->first());
  if (!reader.ok()) return;
  uint64_t expected = (*log)->first();
  while (true) {
    auto group = (*reader)->next();
    if (!group.ok() || !*group) return;
    PAWL_CHECK((*group)->position == expected && expected <= (*log)->tail(), "a hole was served");
    ++expected;
  }
}

}  // namespace
}  // namespace pawl

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pawl;
  if (size == 0) return 0;
  ByteView input(reinterpret_cast<const char*>(data), size);
  SimDisk disk(1);
  build(disk);
  std::string file = newest_segment(disk);
  ByteReader in(input.substr(1));
  if (data[0] % 2 == 0) {
    uint64_t at = in.u8() * 128;
    ByteView bytes = in.rest();
    uint64_t room = disk.file_size(file) - std::min(at, disk.file_size(file));
    disk.overwrite(file, at, bytes.substr(0, room));
  } else {
    forge(disk, file, in);
  }
  read_it(disk);
  return 0;
}
