#include "pawl/adapter/inproc/inproc_transport.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "pawl/testing/contract/transport_contract.h"

namespace pawl {
namespace {

struct InprocFixture {
  Transport& transport() { return inproc; }
  void settle() {}
  InprocTransport inproc;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Inproc, TransportContract, InprocFixture);

TEST(InprocTransport, MovesAMessageToItsAddressAndSharesTheContext) {
  InprocTransport transport;
  ReceivedMessages one, two;
  transport.bind(1, one);
  transport.bind(2, two);
  auto context = std::make_shared<const RunContext>();
  Message message;
  message.to = 2;
  Grant grant;
  grant.context = context;
  message.body = Grants{{grant}};
  transport.send(std::move(message));
  std::vector<Message> arrived = two.take();
  ASSERT_EQ(arrived.size(), 1u);
  EXPECT_TRUE(one.take().empty());
  EXPECT_EQ(std::get<Grants>(arrived[0].body).grants[0].context, context);
  EXPECT_EQ(context.use_count(), 3);
}

TEST(InprocTransport, LosesWhatNobodyIsBoundFor) {
  InprocTransport transport;
  ReceivedMessages one;
  transport.bind(1, one);
  transport.unbind(1);
  Message message;
  message.to = 1;
  transport.send(std::move(message));
  EXPECT_TRUE(one.take().empty());
}

}  // namespace
}  // namespace pawl
