#include "pawl/access/audit_file.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

#include "pawl/access/audit_journal.h"
#include "pawl/api/rfc3339.h"
#include "pawl/base/json.h"

namespace pawl {
namespace {

constexpr size_t hash_digits = 64;
constexpr size_t line_bytes_max = 4096;  // names are short: a line that is longer is none

const std::string& chain_begin() {
  static const std::string begin(hash_digits, '0');
  return begin;
}

std::string hash_of(std::string_view previous, std::string_view record) {
  // Fetched once: EVP_sha256() would be looked up, under a lock, for each record.
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  std::string text;
  text.reserve(previous.size() + record.size());
  text.append(previous).append(record);
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  bool done = EVP_Digest(text.data(), text.size(), bytes, &size, sha256, nullptr) == 1;
  PAWL_CHECK(done && size * 2 == hash_digits, "SHA-256 is there");
  constexpr char digits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(hash_digits);
  for (unsigned int i = 0; i < size; ++i) {
    hex += digits[bytes[i] >> 4];
    hex += digits[bytes[i] & 15];
  }
  return hex;
}

std::string to_json(uint64_t number, const AuditRecord& record) {
  JsonWriter out;
  out.begin_object().key("number").number(number).key("at").string(rfc3339(record.at));
  out.key("caller").string(record.caller).key("namespace").string(record.name_space);
  out.key("call").string(record.call);
  if (!record.subject.empty()) out.key("subject").string(record.subject);
  out.key("result").string(name(record.result));
  if (record.unrecorded > 0) out.key("unrecorded").number(record.unrecorded);
  out.end_object();
  return out.take();
}

size_t bytes_of(const AuditRecord& record) {
  return sizeof record + record.caller.size() + record.name_space.size() + record.call.size() +
         record.subject.size();
}

uint64_t number_of(std::string_view digits) {
  uint64_t number = 0;
  for (char c : digits) number = c >= '0' && c <= '9' ? number * 10 + uint64_t(c - '0') : 0;
  return number;
}

uint64_t number_in(std::string_view json) {
  return number_of(json_find(json, {"number"}).value_or(""));
}

constexpr std::string_view segment_prefix = "audit-";
constexpr std::string_view segment_suffix = ".log";
constexpr size_t segment_digits = 12;  // at least

std::string folder_of(const std::string& path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? "./" : path.substr(0, slash + 1);
}

std::string segment_path(const std::string& path, uint64_t first) {
  std::string digits = std::to_string(first);
  digits.insert(0, segment_digits - std::min(segment_digits, digits.size()), '0');
  return folder_of(path).append(segment_prefix).append(digits).append(segment_suffix);
}

struct Segment {
  uint64_t first = 0;  // number of its first record
  std::string path;

  friend bool operator<(const Segment& a, const Segment& b) { return a.first < b.first; }
};

// The oldest first.
std::vector<Segment> segments_beside(const std::string& path) {
  std::vector<Segment> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder_of(path), ignored)) {
    std::string name = entry.path().filename().string();
    if (!name.starts_with(segment_prefix) || !name.ends_with(segment_suffix)) continue;
    std::string digits = name.substr(segment_prefix.size());
    digits.resize(digits.size() - std::min(digits.size(), segment_suffix.size()));
    if (digits.size() < segment_digits ||
        digits.find_first_not_of("0123456789") != std::string::npos)
      continue;
    found.push_back({number_of(digits), entry.path().string()});
  }
  std::sort(found.begin(), found.end());
  return found;
}

// "HASH JSON", or nothing.
bool is_line(std::string_view line) {
  return line.size() > hash_digits + 1 && line[hash_digits] == ' ' &&
         json_validate(line.substr(hash_digits + 1)).ok();
}

// What a file begins with that goes on after another: the hash of the record before its first.
bool is_head(std::string_view line) {
  return line.size() == hash_digits &&
         line.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

struct End {
  int64_t size = 0;      // of the whole lines
  bool cut_off = false;  // something stands behind them
  uint64_t first = 0;    // number of the first of them; 0: there is none
  uint64_t number = 0;   // of the last
  std::string hash = chain_begin();
};

Error broken(const std::string& path, const std::string& why) {
  return {Code::unavailable, "the audit trail " + path + " cannot be written: " + why};
}

// So that a new file is still there after a crash.
bool sync_directory_of(const std::string& path) {
  int fd = ::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool done = fd >= 0 && fsync(fd) == 0;
  if (fd >= 0) (void)close(fd);
  return done;
}

// The number in the first record.
uint64_t first_in(int fd) {
  std::string begin(hash_digits + 1 + line_bytes_max, '\0');
  ssize_t size = pread(fd, begin.data(), begin.size(), 0);
  if (size <= 0) return 0;
  begin.resize(static_cast<size_t>(size));
  std::string_view text = begin;
  if (is_head(text.substr(0, text.find('\n')))) text.remove_prefix(hash_digits + 1);
  std::string_view line = text.substr(0, text.find('\n'));
  return is_line(line) ? number_in(line.substr(hash_digits + 1)) : 0;
}

Result<int64_t> size_of(int fd, const std::string& path) {
  struct stat seen {};
  if (fstat(fd, &seen) != 0) return broken(path, std::strerror(errno));
  return seen.st_size;
}

// The last whole line of its first `size` bytes says where to go on.
Result<End> end_of(int fd, int64_t size, const std::string& path) {
  constexpr int64_t tail_max = 2 * line_bytes_max;
  std::string tail(static_cast<size_t>(std::min<int64_t>(size, tail_max)), '\0');
  int64_t begin = size - static_cast<int64_t>(tail.size());
  if (pread(fd, tail.data(), tail.size(), begin) != static_cast<ssize_t>(tail.size()))
    return broken(path, "its end cannot be read");
  size_t last = tail.rfind('\n');
  if (last == std::string::npos) {
    if (begin == 0) return End{.cut_off = !tail.empty()};
    return Error{Code::data_loss, path + ": its end is no record"};
  }
  size_t before = last == 0 ? std::string::npos : tail.rfind('\n', last - 1);
  size_t from = before == std::string::npos ? 0 : before + 1;
  std::string_view line(tail.data() + from, last - from);
  if (begin == 0 && from == 0 && is_head(line)) return End{.cut_off = true};
  if (!is_line(line) || number_in(line.substr(hash_digits + 1)) == 0)
    return Error{Code::data_loss,
                 path + ": its last line is no record; `pawl verify` says where it breaks"};
  return End{begin + static_cast<int64_t>(last) + 1, last + 1 < tail.size(), first_in(fd),
             number_in(line.substr(hash_digits + 1)), std::string(line.substr(0, hash_digits))};
}

// What a new file goes on with: where the newest segment ends.
Status go_on_after(const std::vector<Segment>& segments, End& end) {
  if (segments.empty()) return {};
  const std::string& path = segments.back().path;
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return broken(path, std::strerror(errno));
  Result<int64_t> size = size_of(fd, path);
  Result<End> before = size.ok() ? end_of(fd, *size, path) : Result<End>(size.error());
  (void)close(fd);
  if (!before.ok()) return std::move(before.error());
  end.number = before->number;
  end.hash = before->hash;
  return {};
}

// Where a file goes on, of which so many bytes are there.
Result<End> where_to_go_on(int fd, int64_t size, const std::string& path) {
  PAWL_ASSIGN(End end, end_of(fd, size, path));
  if (end.number == 0) PAWL_TRY(go_on_after(segments_beside(path), end));
  return end;
}

// As much of the lines as follows a record with this hash.
std::string_view chained(std::string_view lines, std::string hash) {
  size_t end = 0;
  while (end < lines.size()) {
    const size_t stop = lines.find('\n', end);
    if (stop == std::string_view::npos) break;
    std::string_view line = lines.substr(end, stop - end);
    const bool head = end == 0 && is_head(line) && line == hash;
    if (!head && (!is_line(line) ||
                  hash_of(hash, line.substr(hash_digits + 1)) != line.substr(0, hash_digits)))
      break;
    hash = line.substr(0, hash_digits);
    end = stop + 1;
  }
  return lines.substr(0, end);
}

bool append(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

// After a crash: what was acknowledged stands in the journal, and perhaps not all of it in the file; what stands
// behind it there may have holes. Where the two tell different stories the journal is another file's.
Status restore(int fd, const std::string& path, const AuditJournal::Found& found) {
  PAWL_ASSIGN(const int64_t size, size_of(fd, path));
  const auto begun = static_cast<int64_t>(found.file_size);
  if (begun > size || found.lines.empty()) return {};
  Result<End> before = where_to_go_on(fd, begun, path);
  if (!before.ok() || before->size != begun) return {};
  const std::string_view lines = chained(found.lines, before->hash);
  std::string there(static_cast<size_t>(size - begun), '\0');
  if (pread(fd, there.data(), there.size(), begun) != static_cast<ssize_t>(there.size()))
    return broken(path, "its end cannot be read");
  const std::string_view good = chained(there, before->hash);
  const bool same_story = good.starts_with(lines) || lines.starts_with(good);
  if (lines.empty() || !same_story) return {};
  const std::string_view missing = lines.substr(std::min(good.size(), lines.size()));
  if (ftruncate(fd, begun + static_cast<int64_t>(good.size())) != 0 || !append(fd, missing))
    return broken(path, std::strerror(errno));
  return {};
}

// Nothing in it is missing, nothing cut off, and all of it on disk.
Result<End> ready(int fd, const std::string& path, const AuditJournal::Found& found) {
  PAWL_TRY(restore(fd, path, found));
  PAWL_ASSIGN(const int64_t size, size_of(fd, path));
  PAWL_ASSIGN(End end, where_to_go_on(fd, size, path));
  const bool trimmed = !end.cut_off || ftruncate(fd, end.size) == 0;
  if (!trimmed || fsync(fd) != 0 || !sync_directory_of(path))
    return broken(path, std::strerror(errno));
  return end;
}

}  // namespace

struct AuditFile::Impl {
  Impl(int fd, std::string file, const End& end, std::unique_ptr<AuditJournal> own_journal,
       Loop& own_loop, uint64_t segment_bytes_max)
      : descriptor(fd),
        path(std::move(file)),
        journal(std::move(own_journal)),
        loop(own_loop),
        segment_bytes(segment_bytes_max),
        size(static_cast<uint64_t>(end.size)),
        first(end.first != 0 ? end.first : end.number + 1),
        hash(end.hash),
        number(end.number),
        durable_number(end.number),
        thread([this] { write_until_closed(); }) {}
  ~Impl() {
    {
      std::lock_guard<std::mutex> lock(mutex);
      closing = true;
    }
    changed.notify_all();
    thread.join();
    (void)close(descriptor);
  }

  void write_until_closed() {
    std::unique_lock<std::mutex> lock(mutex);
    for (;;) {
      changed.wait(lock, [this] { return closing || !pending.empty(); });
      if (pending.empty()) break;
      std::vector<AuditRecord> records = std::exchange(pending, {});
      pending_bytes = 0;
      uint64_t last = number;
      lock.unlock();
      changed.notify_all();
      std::string failed = write_records(records, last + 1 - records.size());
      lock.lock();
      if (failed.empty()) durable_number = last;
      if (!failed.empty() && failure.empty()) failure = failed;
      loop.wake();
    }
    // From now on the file speaks for itself.
    if (failure.empty()) (void)sync_file();
  }

  std::string write_records(const std::vector<AuditRecord>& records, uint64_t next) {
    std::string failed = size < segment_bytes ? failure : begin_segment(next);
    if (!failed.empty()) return failed;
    std::string lines;
    // So that its first record can be checked when the files before it have been moved away.
    if (size == 0 && next > 1) lines = hash + "\n";
    for (const AuditRecord& record : records) {
      std::string json = to_json(next++, record);
      hash = hash_of(hash, json);
      lines.append(hash).append(1, ' ').append(json).append(1, '\n');
    }
    return write_lines(lines);
  }

  // Once a write or a sync has failed nobody knows what is on the disk: it is not tried again.
  std::string write_lines(std::string_view lines) {
    size += lines.size();
    if (!append(descriptor, lines)) return std::strerror(errno);
    if (!journal->has_room(lines.size())) return sync_file();
    Status written = journal->write(lines);
    return written.ok() ? "" : written.error().message;
  }

  std::string sync_file() {
    if (fdatasync(descriptor) != 0) return std::strerror(errno);
    journal->begin(size);
    Status begun = journal->write({});
    return begun.ok() ? "" : begun.error().message;
  }

  // A crash in between leaves no newest file: the next open makes it.
  std::string begin_segment(uint64_t next) {
    if (!failure.empty()) return failure;
    if (std::string failed = sync_file(); !failed.empty()) return failed;
    if (rename(path.c_str(), segment_path(path, first).c_str()) != 0) return std::strerror(errno);
    int fresh = ::open(path.c_str(), open_flags | O_EXCL, S_IRUSR | S_IWUSR);
    if (fresh < 0) return std::strerror(errno);
    (void)close(std::exchange(descriptor, fresh));
    size = 0;
    first = next;
    journal->begin(0);
    return sync_directory_of(path) ? "" : std::strerror(errno);
  }

  static constexpr int open_flags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC;

  int descriptor;  // this and what follows to `hash`: the thread's
  const std::string path;
  std::unique_ptr<AuditJournal> journal;
  Loop& loop;
  const uint64_t segment_bytes;
  uint64_t size;     // of the newest file
  uint64_t first;    // number of its first record
  std::string hash;  // of the last record
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<AuditRecord> pending;
  size_t pending_bytes = 0;
  uint64_t number = 0;  // of the last that was added
  uint64_t durable_number = 0;
  std::string failure;  // written by the thread alone, read under the mutex elsewhere
  bool closing = false;
  std::thread thread;
};

AuditFile::AuditFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AuditFile::~AuditFile() = default;

Result<std::unique_ptr<AuditFile>> AuditFile::open(const std::string& path, Disk& disk, Loop& loop,
                                                   uint64_t segment_bytes) {
  PAWL_ASSIGN(std::unique_ptr<AuditJournal> journal, AuditJournal::open(disk));
  int fd = ::open(path.c_str(), Impl::open_flags, S_IRUSR | S_IWUSR);
  if (fd < 0) return broken(path, std::strerror(errno));
  Result<End> end = ready(fd, path, journal->found());
  if (!end.ok()) {
    (void)close(fd);
    return std::move(end.error());
  }
  journal->begin(static_cast<uint64_t>(end->size));
  auto impl = std::make_unique<Impl>(fd, path, *end, std::move(journal), loop, segment_bytes);
  return std::unique_ptr<AuditFile>(new AuditFile(std::move(impl)));
}

uint64_t AuditFile::add(AuditRecord record) {
  std::unique_lock<std::mutex> lock(impl_->mutex);
  impl_->changed.wait(lock, [this] { return impl_->pending_bytes < audit_pending_bytes_max; });
  impl_->pending_bytes += bytes_of(record);
  impl_->pending.push_back(std::move(record));
  if (impl_->pending.size() == 1) impl_->changed.notify_all();
  return ++impl_->number;
}

Result<uint64_t> AuditFile::durable() {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  if (!impl_->failure.empty()) return broken(impl_->path, impl_->failure);
  return impl_->durable_number;
}

namespace {

constexpr const char* out_of_chain =
    "it, or a line before it, was changed, removed, added or moved";

// Follows the chain through the files.
struct Chain {
  AuditReport report;
  bool joined = true;  // the hash before the first record is known

  void follow(const std::string& path);
  std::string wrong_with(std::string_view line);
};

// Empty: nothing.
std::string Chain::wrong_with(std::string_view line) {
  if (!is_line(line)) return "it is no record";
  std::string_view json = line.substr(hash_digits + 1);
  std::string_view hash = line.substr(0, hash_digits);
  const uint64_t number = number_in(json);
  if (report.first == 0) report.first = number;
  if (joined && hash_of(report.newest, json) != hash) return out_of_chain;
  const uint64_t expected = report.newest_number() + 1;
  if (number != expected) return "its number is not " + std::to_string(expected);
  joined = true;
  ++report.records;
  report.newest = hash;
  return {};
}

void Chain::follow(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string file = path.substr(folder_of(path).size());
  uint64_t at = 1;
  for (std::string line; std::getline(in, line); ++at) {
    if (in.eof()) {  // no newline ends it
      report.cut_off = true;
      return;
    }
    std::string wrong;
    if (at == 1 && is_head(line)) {
      if (report.records == 0)
        report.newest = line;
      else if (report.newest != line)
        wrong = out_of_chain;
      joined = true;
    } else {
      wrong = wrong_with(line);
    }
    if (wrong.empty()) continue;
    report.problem = file + ": line " + std::to_string(at) + ": " + wrong;
    return;
  }
}

}  // namespace

Result<AuditReport> verify_audit(const std::string& path) {
  std::vector<Segment> segments = segments_beside(path);
  bool newest = std::filesystem::exists(path);
  if (!newest && segments.empty()) return Error{Code::not_found, path + " cannot be read"};
  Chain chain;
  AuditReport& report = chain.report;
  report.newest = chain_begin();
  report.segments = static_cast<uint32_t>(segments.size());
  report.first = segments.empty() ? 0 : std::max<uint64_t>(segments.front().first, 1);
  chain.joined = report.first <= 1;
  if (newest) segments.push_back({0, path});
  for (const Segment& one : segments) {
    if (report.cut_off) report.problem = "the file before " + one.path + " ends in a cut off line";
    if (!report.problem) chain.follow(one.path);
  }
  report.first = std::max<uint64_t>(report.first, 1);
  return report;
}

}  // namespace pawl
