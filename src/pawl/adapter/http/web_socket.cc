#include "pawl/adapter/http/web_socket.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <wslay/wslay.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "pawl/base/check.h"

namespace pawl {
namespace {

constexpr size_t reason_bytes_max = 123;  // what a control frame holds beside the code
constexpr size_t key_bytes = 16;

std::string base64(const unsigned char* bytes, size_t size) {
  std::string text(4 * ((size + 2) / 3) + 1, '\0');
  int encoded =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes, static_cast<int>(size));
  text.resize(static_cast<size_t>(encoded));
  return text;
}

}  // namespace

std::string websocket_accept(std::string_view key) {
  std::string text(key);
  text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char hash[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash);
  return base64(hash, sizeof hash);
}

std::string websocket_key() {
  unsigned char bytes[key_bytes];
  PAWL_CHECK(RAND_bytes(bytes, sizeof bytes) == 1, "OpenSSL has random bytes");
  return base64(bytes, sizeof bytes);
}

struct WebSocket::Impl {
  Impl(uint64_t bytes_max, Sink<std::string_view>& m) : messages(m), message_bytes_max(bytes_max) {}
  ~Impl() { wslay_event_context_free(context); }

  static Impl& of(void* user) { return *static_cast<Impl*>(user); }
  static ssize_t receive(wslay_event_context_ptr context, uint8_t* into, size_t size, int,
                         void* user) {
    std::string_view& heard = of(user).heard;
    if (heard.empty()) {
      wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
      return -1;
    }
    size_t moved = std::min(size, heard.size());
    memcpy(into, heard.data(), moved);
    heard.remove_prefix(moved);
    return static_cast<ssize_t>(moved);
  }
  static ssize_t transmit(wslay_event_context_ptr, const uint8_t* from, size_t size, int,
                          void* user) {
    of(user).out.append(reinterpret_cast<const char*>(from), size);
    return static_cast<ssize_t>(size);
  }
  static int mask(wslay_event_context_ptr, uint8_t* into, size_t size, void*) {
    return RAND_bytes(into, static_cast<int>(size)) == 1 ? 0 : -1;
  }
  static void begin_frame(wslay_event_context_ptr, const wslay_event_on_frame_recv_start_arg* frame,
                          void* user) {
    of(user).gathers = !wslay_is_ctrl_frame(frame->opcode);
  }
  static void gather(wslay_event_context_ptr context,
                     const wslay_event_on_frame_recv_chunk_arg* chunk, void* user) {
    Impl& self = of(user);
    if (!self.gathers || self.too_big) return;
    if (chunk->data_length > self.message_bytes_max - self.gathered.size()) {
      self.too_big = true;
      std::string().swap(self.gathered);
      queue_close(context, WSLAY_CODE_MESSAGE_TOO_BIG, "");
      return wslay_event_shutdown_read(context);
    }
    self.gathered.append(reinterpret_cast<const char*>(chunk->data), chunk->data_length);
  }
  static void message(wslay_event_context_ptr context, const wslay_event_on_msg_recv_arg* got,
                      void* user) {
    Impl& self = of(user);
    if (self.too_big) return;
    std::string text;
    if (!wslay_is_ctrl_frame(got->opcode)) text.swap(self.gathered);
    if (got->opcode == WSLAY_TEXT_FRAME) {
      self.messages.put(text);
    } else if (got->opcode == WSLAY_BINARY_FRAME) {
      queue_close(context, WSLAY_CODE_UNSUPPORTED_DATA, "messages are text");
    } else if (got->opcode == WSLAY_CONNECTION_CLOSE) {
      self.goodbye = std::to_string(got->status_code);
      if (got->msg_length > 2)
        self.goodbye.append(" ").append(reinterpret_cast<const char*>(got->msg) + 2,
                                        got->msg_length - 2);
    }
  }
  static void queue_close(wslay_event_context_ptr context, uint16_t code, std::string_view reason) {
    wslay_event_queue_close(context, code, reinterpret_cast<const uint8_t*>(reason.data()),
                            std::min(reason.size(), reason_bytes_max));
  }

  Sink<std::string_view>& messages;
  const uint64_t message_bytes_max;
  std::string_view heard;
  std::string
      gathered;  // of a message whose end has not come; wslay would keep each frame by itself
  bool gathers = false;  // the frame is one of a message
  bool too_big = false;
  std::string out;
  std::string goodbye;
  bool broken = false;
  wslay_event_context_ptr context = nullptr;
};

WebSocket::WebSocket(WebSocketSide side, uint64_t message_bytes_max,
                     Sink<std::string_view>& messages)
    : impl_(std::make_unique<Impl>(message_bytes_max, messages)) {
  wslay_event_callbacks calls{};
  calls.recv_callback = Impl::receive;
  calls.send_callback = Impl::transmit;
  calls.on_frame_recv_start_callback = Impl::begin_frame;
  calls.on_frame_recv_chunk_callback = Impl::gather;
  calls.on_msg_recv_callback = Impl::message;
  calls.genmask_callback = Impl::mask;
  auto init = side == WebSocketSide::server ? wslay_event_context_server_init
                                            : wslay_event_context_client_init;
  int made = init(&impl_->context, &calls, impl_.get());
  PAWL_CHECK(made == 0, "wslay has memory for a context");
  wslay_event_config_set_no_buffering(impl_->context, 1);
  wslay_event_config_set_max_recv_msg_length(impl_->context, message_bytes_max);
}

WebSocket::~WebSocket() = default;

const std::string& WebSocket::goodbye() const {
  return impl_->goodbye;
}

void WebSocket::hear(std::string_view bytes) {
  impl_->heard = bytes;
  while (!impl_->heard.empty() && wslay_event_want_read(impl_->context)) {
    if (wslay_event_recv(impl_->context) != 0) {
      impl_->broken = true;
      break;
    }
  }
  impl_->heard = {};
}

void WebSocket::send(std::string_view text) {
  wslay_event_msg message{WSLAY_TEXT_FRAME, reinterpret_cast<const uint8_t*>(text.data()),
                          text.size()};
  wslay_event_queue_msg(impl_->context, &message);
}

void WebSocket::ping() {
  wslay_event_msg message{WSLAY_PING, nullptr, 0};
  wslay_event_queue_msg(impl_->context, &message);
}

void WebSocket::close(uint16_t code, std::string_view reason) {
  Impl::queue_close(impl_->context, code, reason);
}

std::string WebSocket::take() {
  while (wslay_event_want_write(impl_->context)) {
    if (wslay_event_send(impl_->context) != 0) {
      impl_->broken = true;
      break;
    }
  }
  return std::exchange(impl_->out, {});
}

bool WebSocket::over() const {
  bool closed = wslay_event_get_close_sent(impl_->context) != 0 &&
                wslay_event_get_close_received(impl_->context) != 0;
  return impl_->broken || closed || !wslay_event_want_read(impl_->context);
}

}  // namespace pawl
