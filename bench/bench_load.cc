// Clients of a server's REST door: requests that come when they are due, or as fast as they are answered.
//
//   bench_load PORT SECONDS CONNECTIONS RATE BODY [PATH]
//
// RATE is requests per second, evenly spaced; one that finds every connection busy waits, and its wait
// counts. 0: each connection sends its next request when it has its answer. `@now@` in BODY becomes the
// time at which the request was due: nanoseconds of the machine's monotonic clock. Prints one JSON object.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "pawl/base/check.h"

namespace {

constexpr int64_t second = 1'000'000'000;
constexpr int64_t patience = 10 * second;  // for the last answers
constexpr std::string_view now_mark = "@now@";
constexpr std::string_view number_mark = "\"output\":{\"json\":";
constexpr size_t now_digits =
    19;  // a number in JSON has no leading zeros, so blanks come before it

int64_t now_ns() {
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

int connected(uint16_t port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&where), sizeof where) != 0) {
    std::fprintf(stderr, "bench_load: nobody answers at 127.0.0.1:%d\n", port);
    exit(1);
  }
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

struct Connection {
  int fd = -1;
  int64_t due = 0;  // of the open request
  std::string answer;
};

struct Tally {
  std::vector<int64_t> latencies;  // of requests answered 200 to 202
  std::vector<uint64_t> by_second;
  double numbers_sum = 0;  // outputs that are numbers
  uint64_t numbers = 0;
  uint64_t refused = 0;  // 429 and 503
  uint64_t failed = 0;   // any other status
};

class Load {
 public:
  Load(uint16_t port, uint32_t connections, double rate, std::string body, const std::string& path)
      : gap_(rate > 0 ? static_cast<double>(second) / rate : 0), epoll_(epoll_create1(0)) {
    size_t mark = body.find(now_mark);
    if (mark != std::string::npos) body.replace(mark, now_mark.size(), now_digits, ' ');
    request_ = "POST " + path +
               " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n" +
               "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    if (mark != std::string::npos) stamp_at_ = request_.size() + mark;
    request_ += body;
    all_.resize(connections);
    for (uint32_t i = 0; i < connections; ++i) {
      all_[i].fd = connected(port);
      epoll_event event{EPOLLIN, {.u32 = i}};
      PAWL_CHECK(epoll_ctl(epoll_, EPOLL_CTL_ADD, all_[i].fd, &event) == 0, "it can be watched");
      idle_.push_back(i);
    }
  }
  ~Load() {
    for (Connection& one : all_) close(one.fd);
    close(epoll_);
  }

  void run(int64_t length) {
    start_ = now_ns();
    int64_t end = start_ + length;
    for (int64_t now = start_; now < end + patience; now = now_ns()) {
      if (now < end) send_what_is_due(now);
      if (now >= end && idle_.size() == all_.size()) break;
      wait_and_read(now, end);
    }
  }

  void print(double seconds) {
    std::sort(tally_.latencies.begin(), tally_.latencies.end());
    double sum = 0;
    for (int64_t one : tally_.latencies) sum += static_cast<double>(one);
    double count = static_cast<double>(std::max<size_t>(tally_.latencies.size(), 1));
    std::printf(
        "{\"rate\": %.1f, \"answered\": %zu, \"refused\": %lu, \"failed\": %lu, \"open\": %zu, "
        "\"late\": %lu, \"mean_ms\": %.4f, \"p50_ms\": %.4f, \"p95_ms\": %.4f, \"p99_ms\": %.4f, "
        "\"output_mean\": %.1f, \"by_second\": [",
        static_cast<double>(tally_.latencies.size()) / seconds, tally_.latencies.size(),
        tally_.refused, tally_.failed, all_.size() - idle_.size(), due_count(now_ns()) - sent_,
        sum / count / 1e6, quantile(0.5), quantile(0.95), quantile(0.99),
        tally_.numbers_sum / static_cast<double>(std::max<uint64_t>(tally_.numbers, 1)));
    for (size_t i = 0; i < tally_.by_second.size(); ++i)
      std::printf("%s%lu", i == 0 ? "" : ", ", tally_.by_second[i]);
    std::printf("]}\n");
  }

 private:
  double quantile(double part) const {
    if (tally_.latencies.empty()) return 0;
    auto at = static_cast<size_t>(part * static_cast<double>(tally_.latencies.size() - 1));
    return static_cast<double>(tally_.latencies[at]) / 1e6;
  }

  uint64_t due_count(int64_t now) const {
    if (gap_ == 0) return sent_;
    return static_cast<uint64_t>(static_cast<double>(std::min(now, last_due_) - start_) / gap_);
  }

  void send_what_is_due(int64_t now) {
    last_due_ = now;
    if (gap_ == 0) {
      while (!idle_.empty()) send(now);
      return;
    }
    while (!idle_.empty() && sent_ < due_count(now))
      send(start_ + static_cast<int64_t>(gap_ * static_cast<double>(sent_)));
  }

  void send(int64_t due) {
    Connection& one = all_[idle_.front()];
    idle_.pop_front();
    one.due = due;
    ++sent_;
    if (stamp_at_ > 0) {
      std::string digits = std::to_string(due);
      request_.replace(stamp_at_ + now_digits - digits.size(), digits.size(), digits);
    }
    ssize_t written = write(one.fd, request_.data(), request_.size());
    PAWL_CHECK(written == static_cast<ssize_t>(request_.size()), "a request fits into its socket");
  }

  void wait_and_read(int64_t now, int64_t end) {
    int64_t until = now < end ? end : now + second / 10;
    if (gap_ > 0 && now < end && !idle_.empty())
      until = start_ + static_cast<int64_t>(gap_ * static_cast<double>(sent_ + 1));
    int64_t rest = std::max<int64_t>(until - now_ns(), 0);
    timespec timeout{rest / second, rest % second};
    epoll_event events[256];
    int count = epoll_pwait2(epoll_, events, 256, &timeout, nullptr);
    for (int i = 0; i < count; ++i) read_from(events[i].data.u32);
  }

  void read_from(uint32_t index) {
    Connection& one = all_[index];
    char buffer[16'384];
    ssize_t size = read(one.fd, buffer, sizeof buffer);
    if (size <= 0) {
      std::fprintf(stderr, "bench_load: the server hung up\n");
      exit(1);
    }
    one.answer.append(buffer, static_cast<size_t>(size));
    size_t head = one.answer.find("\r\n\r\n");
    if (head == std::string::npos) return;
    size_t length_at = one.answer.find("Content-Length: ");
    PAWL_CHECK(length_at < head, "an answer says its length");
    size_t length = std::strtoul(one.answer.data() + length_at + 16, nullptr, 10);
    if (one.answer.size() < head + 4 + length) return;
    note(one);
    one.answer.clear();
    idle_.push_back(index);
  }

  void note(const Connection& one) {
    int64_t now = now_ns();
    int status = std::atoi(one.answer.data() + 9);
    if (status == 429 || status == 503) {
      ++tally_.refused;
    } else if (status < 200 || status > 202) {
      if (tally_.failed++ == 0) std::fprintf(stderr, "bench_load: %s\n", one.answer.c_str());
    } else {
      auto at = static_cast<size_t>((now - start_) / second);
      if (tally_.by_second.size() <= at) tally_.by_second.resize(at + 1);
      ++tally_.by_second[at];
      tally_.latencies.push_back(now - one.due);
      size_t number = one.answer.find(number_mark);
      if (number == std::string::npos) return;
      tally_.numbers_sum += std::atof(one.answer.data() + number + number_mark.size());
      ++tally_.numbers;
    }
  }

  double gap_;
  int epoll_;
  std::string request_;
  size_t stamp_at_ = 0;  // where the time stands in the request; 0: nowhere
  std::vector<Connection> all_;
  std::deque<uint32_t>
      idle_;  // in turn: a server hangs up on a connection that never says anything
  int64_t start_ = 0;
  int64_t last_due_ = 0;
  uint64_t sent_ = 0;
  Tally tally_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    std::fprintf(stderr, "usage: bench_load PORT SECONDS CONNECTIONS RATE BODY [PATH]\n");
    return 2;
  }
  double seconds = std::atof(argv[2]);
  Load load(static_cast<uint16_t>(std::atoi(argv[1])), static_cast<uint32_t>(std::atoi(argv[3])),
            std::atof(argv[4]), argv[5], argc > 6 ? argv[6] : "/v1/executions?wait=30s");
  load.run(static_cast<int64_t>(seconds * second));
  load.print(seconds);
  return 0;
}
