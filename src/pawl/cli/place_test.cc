#include "pawl/cli/place.h"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include "pawl/adapter/http/http_url.h"

#include <filesystem>
#include <fstream>

#include "pawl/cli/contexts.h"

namespace pawl::cli {
namespace {

const VerbSpec spec{
    .name = "list",
    .arguments = "",
    .summary = "",
    .details = {},
    .options = {{"state", 's', "DIR", ""}, {"server", 0, "URL", ""}, {"context", 0, "NAME", ""}},
    .examples = {}};

class PlaceTest : public testing::Test {
 protected:
  PlaceTest() {
    std::string pattern = testing::TempDir() + "pawl_place_XXXXXX";
    folder = mkdtemp(pattern.data());
    variables.contexts_file = folder + "/deep/pawl/config.json";
  }
  ~PlaceTest() override { std::filesystem::remove_all(folder); }
  Result<Place> at(const std::vector<std::string>& words) {
    return place_of(parse_arguments(spec, words).value(), variables);
  }
  void keep(const std::string& current) {
    Contexts contexts;
    ASSERT_TRUE(contexts.add({"prod", "https://pawl.example.org", "", "/ca.pem"}).ok());
    ASSERT_TRUE(contexts.add({"dev", "http://127.0.0.1:8080", folder + "/token"}).ok());
    std::ofstream(folder + "/token") << "secret\n";
    ASSERT_TRUE(contexts.use(current).ok());
    ASSERT_TRUE(save_contexts(variables.contexts_file, contexts).ok());
  }

  std::string folder;
  Variables variables;
};

TEST_F(PlaceTest, WhatIsTypedComesBeforeTheEnvironmentAndThatBeforeTheContext) {
  EXPECT_EQ(at({}).value().directory, ".pawl");
  keep("prod");
  EXPECT_EQ(at({}).value().server->url, "https://pawl.example.org");
  EXPECT_EQ(at({}).value().server->tls.ca_file, "/ca.pem");
  variables.state = "shop";
  EXPECT_EQ(at({}).value().directory, "shop");
  EXPECT_EQ(at({"--server", "http://[::1]:1"}).value().server->url, "http://[::1]:1");
  variables = {.contexts_file = variables.contexts_file};
  variables.server = "http://127.0.0.1:1";
  EXPECT_EQ(at({}).value().server->url, "http://127.0.0.1:1");
  EXPECT_EQ(at({"--state", "here"}).value().directory, "here");
  EXPECT_EQ(at({"--context", "dev"}).value().server->token, "secret");
  EXPECT_EQ(at({"--context", "local"}).value().directory, ".pawl");
  variables.server.clear();
  variables.context = "dev";
  EXPECT_EQ(at({}).value().name, "http://127.0.0.1:8080");
}

TEST_F(PlaceTest, TwoPlacesAreRefused) {
  auto both = at({"--state", "a", "--server", "http://127.0.0.1:1"});
  ASSERT_FALSE(both.ok());
  EXPECT_EQ(both.error().code, Code::invalid_argument);
  variables.state = "shop";
  variables.context = "prod";
  auto set = at({});
  ASSERT_FALSE(set.ok());
  EXPECT_NE(set.error().message.find("more than one"), std::string::npos);
  EXPECT_TRUE(at({"--state", "a"}).ok());
}

TEST_F(PlaceTest, CommandsToTypeNameThePlaceWhereTheyMust) {
  EXPECT_EQ(at({}).value().option, "");
  EXPECT_EQ(at({"--state", "shop"}).value().option, " --state shop");
  variables.state = "shop";
  EXPECT_EQ(at({"--state", "shop"}).value().option, "");
  EXPECT_EQ(at({"--server", "http://[::1]:1"}).value().option, " --server http://[::1]:1");
}

TEST_F(PlaceTest, AServerIsShownWhatTheEnvironmentHolds) {
  variables.token = "t";
  variables.ca_file = "ca";
  variables.certificate_file = "c";
  EXPECT_FALSE(at({"--server", "https://a"}).ok());  // a certificate without its key
  variables.key_file = "k";
  Place place = at({"--server", "https://a"}).value();
  EXPECT_EQ(place.server->token, "t");
  EXPECT_EQ(place.server->tls.key_file, "k");
}

TEST_F(PlaceTest, WrongContextsAreExplained) {
  keep("local");
  EXPECT_EQ(at({}).value().directory, ".pawl");
  auto none = at({"--context", "prd"});
  ASSERT_FALSE(none.ok());
  EXPECT_NE(none.error().message.find("local, dev, prod"), std::string::npos);
  std::filesystem::remove(folder + "/token");
  EXPECT_NE(at({"--context", "dev"}).error().message.find("/token"), std::string::npos);
  std::ofstream(variables.contexts_file) << "{";
  EXPECT_NE(at({}).error().message.find(variables.contexts_file), std::string::npos);
  EXPECT_TRUE(at({"--state", "a"}).ok());  // nobody asked for it
  EXPECT_EQ(at({"--server", "pawl.example.org"}).error().code, Code::invalid_argument);
}

TEST_F(PlaceTest, ContextsAreForTheirOwner) {
  keep("dev");
  struct stat info {};
  ASSERT_EQ(stat(variables.contexts_file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  Contexts kept = load_contexts(variables.contexts_file).value();
  EXPECT_EQ(kept.add({"prod", "https://b"}).error().code, Code::already_exists);
  EXPECT_EQ(kept.add({"local", "https://b"}).error().code, Code::invalid_argument);
  EXPECT_EQ(kept.add({"a b", "https://b"}).error().code, Code::invalid_argument);
  EXPECT_EQ(kept.add({"c", "b"}).error().code, Code::invalid_argument);
  EXPECT_EQ(kept.remove("nobody").error().code, Code::not_found);
  ASSERT_TRUE(kept.remove("dev").ok());
  EXPECT_EQ(kept.current, "local");
}

TEST_F(PlaceTest, OnlyAddressesAndLocalhostStayHere) {
  for (const char* here :
       {"http://127.0.0.1:1", "http://127.1.2.3", "http://localhost", "http://[::1]:8"})
    EXPECT_TRUE(parse_http_url(here)->stays_here()) << here;
  for (const char* away :
       {"http://127.evil.test", "http://127.0.0.1.evil.test", "http://localhost.evil.test"})
    EXPECT_FALSE(parse_http_url(away)->stays_here()) << away;
}

}  // namespace
}  // namespace pawl::cli
