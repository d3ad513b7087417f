// One client of an HttpListener: bytes in, requests out to the handler, responses back, in turns.
//
// It never destroys itself: when it is over(), the listener does, in a turn of its own.
// Threading: the loop's thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pawl/adapter/http/byte_stream.h"
#include "pawl/adapter/http/http_listener.h"
#include "pawl/adapter/http/request_reader.h"
#include "pawl/adapter/http/web_socket.h"

namespace pawl {

class HttpConnection final : public FdWatcher, private Sink<std::string_view> {
 public:
  // What all connections of a listener share.
  struct House {
    const HttpOptions& options;
    LinuxLoop& loop;
    Clock& clock;
    HttpHandler& handler;
    uint64_t exchanges = 0;             // begun so far
    bool any_over = false;              // some connection is
    std::vector<ExchangeId> drained{};  // to be told in the next turn
    WallTime date_of{};
    std::string date{};  // of that time, as HTTP has it
  };

  HttpConnection(House& house, int fd, uint32_t slot, std::unique_ptr<ByteStream> stream);
  ~HttpConnection() override;
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  Status open();
  bool over() const { return phase_ == Phase::over; }
  bool serves(ExchangeId id) const { return exchange_ == id && phase_ != Phase::over; }
  void ready(uint32_t events) override;
  // What is due by now: hangs up on whoever has been too slow, pings who has been silent.
  void check_time(Instant now);
  void close_when_idle();

  // Of the open exchange.
  void respond(HttpResponse response);
  void start_stream(HttpResponse head);
  void write(std::string_view piece);
  void end();
  Status upgrade(const HttpRequest& request, std::string_view protocol);
  void send(std::string_view text);
  void close(uint16_t code, std::string_view reason);
  uint64_t waiting() const { return out_.size() - written_; }

  static constexpr int slot_bits = 20;  // of an exchange's id; the rest counts exchanges

 private:
  enum class Phase : uint8_t { reading, answering, streaming, socket, hanging_up, over };
  // What the client is to do next.
  enum class Awaited : uint8_t { nothing, request, head, body, taking, message, goodbye, leaving };

  void put(std::string_view text) override;  // a WebSocket's message
  std::string_view date() const;
  bool reads_ahead() const;  // what comes now is for later
  void read();
  void proceed();  // from what has been read
  bool take_next();
  bool admit(HttpRequest& head, bool whole);
  void hear(HttpRequest request);
  void refuse(const HttpResponse& response);
  void answered();
  void queue(std::string_view bytes);
  bool flush();  // false: it is over
  void flush_socket();
  void overflow();
  void watch();
  void leave();
  Awaited awaited() const;
  Duration patience() const;  // for what is awaited
  void await(bool anew);

  House& house_;
  int fd_;
  uint32_t slot_;
  std::unique_ptr<ByteStream> stream_;
  Phase phase_ = Phase::reading;
  bool last_ = false;        // the connection ends with this answer
  bool packs_ = false;       // the client of this exchange takes gzip
  bool head_only_ = false;   // it asked with HEAD
  bool chunked_ = true;      // its stream; HTTP/1.0 knows none
  bool proceeding_ = false;  // proceed() is running
  bool pinged_ = false;
  bool parting_ = false;       // its WebSocket is being closed
  bool stalled_ = false;       // bytes were left waiting
  bool said_goodbye_ = false;  // nothing will be sent any more
  Awaited awaited_ = Awaited::head;
  ExchangeId exchange_ = 0;  // 0: none is open
  RequestReader reader_;
  std::unique_ptr<WebSocket> socket_;
  std::string out_;
  size_t written_ = 0;
  uint32_t watched_ = 0;
  Instant deadline_;
};

}  // namespace pawl
