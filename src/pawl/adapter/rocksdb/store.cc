#include "pawl/adapter/rocksdb/store.h"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/sst_partitioner.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <vector>

namespace pawl {
namespace {

constexpr char data_prefix = 'd';
const char* const position_key = "position";  // sorts after all data keys

class SilentLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

Error error_from(const rocksdb::Status& status) {
  Code code = Code::unavailable;
  if (status.IsCorruption() || status.IsPathNotFound() || status.IsNotFound()) {
    code = Code::data_loss;
  } else if (status.IsNoSpace()) {
    code = Code::resource_exhausted;
  } else if (status.ToString().find(std::strerror(EACCES)) != std::string::npos) {
    code = Code::permission_denied;
  }
  return {code, "RocksDB: " + status.ToString()};
}

rocksdb::CompressionType compression() {
  const auto supported = rocksdb::GetSupportedCompressions();
  const bool lz4 =
      std::find(supported.begin(), supported.end(), rocksdb::kLZ4Compression) != supported.end();
  return lz4 ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
}

rocksdb::Options quiet_options() {
  rocksdb::Options options;
  options.paranoid_checks = true;
  options.info_log = std::make_shared<SilentLogger>();
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

// Most rows come in the order of their keys, each kind (the first byte) at an end of its own. A table that holds one
// kind then lies beside those of the levels below and is moved down as it is; one that spans all kinds
// overlaps everything, and all of a level was written again for each few megabytes. What comes in at the top is
// merged into tables of one kind, in a level that is only a few times as large.
void shape_levels(rocksdb::Options& options, uint64_t write_buffer_bytes) {
  constexpr size_t kind_bytes = 2;  // with the data prefix
  constexpr int top_tables = 8;
  options.sst_partitioner_factory = rocksdb::NewSstPartitionerFixedPrefixFactory(kind_bytes);
  options.level0_file_num_compaction_trigger = top_tables;
  options.max_bytes_for_level_base = 4 * write_buffer_bytes;
  options.target_file_size_base = 4 * write_buffer_bytes;
}

rocksdb::Options live_options(const RocksdbViewOptions& wanted) {
  rocksdb::Options options = quiet_options();
  options.create_if_missing = true;
  options.avoid_flush_during_shutdown = true;  // live/ is thrown away anyway
  options.compression = compression();
  options.write_buffer_size = wanted.write_buffer_bytes;
  options.max_write_buffer_number = 2;
  shape_levels(options, wanted.write_buffer_bytes);
  options.max_open_files = wanted.open_files_max;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(wanted.block_cache_bytes);
  // Most lookups ask for what is not there (is this request id new?).
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

// In the order of their keys, and of their coming where those are equal: each finds its place beside the
// last one's. As they come, rows of a thousand executions take twice as long to write.
std::vector<const std::pair<Bytes, Bytes>*> in_order(
    const std::deque<std::pair<Bytes, Bytes>>& rows) {
  std::vector<const std::pair<Bytes, Bytes>*> sorted;
  sorted.reserve(rows.size());
  for (const auto& row : rows) sorted.push_back(&row);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto* a, const auto* b) { return a->first < b->first; });
  return sorted;
}

Bytes data_key(ByteView key) {
  Bytes out(1, data_prefix);
  out += key;
  return out;
}

Result<uint64_t> read_position(rocksdb::DB& db) {
  std::string value;
  const rocksdb::Status found = db.Get(rocksdb::ReadOptions(), position_key, &value);
  if (found.IsNotFound()) return uint64_t{0};
  if (!found.ok()) return error_from(found);
  ByteReader in(value);
  const uint64_t position = in.u64();
  if (!in.ok() || !in.at_end()) return Error{Code::data_loss, "the position entry is malformed"};
  return position;
}

constexpr size_t verify_bytes_ahead = 2 << 20;

rocksdb::Status verify_with(const rocksdb::Options& options, const std::string& path) {
  rocksdb::SstFileReader reader(options);
  const rocksdb::Status opened = reader.Open(path);
  if (!opened.ok()) return opened;
  rocksdb::ReadOptions read;
  read.readahead_size = verify_bytes_ahead;
  return reader.VerifyChecksum(read);
}

class RocksdbCursor final : public ViewCursor {
 public:
  RocksdbCursor(rocksdb::DB& db, ByteView from, ByteView to) : upper_(data_key(to)) {
    rocksdb::ReadOptions options;
    upper_slice_ = upper_;
    options.iterate_upper_bound = &upper_slice_;
    iterator_.reset(db.NewIterator(options));
    // RocksDB leaves a seek at or above the upper bound undefined.
    if (from < to) iterator_->Seek(data_key(from));
  }
  bool valid() const override { return iterator_->Valid(); }
  ByteView key() const override { return iterator_->key().ToStringView().substr(1); }
  ByteView value() const override { return iterator_->value().ToStringView(); }
  void next() override { iterator_->Next(); }
  Status status() const override {
    if (!iterator_->status().ok()) return error_from(iterator_->status());
    return {};
  }

 private:
  Bytes upper_;
  rocksdb::Slice upper_slice_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

}  // namespace

struct RocksdbStore::Impl {
  std::unique_ptr<rocksdb::DB> db;
};

RocksdbStore::RocksdbStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RocksdbStore::~RocksdbStore() = default;

Result<std::unique_ptr<RocksdbStore>> RocksdbStore::open(const std::string& directory,
                                                         const RocksdbViewOptions& options) {
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened = rocksdb::DB::Open(live_options(options), directory, &db);
  if (!opened.ok()) return error_from(opened).within(directory);
  auto impl = std::make_unique<Impl>();
  impl->db.reset(db);
  auto position = read_position(*db);
  if (!position.ok()) return std::move(position.error()).within(directory);
  std::unique_ptr<RocksdbStore> store(new RocksdbStore(std::move(impl)));
  store->position_ = *position;
  return store;
}

Status RocksdbStore::apply(const ViewBatch& batch) {
  rocksdb::WriteBatch writes;
  for (const auto& [from, to] : batch.delete_ranges) {
    if (from < to) writes.DeleteRange(data_key(from), data_key(to));
  }
  for (const Bytes& key : batch.deletes) writes.Delete(data_key(key));
  for (const auto* row : in_order(batch.puts)) writes.Put(data_key(row->first), row->second);
  ByteWriter position;
  position.u64(batch.position);
  writes.Put(position_key, position.view());

  rocksdb::WriteOptions options;
  options.disableWAL = true;
  rocksdb::Status written = impl_->db->Write(options, &writes);
  if (!written.ok()) {
    // An earlier flush may have failed for want of space; RocksDB refuses writes until it is told
    // to look again.
    if (!impl_->db->Resume().ok()) return error_from(written);
    written = impl_->db->Write(options, &writes);
    if (!written.ok()) return error_from(written);
  }
  position_ = batch.position;
  return {};
}

Status RocksdbStore::checkpoint(const std::string& directory) {
  rocksdb::Checkpoint* raw = nullptr;
  rocksdb::Status status = rocksdb::Checkpoint::Create(impl_->db.get(), &raw);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(raw);
  if (status.ok()) status = checkpoint->CreateCheckpoint(directory);  // flushes first
  if (!status.ok()) {
    impl_->db->Resume().PermitUncheckedError();  // so that a later try starts from a clean slate
    return error_from(status);
  }
  return {};
}

Result<std::optional<Bytes>> RocksdbStore::get(ByteView key) const {
  std::string value;
  const rocksdb::Status found = impl_->db->Get(rocksdb::ReadOptions(), data_key(key), &value);
  if (found.IsNotFound()) return std::optional<Bytes>();
  if (!found.ok()) return error_from(found);
  return std::optional<Bytes>(std::move(value));
}

std::unique_ptr<ViewCursor> RocksdbStore::scan(ByteView from, ByteView to) const {
  return std::make_unique<RocksdbCursor>(*impl_->db, from, to);
}

Status verify_table(const std::string& path, ReadFrom from) {
  rocksdb::Options options = quiet_options();
  options.use_direct_reads = from == ReadFrom::medium;
  rocksdb::Status status = verify_with(options, path);
  if (options.use_direct_reads && !status.ok() && !status.IsCorruption()) {
    options.use_direct_reads = false;  // some file systems have no such reads
    status = verify_with(options, path);
  }
  if (!status.ok()) return error_from(status).within(path);
  return {};
}

Result<uint64_t> verify_store(const std::string& directory) {
  rocksdb::DB* raw = nullptr;
  const rocksdb::Status opened =
      rocksdb::DB::OpenForReadOnly(quiet_options(), directory, &raw, false);
  if (!opened.ok()) return error_from(opened).within(directory);
  const std::unique_ptr<rocksdb::DB> db(raw);
  auto position = read_position(*db);
  if (!position.ok()) return std::move(position.error()).within(directory);
  return position;
}

}  // namespace pawl
