// OpenSSL's values, owned, and its errors in words. Private.
#pragma once

#include <memory>
#include <string>

#include "pawl/base/result.h"

struct evp_pkey_st;
struct x509_st;

namespace pawl {

template <auto release>
struct OpensslRelease {
  template <class T>
  void operator()(T* value) const {
    release(value);
  }
};
struct FreeKey {
  void operator()(evp_pkey_st* key) const;
};
struct FreeCertificate {
  void operator()(x509_st* certificate) const;
};
using Key = std::unique_ptr<evp_pkey_st, FreeKey>;
using Certificate = std::unique_ptr<x509_st, FreeCertificate>;

Error openssl_error(const std::string& what);  // INTERNAL: "what: the library's reason"

std::string to_pem_private(evp_pkey_st* key);
std::string to_pem_public(evp_pkey_st* key);
std::string to_pem(x509_st* certificate);
Result<Key> private_key_from_pem(const std::string& pem);
// The first public key in `pem`, which is cut off it; null when there is none.
Key take_public_key(std::string& pem);
Result<Certificate> certificate_from_pem(const std::string& pem);

Result<Key> new_signing_key();      // Ed25519, for tokens
Result<Key> new_certificate_key();  // P-256, for TLS

// The first 64 bits of the SHA-256 of the public key, in hex: what tokens name it by.
std::string key_id(evp_pkey_st* key);

}  // namespace pawl
