#include "pawl/access/openssl.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace pawl {
namespace {

using MemoryBio = std::unique_ptr<BIO, OpensslRelease<BIO_free>>;

MemoryBio memory() {
  MemoryBio bio(BIO_new(BIO_s_mem()));
  PAWL_CHECK(bio != nullptr, "there is memory for a buffer");
  return bio;
}
MemoryBio over(const std::string& text) {
  MemoryBio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  PAWL_CHECK(bio != nullptr, "there is memory for a buffer");
  return bio;
}
std::string content(const MemoryBio& bio) {
  char* data = nullptr;
  long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(size)};
}

}  // namespace

void FreeKey::operator()(evp_pkey_st* key) const {
  EVP_PKEY_free(key);
}
void FreeCertificate::operator()(x509_st* certificate) const {
  X509_free(certificate);
}

Error openssl_error(const std::string& what) {
  const char* why = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return {Code::internal, what + ": " + (why != nullptr ? why : "no reason given")};
}

std::string to_pem_private(EVP_PKEY* key) {
  MemoryBio bio = memory();
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return content(bio);
}

std::string to_pem_public(EVP_PKEY* key) {
  MemoryBio bio = memory();
  PEM_write_bio_PUBKEY(bio.get(), key);
  return content(bio);
}

std::string to_pem(X509* certificate) {
  MemoryBio bio = memory();
  PEM_write_bio_X509(bio.get(), certificate);
  return content(bio);
}

Result<Key> private_key_from_pem(const std::string& pem) {
  MemoryBio bio = over(pem);
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (key == nullptr) return openssl_error("this is no private key");
  return key;
}

Key take_public_key(std::string& pem) {
  MemoryBio bio = over(pem);
  Key key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
  pem = content(bio);  // what has not been read
  ERR_clear_error();
  return key;
}

Result<Certificate> certificate_from_pem(const std::string& pem) {
  MemoryBio bio = over(pem);
  Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (certificate == nullptr) return openssl_error("this is no certificate");
  return certificate;
}

Result<Key> new_signing_key() {
  Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  if (key == nullptr) return openssl_error("no key could be made");
  return key;
}

Result<Key> new_certificate_key() {
  Key key(EVP_EC_gen("P-256"));
  if (key == nullptr) return openssl_error("no key could be made");
  return key;
}

std::string key_id(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  int size = i2d_PUBKEY(key, &der);
  PAWL_CHECK(size > 0, "a public key can be written");
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned int hash_size = 0;
  EVP_Digest(der, static_cast<size_t>(size), hash, &hash_size, EVP_sha256(), nullptr);
  OPENSSL_free(der);
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (int i = 0; i < 8; ++i) {
    text += digits[hash[i] >> 4];
    text += digits[hash[i] & 15];
  }
  return text;
}

}  // namespace pawl
