#include "pawl/adapter/inproc/inproc_transport.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

namespace pawl {
namespace {

class Kept final : public Sink<Message> {
 public:
  void put(Message value) override { messages.push_back(std::move(value)); }
  std::vector<Message> messages;
};

TEST(InprocTransport, MovesAMessageToItsAddressAndSharesTheContext) {
  InprocTransport transport;
  Kept one, two;
  transport.bind(1, one);
  transport.bind(2, two);
  auto context = std::make_shared<const RunContext>();
  Message message;
  message.to = 2;
  Grant grant;
  grant.context = context;
  message.body = Grants{{grant}};
  transport.send(std::move(message));
  ASSERT_EQ(two.messages.size(), 1u);
  EXPECT_TRUE(one.messages.empty());
  EXPECT_EQ(std::get<Grants>(two.messages[0].body).grants[0].context, context);
  EXPECT_EQ(context.use_count(), 3);
}

TEST(InprocTransport, LosesWhatNobodyIsBoundFor) {
  InprocTransport transport;
  Kept one;
  transport.bind(1, one);
  transport.unbind(1);
  Message message;
  message.to = 1;
  transport.send(std::move(message));
  EXPECT_TRUE(one.messages.empty());
}

}  // namespace
}  // namespace pawl
