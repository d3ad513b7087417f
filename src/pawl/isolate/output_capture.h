// Keeps one output stream of a process in bounded memory: its head, its tail, and the whole of it
// in a file up to a limit.
//
// A file comes into being when the stream outgrows its head, or when keep_file() asks for it: most
// programs print little, and leave no file behind. The file is written as the output comes, so that
// it can be followed. Past the limit one marker line is written and the rest is dropped (but
// counted). Without a path, nothing is written and only head and tail remain. What is written to the file
// also goes to `copies`, if given, as parts of `copy_path`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pawl/isolate/process.h"
#include "pawl/port/output_store.h"
#include "pawl/port/sink.h"

namespace pawl {

class OutputCapture {
 public:
  OutputCapture(std::string path, uint64_t file_bytes_max, Sink<OutputPart>* copies = nullptr,
                std::string copy_path = {});
  ~OutputCapture();
  OutputCapture(const OutputCapture&) = delete;
  OutputCapture& operator=(const OutputCapture&) = delete;

  void append(std::string_view bytes);
  void keep_file();  // what is there goes to the file now, and what comes later
  void follow();     // like keep_file(), as soon as there is anything
  uint64_t bytes() const { return output_.bytes; }
  bool empty() const { return output_.bytes == 0; }
  // Text that ends in exactly one line end: a result holds it without, and nothing is lost.
  bool is_plain_text() const;
  ProcessOutput finish();  // closes the file

 private:
  void write_file(std::string_view bytes);
  void open_file();
  void give_up(const std::string& what);
  void remember_tail(std::string_view bytes);
  void copy(std::string_view bytes);

  std::string path_;
  uint64_t file_bytes_max_ = 0;
  Sink<OutputPart>* copies_;
  std::string copy_path_;
  uint64_t copied_ = 0;
  uint64_t file_bytes_ = 0;
  int file_ = -1;
  bool follow_ = false;
  ProcessOutput output_;
};

}  // namespace pawl
