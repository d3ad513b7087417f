// Messages in as many frames as their sender likes, within the limit.
#include "pawl/adapter/http/web_socket.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <vector>

namespace pawl {
namespace {

class Heard final : public Sink<std::string_view> {
 public:
  void put(std::string_view text) override { texts.emplace_back(text); }
  std::vector<std::string> texts;
};

// As a client sends it: masked, with zeros.
std::string frame(uint8_t opcode, bool last, const std::string& text) {
  std::string bytes{static_cast<char>((last ? 0x80 : 0) | opcode)};
  bytes += static_cast<char>(0x80 | text.size());
  return bytes + std::string(4, '\0') + text;
}

constexpr uint8_t more = 0, text_frame = 1, ping = 9;

TEST(WebSocketFrames, BecomeOneMessage) {
  Heard heard;
  WebSocket socket(WebSocketSide::server, 10, heard);
  socket.hear(frame(text_frame, false, "one ") + frame(more, false, "") +
              frame(ping, true, "beat") + frame(more, true, "text") +
              frame(text_frame, true, "next"));
  EXPECT_EQ(heard.texts, (std::vector<std::string>{"one text", "next"}));
  EXPECT_NE(socket.take().find("beat"), std::string::npos);
  EXPECT_FALSE(socket.over());
}

TEST(WebSocketFrames, TogetherKeepTheLimit) {
  for (const std::string& bytes : {frame(text_frame, false, "12345678") + frame(more, true, "901"),
                                   frame(text_frame, true, "12345678901")}) {
    Heard heard;
    WebSocket socket(WebSocketSide::server, 10, heard);
    socket.hear(bytes);
    EXPECT_TRUE(heard.texts.empty());
    EXPECT_NE(socket.take().find("\x03\xf1"), std::string::npos) << "1009";
    EXPECT_TRUE(socket.over());
  }
}

TEST(WebSocketFrames, TakeNoMoreRoomThanTheirBytes) {
  constexpr size_t size = 1 << 20;
  Heard heard;
  WebSocket socket(WebSocketSide::server, size, heard);
  std::string begin = frame(text_frame, false, "a"), one = frame(more, false, "a");
  size_t before = mallinfo2().uordblks;
  socket.hear(begin);
  for (size_t i = 2; i < size; ++i) socket.hear(one);
  EXPECT_LT(mallinfo2().uordblks - before, 4 * size);
  socket.hear(frame(more, true, "a"));
  ASSERT_EQ(heard.texts.size(), 1u);
  EXPECT_EQ(heard.texts[0], std::string(size, 'a'));
}

}  // namespace
}  // namespace pawl
