#include "pawl/access/audit_file.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <fstream>
#include <mutex>
#include <thread>

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
  std::string text;
  text.append(previous).append(record);
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  bool done = EVP_Digest(text.data(), text.size(), bytes, &size, EVP_sha256(), nullptr) == 1;
  PAWL_CHECK(done && size * 2 == hash_digits, "SHA-256 is there");
  constexpr char digits[] = "0123456789abcdef";
  std::string hex;
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

uint64_t number_in(std::string_view json) {
  auto found = json_find(json, {"number"});
  uint64_t number = 0;
  for (char c : found.value_or(""))
    number = c >= '0' && c <= '9' ? number * 10 + uint64_t(c - '0') : 0;
  return number;
}

// "HASH JSON", or nothing.
bool is_line(std::string_view line) {
  return line.size() > hash_digits + 1 && line[hash_digits] == ' ' &&
         json_validate(line.substr(hash_digits + 1)).ok();
}

struct End {
  int64_t size = 0;      // of the whole lines
  bool cut_off = false;  // something stands behind them
  uint64_t number = 0;
  std::string hash = chain_begin();
};

Error broken(const std::string& path, const std::string& why) {
  return {Code::unavailable, "the audit trail " + path + " cannot be written: " + why};
}

// So that a new file is still there after a crash.
bool sync_directory_of(const std::string& path) {
  size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool done = fd >= 0 && fsync(fd) == 0;
  if (fd >= 0) (void)close(fd);
  return done;
}

// The last whole line says where to go on.
Result<End> end_of(int fd, const std::string& path) {
  struct stat seen {};
  if (fstat(fd, &seen) != 0) return broken(path, std::strerror(errno));
  constexpr int64_t tail_max = 2 * line_bytes_max;
  std::string tail(static_cast<size_t>(std::min<int64_t>(seen.st_size, tail_max)), '\0');
  int64_t begin = seen.st_size - static_cast<int64_t>(tail.size());
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
  if (!is_line(line) || number_in(line.substr(hash_digits + 1)) == 0)
    return Error{Code::data_loss,
                 path + ": its last line is no record; `pawl verify` says where it breaks"};
  return End{begin + static_cast<int64_t>(last) + 1, last + 1 < tail.size(),
             number_in(line.substr(hash_digits + 1)), std::string(line.substr(0, hash_digits))};
}

}  // namespace

struct AuditFile::Impl {
  Impl(int fd, std::string file, const End& end, Loop& own_loop)
      : descriptor(fd),
        path(std::move(file)),
        loop(own_loop),
        number(end.number),
        hash(end.hash),
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
      if (pending.empty()) return;
      std::string batch = std::exchange(pending, {});
      uint64_t last = number;
      lock.unlock();
      changed.notify_all();
      std::string failed = write_batch(batch);
      lock.lock();
      if (failed.empty()) durable_number = last;
      if (!failed.empty() && failure.empty()) failure = failed;
      loop.wake();
    }
  }

  // Once a sync has failed nobody knows what is on the disk: it is not tried again.
  std::string write_batch(std::string_view batch) {
    if (!failure.empty()) return failure;
    while (!batch.empty()) {
      ssize_t size = write(descriptor, batch.data(), batch.size());
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) return std::strerror(errno);
      batch.remove_prefix(static_cast<size_t>(size));
    }
    return fdatasync(descriptor) == 0 ? "" : std::strerror(errno);
  }

  const int descriptor;
  const std::string path;
  Loop& loop;
  std::mutex mutex;
  std::condition_variable changed;
  std::string pending;
  uint64_t number = 0;
  std::string hash;
  uint64_t durable_number = 0;
  std::string failure;  // written by the thread alone, read under the mutex elsewhere
  bool closing = false;
  std::thread thread;
};

AuditFile::AuditFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AuditFile::~AuditFile() = default;

Result<std::unique_ptr<AuditFile>> AuditFile::open(const std::string& path, Loop& loop) {
  int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd < 0) return broken(path, std::strerror(errno));
  Result<End> end = end_of(fd, path);
  bool repaired = end.ok() && (!end->cut_off || (ftruncate(fd, end->size) == 0 && fsync(fd) == 0));
  if (end.ok() && (!repaired || !sync_directory_of(path))) end = broken(path, std::strerror(errno));
  if (!end.ok()) {
    (void)close(fd);
    return std::move(end.error());
  }
  auto impl = std::make_unique<Impl>(fd, path, *end, loop);
  return std::unique_ptr<AuditFile>(new AuditFile(std::move(impl)));
}

uint64_t AuditFile::add(const AuditRecord& record) {
  std::unique_lock<std::mutex> lock(impl_->mutex);
  impl_->changed.wait(lock, [this] { return impl_->pending.size() < audit_pending_bytes_max; });
  std::string json = to_json(++impl_->number, record);
  impl_->hash = hash_of(impl_->hash, json);
  impl_->pending += impl_->hash + " " + json + "\n";
  impl_->changed.notify_all();
  return impl_->number;
}

Result<uint64_t> AuditFile::durable() {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  if (!impl_->failure.empty()) return broken(impl_->path, impl_->failure);
  return impl_->durable_number;
}

Result<AuditReport> verify_audit(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return Error{Code::not_found, path + " cannot be read"};
  AuditReport report;
  report.newest = chain_begin();
  uint64_t at = 1;
  auto wrong = [&](const std::string& what) {
    report.problem = "line " + std::to_string(at) + ": " + what;
    return report;
  };
  for (std::string line; std::getline(in, line); ++at) {
    if (in.eof()) {  // no newline ends it
      report.cut_off = true;
      break;
    }
    if (!is_line(line)) return wrong("it is no record");
    std::string_view json = std::string_view(line).substr(hash_digits + 1);
    if (hash_of(report.newest, json) != std::string_view(line).substr(0, hash_digits))
      return wrong("it, or a line before it, was changed, removed, added or moved");
    if (number_in(json) != at) return wrong("its number is not " + std::to_string(at));
    ++report.records;
    report.newest = line.substr(0, hash_digits);
  }
  return report;
}

}  // namespace pawl
