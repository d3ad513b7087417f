#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "pawl/access/authority.h"
#include "pawl/access/base64url.h"
#include "pawl/access/identity.h"
#include "pawl/access/openssl.h"
#include "pawl/access/token.h"
#include "pawl/access/token_authenticator.h"
#include "pawl/access/watched_file.h"

namespace pawl {
namespace {

constexpr int64_t second = 1'000'000'000;
constexpr uint8_t submitter = 1u << static_cast<unsigned>(Role::submitter);
constexpr uint8_t worker = 1u << static_cast<unsigned>(Role::worker);

struct HandClock final : Clock {
  Instant monotonic() override { return running; }
  WallTime wall() override { return time; }
  void pass(Duration duration) {
    running = running + duration;
    time.ns += duration.ns;
  }
  Instant running{second};
  WallTime time{1'700'000'000 * second};
};

struct Notes final : Telemetry {
  void count(std::string_view, uint64_t) override {}
  void gauge(std::string_view, int64_t) override {}
  void log(const LogLine& line) override { lines.push_back(line.message); }
  std::vector<std::string> lines;
};

struct AccessTest : testing::Test {
  AccessTest() {
    std::string name = testing::TempDir() + "pawl_access_XXXXXX";
    directory = mkdtemp(name.data());
  }
  ~AccessTest() override { std::filesystem::remove_all(directory); }

  Authority create() { return std::move(Authority::create(directory, clock.time, false).value()); }
  std::string file(const std::string& name) const {
    std::ifstream in(directory + "/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& name, const std::string& content) const {
    std::ofstream(directory + "/" + name, std::ios::binary) << content;
  }
  TokenKeys keys() const { return std::move(TokenKeys::from_pem(file(token_keys_file)).value()); }
  std::unique_ptr<TokenAuthenticator> authenticator() {
    return std::move(TokenAuthenticator::open(directory, clock, notes).value());
  }

  std::string directory;
  HandClock clock;
  Notes notes;
  const Caller bot{"ci-bot", "team-a", submitter};
};

// `token` with its header or claims replaced, its signature kept.
std::string with_part(const std::string& token, int part, const std::string& json) {
  std::istringstream in(token);
  std::string parts[3];
  for (std::string& one : parts) std::getline(in, one, '.');
  parts[part] = base64url(json);
  return parts[0] + "." + parts[1] + "." + parts[2];
}

// Signed, whatever it claims.
std::string signed_token(const std::string& private_key, const std::string& claims) {
  Key key = std::move(private_key_from_pem(private_key).value());
  std::string text =
      base64url(R"({"alg":"EdDSA","kid":")" + key_id(key.get()) + "\"}") + "." + base64url(claims);
  std::string signature(64, '\0');
  size_t size = signature.size();
  EVP_MD_CTX* digest = EVP_MD_CTX_new();
  EXPECT_EQ(EVP_DigestSignInit(digest, nullptr, nullptr, nullptr, key.get()), 1);
  EXPECT_EQ(EVP_DigestSign(digest, reinterpret_cast<unsigned char*>(signature.data()), &size,
                           reinterpret_cast<const unsigned char*>(text.data()), text.size()),
            1);
  EVP_MD_CTX_free(digest);
  return text + "." + base64url(signature);
}

TEST(Base64url, KnownValuesAndBack) {
  // RFC 4648, section 10, without the padding.
  const std::pair<std::string, std::string> known[] = {{"", ""},           {"f", "Zg"},
                                                       {"fo", "Zm8"},      {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg"}, {"\xff\xfe", "__4"}};
  for (const auto& [bytes, text] : known) {
    EXPECT_EQ(base64url(bytes), text);
    EXPECT_EQ(from_base64url(text), bytes);
  }
  for (const char* bad : {"Z", "Zg==", "Zh", "Z+", "Zm9v\n", "Zm9"})
    EXPECT_FALSE(from_base64url(bad)) << bad;
}

TEST(Identity, AUriAndBack) {
  Caller both{"w1", "default", static_cast<uint8_t>(worker | submitter)};
  EXPECT_EQ(identity_uri(both), "pawl:submitter+worker/default/w1");
  Caller back = caller_from_uri(identity_uri(both)).value();
  EXPECT_EQ(back.name, "w1");
  EXPECT_EQ(back.roles, both.roles);
  for (const char* bad :
       {"", "pawl:", "pawl:worker", "pawl:worker/default", "pawl:worker/default/",
        "pawl:/default/w1", "pawl:king/default/w1", "http:worker/default/w1",
        "pawl:worker/default/local", "pawl:worker/default/w1/x", "pawl:worker//w1"})
    EXPECT_EQ(caller_from_uri(bad).error().code, Code::invalid_argument) << bad;
}

TEST_F(AccessTest, ATokenSaysWhoItIs) {
  Authority authority = create();
  std::string token = authority.token(bot, Duration::hours(1), clock.time).value();
  TokenClaims claims = keys().verify(token, clock.time).value();
  EXPECT_EQ(claims.caller.name, "ci-bot");
  EXPECT_EQ(claims.caller.name_space, "team-a");
  EXPECT_EQ(claims.caller.roles, submitter);
  EXPECT_EQ(claims.expires.ns, clock.time.ns + Duration::hours(1).ns);
  EXPECT_EQ(claims.id.size(), 16u);
}

TEST_F(AccessTest, WhatIsWrongWithATokenIsSaid) {
  Authority authority = create();
  std::string token = authority.token(bot, Duration::hours(1), clock.time).value();
  std::string other_directory = directory + "/other";
  Authority other = std::move(Authority::create(other_directory, clock.time, false).value());
  auto refused = [&](const std::string& shown, WallTime now) {
    Result<TokenClaims> claims = keys().verify(shown, now);
    EXPECT_FALSE(claims.ok());
    EXPECT_EQ(claims.error().code, Code::unauthenticated);
    return claims.error().message;
  };
  auto says = [&](const std::string& shown, const char* words) {
    std::string said = refused(shown, clock.time);
    EXPECT_NE(said.find(words), std::string::npos) << said;
  };
  says("", "malformed");
  says("a.b", "malformed");
  says("!.!.!", "malformed");
  says(token + ".x", "malformed");
  says(std::string(token_bytes_max + 1, 'a'), "token_bytes_max");
  says(with_part(token, 0, "7"), "not JSON objects");
  says(with_part(token, 0, R"({"alg":"none"})"), "algorithm \"none\"");
  says(with_part(token, 0, R"({"alg":"HS256"})"), "algorithm \"HS256\"");
  says(with_part(token, 0, R"({"alg":"eddsa"})"), "algorithm \"eddsa\"");
  says(with_part(token, 0, "{}"), "algorithm \"\"");
  says(with_part(token, 0, R"({"alg":"EdDSA","kid":"0000000000000000"})"), "somebody unknown");
  says(other.token(bot, Duration::hours(1), clock.time).value(), "somebody unknown");
  says(with_part(token, 1, R"({"sub":"root","ns":"default","roles":["admin"]})"),
       "signature does not fit");
  says(token.substr(0, token.rfind('.') + 1), "signature does not fit");
  std::string flipped = token;
  flipped[flipped.size() - 10] = flipped[flipped.size() - 10] == 'A' ? 'B' : 'A';
  says(flipped, "signature does not fit");
}

TEST_F(AccessTest, ATokenHasItsTimeGiveOrTakeWhatClocksAreApart) {
  Authority authority = create();
  TokenKeys known = keys();
  std::string token = authority.token(bot, Duration::seconds(100), clock.time).value();
  auto at = [&](int64_t seconds) {
    return known.verify(token, {clock.time.ns + seconds * second});
  };
  EXPECT_TRUE(at(-60).ok());
  EXPECT_NE(at(-62).error().message.find("not valid yet"), std::string::npos);
  EXPECT_TRUE(at(100).ok());
  EXPECT_TRUE(at(159).ok());
  EXPECT_NE(at(160).error().message.find("has expired, 60 s ago"), std::string::npos);
  EXPECT_NE(at(86'400).error().message.find("has expired"), std::string::npos);
  EXPECT_FALSE(authority.token(bot, Duration{}, clock.time).ok());
}

TEST_F(AccessTest, ATimeThatIsNoneIsNoTime) {
  Authority authority = create();
  auto verified = [&](const std::string& times) {
    return keys().verify(
        signed_token(file("token.key"), R"({"sub":"ci-bot","ns":"team-a","roles":["submitter"],)"
                                        R"("aud":"pawl",)" +
                                            times + "}"),
        {1'000 * second});
  };
  EXPECT_TRUE(verified(R"("exp":2000)").ok()) << verified(R"("exp":2000)").error().message;
  EXPECT_TRUE(verified(R"("exp":2000,"nbf":900)").ok());
  EXPECT_FALSE(verified(R"("exp":2000,"nbf":1900)").ok());
  for (const char* none : {"\"1900\"", "4e9", "100000000000", "-1", "null"}) {
    std::string nbf = std::string(R"("exp":2000,"nbf":)") + none;
    Result<TokenClaims> refused = verified(nbf);
    ASSERT_FALSE(refused.ok()) << nbf;
    EXPECT_NE(refused.error().message.find("(nbf)"), std::string::npos) << nbf;
    EXPECT_FALSE(verified(std::string(R"("exp":)") + none).ok()) << none;
  }
}

TEST_F(AccessTest, CredentialsBecomeCallers) {
  Authority authority = create();
  auto who = authenticator();
  EXPECT_EQ(who->authenticate({.trusted_path = true}).value().name, local_caller);
  std::string token = authority.token(bot, Duration::hours(1), clock.time).value();
  EXPECT_EQ(who->authenticate({.bearer = token}).value().name, "ci-bot");
  Caller by_certificate = who->authenticate({.certificate = "pawl:worker/default/w1"}).value();
  EXPECT_EQ(by_certificate.name, "w1");
  EXPECT_EQ(by_certificate.roles, worker);
  EXPECT_EQ(who->authenticate({}).error().code, Code::unauthenticated);
  EXPECT_EQ(who->authenticate({.certificate = "CN=w1"}).error().code, Code::unauthenticated);
  // A wrong token is not made good by a certificate.
  EXPECT_FALSE(who->authenticate({.bearer = "x", .certificate = "pawl:worker/default/w1"}).ok());
  clock.pass(Duration::hours(2));
  EXPECT_NE(who->authenticate({.bearer = token}).error().message.find("expired"),
            std::string::npos);
}

TEST_F(AccessTest, OnlyWorkersWork) {
  Authority authority = create();
  auto who = authenticator();
  WorkerGate gate(*who);
  EXPECT_TRUE(gate.admit("pawl:worker/default/w1").ok());
  EXPECT_TRUE(gate.admit("pawl:admin/default/ann").ok());
  EXPECT_EQ(gate.admit("pawl:reader/default/bob").error().code, Code::permission_denied);
  EXPECT_EQ(gate.admit("").error().code, Code::unauthenticated);
  EXPECT_EQ(gate.admit("CN=w1").error().code, Code::unauthenticated);
}

TEST_F(AccessTest, WhatIsRevokedIsRefusedWithinASecond) {
  Authority authority = create();
  auto who = authenticator();
  std::string token = authority.token(bot, Duration::hours(1), clock.time).value();
  const Credentials by_token{.bearer = token};
  const Credentials by_certificate{.certificate = "pawl:worker/default/w1"};
  EXPECT_TRUE(who->authenticate(by_token).ok());
  std::string id = keys().verify(token, clock.time).value().id;
  write(revoked_file, "# gone\n" + id + "  # leaked in a log\n\n pawl:worker/default/w1\r\n");
  clock.pass(Duration::seconds(1));
  EXPECT_NE(who->authenticate(by_token).error().message.find("revoked"), std::string::npos);
  EXPECT_NE(who->authenticate(by_certificate).error().message.find("revoked"), std::string::npos);
  EXPECT_TRUE(who->authenticate({.certificate = "pawl:worker/default/w2"}).ok());
  std::string again = authority.token(bot, Duration::hours(1), clock.time).value();
  EXPECT_TRUE(who->authenticate({.bearer = again}).ok());
}

// A list that cannot be read revokes nothing: whoever it names must not come in by that.
TEST_F(AccessTest, WithoutAListOfWhatIsRevokedNobodyIsLetIn) {
  Authority authority = create();
  write(revoked_file, "pawl:worker/default/w1\n" + std::string(watched_file_bytes_max, '#') + "\n");
  auto too_large = TokenAuthenticator::open(directory, clock, notes);
  ASSERT_FALSE(too_large.ok());
  EXPECT_NE(too_large.error().message.find("watched_file_bytes_max"), std::string::npos);
  std::filesystem::remove(directory + "/" + revoked_file);
  auto missing = TokenAuthenticator::open(directory, clock, notes);
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.error().message.find(revoked_file), std::string::npos);
}

TEST_F(AccessTest, AListOfWhatIsRevokedThatCannotBeReadAnyMoreIsTold) {
  Authority authority = create();
  write(revoked_file, "pawl:worker/default/w1\n");
  auto who = authenticator();
  write(revoked_file, "pawl:worker/default/w2\n" + std::string(watched_file_bytes_max, '#') + "\n");
  for (int i = 0; i < 3; ++i) {
    clock.pass(Duration::seconds(1));
    EXPECT_FALSE(who->authenticate({.certificate = "pawl:worker/default/w1"}).ok());
  }
  ASSERT_EQ(notes.lines.size(), 1u);
  EXPECT_NE(notes.lines[0].find("what it said before stays"), std::string::npos) << notes.lines[0];
}

TEST_F(AccessTest, KeysForTokensTakeEachOthersPlace) {
  Authority first = create();
  auto who = authenticator();
  std::string old_token = first.token(bot, Duration::hours(1), clock.time).value();
  std::string old_keys = file(token_keys_file);
  Authority next = std::move(Authority::create(directory, clock.time, true).value());
  std::string new_token = next.token(bot, Duration::hours(1), clock.time).value();
  std::string new_keys = file(token_keys_file);
  write(token_keys_file, old_keys + new_keys);
  clock.pass(Duration::seconds(1));
  EXPECT_TRUE(who->authenticate({.bearer = old_token}).ok());
  EXPECT_TRUE(who->authenticate({.bearer = new_token}).ok());
  write(token_keys_file, new_keys);
  clock.pass(Duration::seconds(1));
  EXPECT_FALSE(who->authenticate({.bearer = old_token}).ok());
  EXPECT_TRUE(who->authenticate({.bearer = new_token}).ok());
  // Rubbish leaves what was, and the operator is told.
  write(token_keys_file, "rubbish");
  clock.pass(Duration::seconds(1));
  EXPECT_TRUE(who->authenticate({.bearer = new_token}).ok());
  ASSERT_EQ(notes.lines.size(), 1u);
  EXPECT_NE(notes.lines[0].find("the keys of before stay"), std::string::npos);
}

TEST_F(AccessTest, AFolderOfKeysIsForItsOwnerAndNotWrittenOver) {
  Authority authority = create();
  ASSERT_TRUE(authority.issue({{"w1", "default", worker}, "w1", {}}, clock.time).ok());
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    struct stat seen {};
    ASSERT_EQ(stat(entry.path().c_str(), &seen), 0);
    EXPECT_EQ(seen.st_mode & 0777, 0600u) << entry.path();
  }
  std::string key = file("ca.key");
  Result<Authority> again = Authority::create(directory, clock.time, false);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Code::already_exists);
  EXPECT_EQ(file("ca.key"), key);
  EXPECT_EQ(authority.issue({{"w1", "default", worker}, "w1", {}}, clock.time).error().code,
            Code::already_exists);
  Result<Authority> none = Authority::open(directory + "/nowhere");
  EXPECT_EQ(none.error().code, Code::not_found);
  EXPECT_NE(none.error().message.find("pawl init --dir"), std::string::npos);
  EXPECT_FALSE(TokenAuthenticator::open(directory + "/nowhere", clock, notes).ok());
}

TEST_F(AccessTest, ACertificateIsValidForAsLongAsWasAskedFor) {
  Authority authority = create();
  CertificateRequest request{{"w1", "default", worker}, "w1", {}, Duration::hours(12)};
  ASSERT_TRUE(authority.issue(request, clock.time).ok());
  std::string pem = file("w1.pem");
  BIO* bytes = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  Certificate made(PEM_read_bio_X509(bytes, nullptr, nullptr, nullptr));
  BIO_free(bytes);
  ASSERT_NE(made, nullptr);
  time_t end = (clock.time.ns + Duration::hours(12).ns) / Duration::seconds(1).ns;
  EXPECT_EQ(ASN1_TIME_cmp_time_t(X509_get0_notAfter(made.get()), end), 0);
}

TEST_F(AccessTest, WhatCannotBeInACertificateIsRefused) {
  Authority authority = create();
  auto refused = [&](const CertificateRequest& request) {
    Status issued = authority.issue(request, clock.time);
    EXPECT_FALSE(issued.ok());
    return issued.ok() ? Code::ok : issued.error().code;
  };
  EXPECT_EQ(refused({{"local", "default", worker}, "w1", {}}), Code::invalid_argument);
  EXPECT_EQ(refused({{"w1", "default", 0}, "w1", {}}), Code::invalid_argument);
  EXPECT_EQ(refused({{"w1", "a,DNS:evil", worker}, "w1", {}}), Code::invalid_argument);
  EXPECT_EQ(refused({{"w1", "default", worker}, "../w1", {}}), Code::invalid_argument);
  EXPECT_EQ(refused({{"w1", "default", worker}, "w1", {"a,URI:pawl:admin/default/x"}}),
            Code::invalid_argument);
}

TEST_F(AccessTest, AWatchedFileKeepsWhatItHad) {
  write("list", "one");
  WatchedFile list(directory + "/list", clock);
  EXPECT_TRUE(list.changed());
  EXPECT_FALSE(list.changed());
  write("list", "three");
  EXPECT_FALSE(list.changed());  // not looked at yet
  clock.pass(Duration::seconds(1));
  EXPECT_TRUE(list.changed());
  EXPECT_EQ(list.content(), "three");
  std::filesystem::remove(directory + "/list");
  clock.pass(Duration::seconds(1));
  EXPECT_FALSE(list.changed());
  EXPECT_EQ(list.content(), "three");
  EXPECT_NE(list.problem().find("cannot be read"), std::string::npos);
  write("list", std::string(watched_file_bytes_max + 1, 'x'));
  clock.pass(Duration::seconds(1));
  EXPECT_FALSE(list.changed());
  EXPECT_NE(list.problem().find("watched_file_bytes_max"), std::string::npos);
}

}  // namespace
}  // namespace pawl
