// What test_identity.h declares.
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "pawl/adapter/http/test_identity.h"

namespace pawl {

Identity::Identity(const std::string& name) {
  std::string pattern = testing::TempDir() + "pawl_tls_XXXXXX";
  directory = mkdtemp(pattern.data());
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, subject);
  X509V3_CTX extensions;
  X509V3_set_ctx(&extensions, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* address =
      X509V3_EXT_conf_nid(nullptr, &extensions, NID_subject_alt_name, "IP:127.0.0.1");
  X509_add_ext(certificate, address, -1);
  X509_EXTENSION_free(address);
  X509_sign(certificate, key, EVP_sha256());
  FILE* file = fopen(certificate_file().c_str(), "w");
  PEM_write_X509(file, certificate);
  fclose(file);
  file = fopen(key_file().c_str(), "w");
  PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  fclose(file);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

Identity::~Identity() {
  unlink(certificate_file().c_str());
  unlink(key_file().c_str());
  rmdir(directory.c_str());
}

}  // namespace pawl
