// Runs a fuzz target without libFuzzer: every file of a corpus, then mutations of them from a fixed
// seed for about a second. Linked to each *_fuzz.cc by ordinary builds.
//
//   event_fuzz CORPUS [--seed N] [--seconds N]      what ctest runs
//   event_fuzz FILE                                 one input again
//
// When the target dies, the input is left in crash-input in the working directory, and the line
// that runs it again is printed.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "pawl/base/random.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
// A sanitizer's report is to end in a signal, too, so that its input is kept.
extern "C" const char* __asan_default_options() {
  return "abort_on_error=1";
}
extern "C" const char* __ubsan_default_options() {
  return "abort_on_error=1";
}

namespace {

using Bytes = std::vector<uint8_t>;

constexpr size_t input_bytes_max = 64 * 1024;

// A signal handler has no other way to learn what was running.
const Bytes* running = nullptr;
const char* program = "";

void say(const char* text) {
  if (write(STDERR_FILENO, text, std::strlen(text)) < 0) _exit(1);
}

void on_crash(int signal) {
  int file = open("crash-input", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  bool kept =
      file >= 0 && running != nullptr &&
      write(file, running->data(), running->size()) == static_cast<ssize_t>(running->size());
  say("the fuzz target died; again with: ");
  say(program);
  say(kept ? " crash-input\n" : " (the input could not be kept)\n");
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void run(const Bytes& input) {
  running = &input;
  LLVMFuzzerTestOneInput(input.data(), input.size());
  running = nullptr;
}

Bytes read_whole(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

std::vector<Bytes> read_corpus(const std::filesystem::path& path) {
  std::vector<Bytes> inputs;
  if (std::filesystem::is_directory(path)) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(path)) files.push_back(entry);
    std::sort(files.begin(), files.end());
    for (const auto& file : files) inputs.push_back(read_whole(file));
  } else if (std::filesystem::exists(path)) {
    inputs.push_back(read_whole(path));
  }
  return inputs;
}

size_t place(pawl::Random& dice, const Bytes& input) {
  return dice.below(input.size());
}

void insert_some(pawl::Random& dice, Bytes& input, const Bytes& source) {
  size_t from = dice.below(source.size());
  size_t count = std::min<size_t>(1 + dice.below(16), source.size() - from);
  auto at = input.begin() + static_cast<ptrdiff_t>(dice.below(input.size() + 1));
  Bytes piece(source.begin() + static_cast<ptrdiff_t>(from),
              source.begin() + static_cast<ptrdiff_t>(from + count));
  input.insert(at, piece.begin(), piece.end());
}

void mutate_once(pawl::Random& dice, Bytes& input, const Bytes& other) {
  static constexpr uint8_t interesting[] = {0, 1, 0x7f, 0x80, 0xff, '"', '{', '[', '}', '\n', '$'};
  if (input.empty()) {
    input.push_back(static_cast<uint8_t>(dice.below(256)));
    return;
  }
  switch (dice.below(6)) {
    case 0:
      input[place(dice, input)] ^= static_cast<uint8_t>(1U << dice.below(8));
      break;
    case 1:
      input[place(dice, input)] = static_cast<uint8_t>(dice.below(256));
      break;
    case 2:
      input[place(dice, input)] = interesting[dice.below(std::size(interesting))];
      break;
    case 3: {
      auto first = input.begin() + static_cast<ptrdiff_t>(place(dice, input));
      input.erase(first, first + std::min<ptrdiff_t>(1 + static_cast<ptrdiff_t>(dice.below(8)),
                                                     input.end() - first));
      break;
    }
    case 4:
      insert_some(dice, input, Bytes(input));
      break;
    default:
      if (!other.empty()) insert_some(dice, input, other);
  }
  if (input.size() > input_bytes_max) input.resize(input_bytes_max);
}

uint64_t mutate_for(std::chrono::seconds budget, uint64_t seed, const std::vector<Bytes>& corpus) {
  pawl::Random dice(seed);
  auto end = std::chrono::steady_clock::now() + budget;
  uint64_t runs = 0;
  while (std::chrono::steady_clock::now() < end) {
    Bytes input = corpus[dice.below(corpus.size())];
    const Bytes& other = corpus[dice.below(corpus.size())];
    for (uint64_t left = 1 + dice.below(4); left > 0; --left) mutate_once(dice, input, other);
    run(input);
    ++runs;
  }
  return runs;
}

}  // namespace

int main(int argc, char** argv) {
  program = argv[0];
  uint64_t seed = 1;
  int64_t seconds = 1;
  std::string path;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word == "--seed" && i + 1 < argc) {
      seed = std::strtoull(argv[++i], nullptr, 10);
    } else if (word == "--seconds" && i + 1 < argc) {
      seconds = std::strtoll(argv[++i], nullptr, 10);
    } else {
      path = word;
    }
  }
  for (int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(signal, on_crash);

  std::vector<Bytes> corpus = read_corpus(path);
  for (const Bytes& input : corpus) run(input);
  size_t known = corpus.size();
  if (!path.empty() && std::filesystem::is_regular_file(path)) return 0;
  if (corpus.empty()) corpus.emplace_back();
  uint64_t runs = mutate_for(std::chrono::seconds(seconds), seed, corpus);
  std::printf("%zu known inputs, %llu mutations, seed %llu\n", known,
              static_cast<unsigned long long>(runs), static_cast<unsigned long long>(seed));
  return 0;
}
