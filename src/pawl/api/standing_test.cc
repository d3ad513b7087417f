// Who has lost a standing has lost it for every further call.
#include "pawl/api/standing.h"

#include <gtest/gtest.h>

namespace pawl {
namespace {

class Door final : public Authenticator {
 public:
  Result<Caller> authenticate(const Credentials&) const override {
    ++asked;
    if (revoked) return Error{Code::unauthenticated, "revoked"};
    return Caller{};
  }
  bool revoked = false;
  mutable int asked = 0;
};

TEST(Standing, IsAskedOnceInAWhileAndHoldsUntilThen) {
  Door door;
  Duration every = Duration::seconds(1);
  Standing standing({}, Instant{});
  auto check = [&](Duration after) { return standing.check(door, Instant{} + after, every).ok(); };
  door.revoked = true;
  EXPECT_TRUE(check(Duration::milliseconds(999)));
  EXPECT_EQ(door.asked, 0);
  EXPECT_FALSE(check(Duration::milliseconds(1000)));
  EXPECT_FALSE(check(Duration::milliseconds(1001)));
  EXPECT_EQ(door.asked, 1);
  door.revoked = false;
  EXPECT_FALSE(check(Duration::milliseconds(1002)));
  EXPECT_TRUE(check(Duration::milliseconds(2000)));
}

}  // namespace
}  // namespace pawl
