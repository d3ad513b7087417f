#include "pawl/access/audit_journal.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace pawl {
namespace {

constexpr uint64_t block_bytes = 4096;
constexpr size_t head_digits = 20;  // the size of the file, and a newline behind it

// A journal that was never begun is all zeros.
AuditJournal::Found found_in(std::string_view content) {
  AuditJournal::Found found;
  const std::string_view text = content.substr(0, content.find('\0'));
  auto [end, error] = std::from_chars(text.data(), text.data() + std::min(text.size(), head_digits),
                                      found.file_size);
  const bool headed = error == std::errc() && end == text.data() + head_digits &&
                      text.size() > head_digits && text[head_digits] == '\n';
  if (headed) found.lines = text.substr(head_digits + 1);
  return found;
}

}  // namespace

void AuditJournal::Free::operator()(char* memory) const {
  std::free(memory);
}

AuditJournal::AuditJournal(std::unique_ptr<File> file)
    : file_(std::move(file)),
      image_(static_cast<char*>(std::aligned_alloc(block_bytes, audit_journal_bytes))) {}

Result<std::unique_ptr<AuditJournal>> AuditJournal::open(Disk& disk) {
  Result<std::unique_ptr<File>> file = disk.open(audit_journal_name);
  if (!file.ok() && file.error().code == Code::not_found)
    file = disk.create(audit_journal_name, audit_journal_bytes);
  if (!file.ok()) return std::move(file.error());
  std::unique_ptr<AuditJournal> journal(new AuditJournal(std::move(*file)));
  PAWL_ASSIGN(Bytes content, journal->file_->read(0, audit_journal_bytes));
  journal->found_ = found_in(content);
  return journal;
}

void AuditJournal::begin(uint64_t file_size) {
  std::string head = std::to_string(file_size);
  head.insert(0, head_digits - head.size(), '0');
  head += '\n';
  std::memcpy(image_.get(), head.data(), head.size());
  used_ = head.size();
}

// The blocks that hold them: what is acknowledged in the first is written again as it is.
Status AuditJournal::write(std::string_view lines) {
  const uint64_t from = used_ <= head_digits + 1 ? 0 : used_ / block_bytes * block_bytes;
  std::memcpy(image_.get() + used_, lines.data(), lines.size());
  used_ += lines.size();
  const uint64_t to = (used_ + block_bytes - 1) / block_bytes * block_bytes;
  std::memset(image_.get() + used_, 0, to - used_);
  return file_->write(from, {image_.get() + from, to - from});
}

}  // namespace pawl
