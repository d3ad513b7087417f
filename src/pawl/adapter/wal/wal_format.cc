#include "pawl/adapter/wal/wal_format.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace pawl::wal {

namespace {

constexpr uint32_t record_magic = 0x524c5750;                  // "PWLR"
constexpr uint64_t superblock_magic = 0x52505553'4c574150ULL;  // "PAWLSUPR"
constexpr size_t header_crc_at = header_bytes - 4;
constexpr size_t superblock_crc_at = block_bytes - 4;
constexpr size_t writer_bytes = 32;

uint32_t read_u32(ByteView bytes, size_t at) {
  uint32_t v = 0;
  std::memcpy(&v, bytes.data() + at, sizeof v);
  return v;
}

void put_hash(ByteWriter& out, const Hash128& hash) {
  out.u64(hash.low);
  out.u64(hash.high);
}

Hash128 get_hash(ByteReader& in) {
  Hash128 hash;
  hash.low = in.u64();
  hash.high = in.u64();
  return hash;
}

// One copy: its state, and the content if it is valid.
struct DecodedSuperblock {
  HeaderState state = HeaderState::absent;
  uint32_t format = 0;
  Superblock superblock;
};

DecodedSuperblock decode_superblock(ByteView block) {
  DecodedSuperblock decoded;
  if (block.size() != block_bytes) return decoded;
  if (read_u32(block, superblock_crc_at) != crc32c(block.substr(0, superblock_crc_at)))
    return decoded;
  ByteReader in(block.substr(0, superblock_crc_at));
  if (in.u64() != superblock_magic) return decoded;
  decoded.format = in.u32();
  Superblock& s = decoded.superblock;
  ByteView writer = in.view(writer_bytes);
  s.writer = Bytes(writer.substr(0, writer.find('\0')));
  decoded.state = decoded.format == format_version ? HeaderState::valid : HeaderState::newer;
  s.identity.log = get_hash(in);
  s.identity.partition = in.u64();
  s.sequence = in.u64();
  s.previous = get_hash(in);
  s.first_segment = in.u64();
  s.active_segment = in.u64();
  s.synced_upto = in.u64();
  s.closing = in.u8() == 1 ? Closing::clean : Closing::open;
  return decoded;
}

}  // namespace

// Compares the bytes with themselves, shifted by one: as fast as memcmp.
bool all_zero(ByteView bytes) {
  return bytes.empty() ||
         (bytes[0] == '\0' && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

void encode_header(const LogIdentity& identity, const RecordHeader& header, char* into) {
  ByteWriter out;
  out.u32(record_magic);
  out.u8(static_cast<uint8_t>(format_version));
  out.u8(static_cast<uint8_t>(format_version >> 8));
  out.u8(static_cast<uint8_t>(header.type));
  out.u8(0);
  put_hash(out, identity.log);
  out.u64(identity.partition);
  out.u64(header.epoch);
  out.u64(header.record);
  out.u64(header.position);
  out.u64(header.segment);
  out.u64(header.offset);
  out.u32(header.length);
  out.u32(header.payload_crc);
  out.u64(header.synced_upto);
  out.u64(header.chain.position);
  put_hash(out, header.chain.value);
  PAWL_CHECK(out.size() <= header_crc_at, "the record header has outgrown its place");
  std::memset(into, 0, header_bytes);
  std::memcpy(into, out.view().data(), out.size());
  uint32_t crc = crc32c(ByteView(into, header_crc_at));
  std::memcpy(into + header_crc_at, &crc, sizeof crc);
}

DecodedHeader decode_header(ByteView bytes, const LogIdentity& identity, uint64_t segment,
                            uint64_t offset) {
  DecodedHeader decoded;
  if (bytes.size() < header_bytes || read_u32(bytes, 0) != record_magic) return decoded;
  if (read_u32(bytes, header_crc_at) != crc32c(bytes.substr(0, header_crc_at))) return decoded;
  ByteReader in(bytes.substr(4, header_crc_at - 4));
  decoded.format = static_cast<uint16_t>(in.u8());
  decoded.format = static_cast<uint16_t>(decoded.format | in.u8() << 8);
  if (decoded.format > format_version) {
    decoded.state = HeaderState::newer;
    return decoded;
  }
  RecordHeader& h = decoded.header;
  uint8_t type = in.u8();
  in.u8();
  LogIdentity found;
  found.log = get_hash(in);
  found.partition = in.u64();
  h.epoch = in.u64();
  h.record = in.u64();
  h.position = in.u64();
  h.segment = in.u64();
  h.offset = in.u64();
  h.length = in.u32();
  h.payload_crc = in.u32();
  h.synced_upto = in.u64();
  h.chain.position = in.u64();
  h.chain.value = get_hash(in);
  h.type = static_cast<RecordType>(type);
  bool known = type >= static_cast<uint8_t>(RecordType::segment) &&
               type <= static_cast<uint8_t>(RecordType::mark);
  if (known && decoded.format == format_version && found == identity && h.segment == segment &&
      h.offset == offset && h.length <= payload_bytes_max)
    decoded.state = HeaderState::valid;
  return decoded;
}

Bytes encode_link(const SegmentLink& link) {
  ByteWriter out;
  out.u64(link.previous);
  out.u64(link.previous_end);
  out.u64(link.size);
  return out.take();
}

std::optional<SegmentLink> decode_link(ByteView payload) {
  ByteReader in(payload);
  SegmentLink link;
  link.previous = in.u64();
  link.previous_end = in.u64();
  link.size = in.u64();
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return link;
}

Bytes encode_superblock(const Superblock& s) {
  ByteWriter out;
  out.u64(superblock_magic);
  out.u32(format_version);
  Bytes writer = s.writer;
  writer.resize(writer_bytes, '\0');
  out.raw(writer.data(), writer.size());
  put_hash(out, s.identity.log);
  out.u64(s.identity.partition);
  out.u64(s.sequence);
  put_hash(out, s.previous);
  out.u64(s.first_segment);
  out.u64(s.active_segment);
  out.u64(s.synced_upto);
  out.u8(static_cast<uint8_t>(s.closing));
  Bytes block = out.take();
  block.resize(block_bytes, '\0');
  uint32_t crc = crc32c(ByteView(block).substr(0, superblock_crc_at));
  std::memcpy(block.data() + superblock_crc_at, &crc, sizeof crc);
  return block;
}

Result<SuperblockQuorum> decode_superblocks(ByteView bytes) {
  std::array<DecodedSuperblock, superblock_copies> copies;
  for (size_t i = 0; i < copies.size() && (i + 1) * block_bytes <= bytes.size(); ++i)
    copies[i] = decode_superblock(bytes.substr(i * block_bytes, block_bytes));
  const DecodedSuperblock* best = nullptr;
  for (size_t i = 0; i < copies.size(); ++i) {
    if (copies[i].state == HeaderState::absent) continue;
    auto same = std::count_if(copies.begin(), copies.end(), [&](const DecodedSuperblock& other) {
      return other.state == copies[i].state && other.superblock == copies[i].superblock;
    });
    if (same >= 2 && (best == nullptr || best->superblock.sequence < copies[i].superblock.sequence))
      best = &copies[i];
  }
  if (best == nullptr)
    return Error{Code::data_loss, "no two of the superblock's four copies agree (offset 0)"};
  if (best->state == HeaderState::newer)
    return Error{Code::failed_precondition,
                 "written by " + best->superblock.writer + " in log format " +
                     std::to_string(best->format) + "; this program reads format " +
                     std::to_string(format_version) + ": use the newer program"};
  SuperblockQuorum quorum{best->superblock, {}};
  for (int i = 0; i < superblock_copies; ++i) {
    const DecodedSuperblock& copy = copies[static_cast<size_t>(i)];
    if (copy.state != HeaderState::valid || !(copy.superblock == best->superblock))
      quorum.differing.push_back(i);
  }
  return quorum;
}

}  // namespace pawl::wal
