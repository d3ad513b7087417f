// What is no request that everybody would read alike is refused, and nothing is held beyond the limits.
#include "pawl/adapter/http/request_reader.h"

#include <gtest/gtest.h>

namespace pawl {
namespace {

using State = RequestReader::State;

class RequestReaderTest : public testing::Test {
 protected:
  RequestReaderTest() { options.head_bytes_max = 4096; }
  State read(std::string_view bytes) {
    reader.add(bytes);
    State state = reader.read();
    return state == State::head ? reader.read() : state;
  }
  // What is told to a client that goes on and on; 0: it is listened to for ever.
  int refusal_of(const std::string& begin, const std::string& more) {
    State state = read(begin);
    for (size_t sent = 0; sent < 1 << 20 && state == State::more; sent += more.size()) {
      state = read(more);
      EXPECT_LE(reader.buffered(), options.head_bytes_max + more.size());
    }
    return state == State::broken ? reader.refusal().status : 0;
  }

  HttpOptions options;
  RequestReader reader{options};
};

std::string chunked(const std::string& rest, const std::string& fields = "Host: x\r\n") {
  return "POST / HTTP/1.1\r\n" + fields + "Transfer-Encoding: chunked\r\n\r\n" + rest;
}

TEST_F(RequestReaderTest, AnEndlessChunkExtensionIsRefused) {
  EXPECT_EQ(refusal_of(chunked("2;"), std::string(1000, 'a')), 431);
}

TEST_F(RequestReaderTest, AnEndlessTrailerFieldIsRefused) {
  EXPECT_EQ(refusal_of(chunked("0\r\nX: "), std::string(1000, 'a')), 431);
}

TEST_F(RequestReaderTest, EndlessTrailerFieldsAreRefused) {
  EXPECT_EQ(refusal_of(chunked("0\r\n"), "X: " + std::string(900, 'a') + "\r\n"), 431);
}

TEST_F(RequestReaderTest, WhatIsTooLongIsRefusedHoweverItComes) {
  EXPECT_EQ(read(chunked("2;" + std::string(5000, 'a') + "\r\nhi\r\n0\r\n\r\n")), State::broken);
  EXPECT_EQ(reader.refusal().status, 431);
}

TEST_F(RequestReaderTest, ExtensionsAndTrailersWithinTheLimitAreLeftOut) {
  std::string body;
  for (int i = 0; i < 100; ++i) body += "2;a=" + std::string(1000, 'a') + "\r\nhi\r\n";
  ASSERT_EQ(read(chunked(body + "0\r\nX-Sum: " + std::string(2000, 'b') + "\r\n\r\n")),
            State::request);
  HttpRequest request = reader.take();
  EXPECT_EQ(request.body.size(), 200u);
  EXPECT_EQ(request.field("x-sum"), nullptr);
}

TEST_F(RequestReaderTest, FieldsBehindTheBodyDoNotSayWhoAsks) {
  ASSERT_EQ(read(chunked("0\r\nAuthorization: Bearer t\r\n\r\n")), State::request);
  EXPECT_EQ(reader.take().field("authorization"), nullptr);
  EXPECT_EQ(read(chunked("0\r\nHost: x\r\n\r\n", "")), State::broken);
  EXPECT_EQ(reader.refusal().status, 400);
}

struct Case {
  const char* fields;
  int status;  // 0: taken
};

class Framing : public testing::TestWithParam<Case> {};

TEST_P(Framing, IsTheSameForEverybodyOrRefused) {
  HttpOptions options;
  RequestReader reader(options);
  reader.add("POST / HTTP/1.1\r\n" + std::string(GetParam().fields) + "\r\n2\r\nhi\r\n0\r\n\r\n");
  State state = reader.read();
  if (state == State::head) state = reader.read();
  if (GetParam().status == 0) {
    ASSERT_EQ(state, State::request);
    EXPECT_EQ(reader.take().body, "hi");
  } else {
    ASSERT_EQ(state, State::broken);
    EXPECT_EQ(reader.refusal().status, GetParam().status) << reader.refusal().body;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Fields, Framing,
    testing::Values(
        Case{"Host: x\r\nTransfer-Encoding: chunked\r\n", 0},
        Case{"Host: x\r\nTransfer-Encoding: Chunked\r\n", 0},
        Case{"Host: x\r\nTransfer-Encoding: xchunked\r\n", 501},
        Case{"Host: x\r\nTransfer-Encoding: identity\r\n", 501},
        Case{"Host: x\r\nTransfer-Encoding: chunked, identity\r\n", 501},
        Case{"Host: x\r\nTransfer-Encoding: gzip, chunked\r\n", 501},
        Case{"Host: x\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", 501},
        Case{"Host: x\r\nTransfer-Encoding:\r\n", 501},
        Case{"Host: x\r\nContent-Length: 12\r\nTransfer-Encoding: xchunked\r\n", 400},
        Case{"Host: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400},
        Case{"Host: x\r\nContent-Length: 12\r\nTransfer-Encoding: chunked\r\n", 400},
        Case{"Host: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 12\r\n", 400},
        Case{"Host: x\r\nContent-Length: 12\r\nContent-Length: 13\r\n", 400},
        Case{"Host: x\r\nHost: y\r\nTransfer-Encoding: chunked\r\n", 400},
        Case{"Transfer-Encoding: chunked\r\n", 400}));

TEST_F(RequestReaderTest, AnOldClientKnowsNoTransferCodings) {
  EXPECT_EQ(read("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), State::broken);
  EXPECT_EQ(reader.refusal().status, 400);
}

TEST_F(RequestReaderTest, TheHeadIsShownBeforeTheBody) {
  reader.add(chunked("2\r\nhi\r\n0\r\n\r\n") + "GET / HTTP/1.1\r\nHost: y\r\n\r\n");
  ASSERT_EQ(reader.read(), State::head);
  EXPECT_EQ(reader.head().method, "POST");
  EXPECT_EQ(reader.head().body, "");
  ASSERT_EQ(reader.read(), State::request);
  EXPECT_EQ(reader.take().body, "hi");
  EXPECT_EQ(reader.read(), State::request) << "no body follows this one's head";
}

}  // namespace
}  // namespace pawl
