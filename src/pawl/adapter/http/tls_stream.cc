// TLS 1.2 and 1.3 by OpenSSL, on the descriptor itself.

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "pawl/adapter/http/byte_stream.h"
#include "pawl/base/bytes.h"
#include "pawl/base/hash.h"

namespace pawl {
namespace {

template <auto release>
struct Release {
  template <class T>
  void operator()(T* value) const {
    release(value);
  }
};
using Ssl = std::unique_ptr<SSL, Release<SSL_free>>;
using SslContext = std::unique_ptr<SSL_CTX, Release<SSL_CTX_free>>;
using Certificate = std::unique_ptr<X509, Release<X509_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Release<GENERAL_NAMES_free>>;

std::string text_of(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<size_t>(ASN1_STRING_length(string))};
}

// The first URI that the certificate is for, else its common name.
std::string name_in(X509* certificate) {
  Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* one = sk_GENERAL_NAME_value(names.get(), i);
    if (one->type == GEN_URI) return text_of(one->d.uniformResourceIdentifier);
  }
  const X509_NAME* subject = X509_get_subject_name(certificate);
  int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  return text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL: a client that leaves would end the process.
int bio_write(BIO* bio, const char* from, int size) {
  BIO_clear_retry_flags(bio);
  ssize_t sent = send(static_cast<int>(reinterpret_cast<intptr_t>(BIO_get_data(bio))), from,
                      static_cast<size_t>(size), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int bio_read(BIO* bio, char* into, int size) {
  BIO_clear_retry_flags(bio);
  ssize_t received = recv(static_cast<int>(reinterpret_cast<intptr_t>(BIO_get_data(bio))), into,
                          static_cast<size_t>(size), MSG_DONTWAIT);
  if (received < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  return static_cast<int>(received);
}

long bio_control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

using BioMethod = std::unique_ptr<BIO_METHOD, Release<BIO_meth_free>>;

BioMethod socket_method() {
  BioMethod method(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "quiet socket"));
  PAWL_CHECK(method != nullptr, "OpenSSL has memory for a method");
  BIO_meth_set_write(method.get(), bio_write);
  BIO_meth_set_read(method.get(), bio_read);
  BIO_meth_set_ctrl(method.get(), bio_control);
  return method;
}

// One for all streams: they outlive the contexts that made them.
const BIO_METHOD* quiet_socket() {
  static const BioMethod method = socket_method();
  return method.get();
}

// Null: there is no memory.
Ssl ssl_on(int fd, SSL_CTX* context) {
  Ssl ssl(SSL_new(context));
  BIO* bio = ssl != nullptr ? BIO_new(quiet_socket()) : nullptr;
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<intptr_t>(fd)));
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl.get(), bio, bio);
  return ssl;
}

class TlsStream final : public ByteStream {
 public:
  explicit TlsStream(Ssl ssl) : ssl_(std::move(ssl)) {}

  Moved read(char* into, size_t size) override {
    ERR_clear_error();
    size_t bytes = 0;
    int done = SSL_read_ex(ssl_.get(), into, size, &bytes);
    return moved(done, bytes, wants_to_write_);
  }
  Moved write(const char* from, size_t size) override {
    ERR_clear_error();
    size_t bytes = 0;
    bool waits = false;
    int done = SSL_write_ex(ssl_.get(), from, size, &bytes);
    return moved(done, bytes, waits);
  }
  bool wants_to_write() const override { return wants_to_write_; }
  bool holds_bytes() const override { return SSL_has_pending(ssl_.get()) != 0; }
  std::string certificate() const override {
    Certificate shown(SSL_get1_peer_certificate(ssl_.get()));
    if (shown == nullptr || SSL_get_verify_result(ssl_.get()) != X509_V_OK) return {};
    return name_in(shown.get());
  }
  bool established() const override { return SSL_is_init_finished(ssl_.get()) != 0; }
  std::string failure() const override { return failure_; }
  void finish() override {
    ERR_clear_error();
    if (SSL_is_init_finished(ssl_.get())) (void)SSL_shutdown(ssl_.get());
  }

 private:
  Moved moved(int done, size_t bytes, bool& wants_to_write) {
    wants_to_write = false;
    if (done == 1) return {Moved::State::bytes, bytes};
    int why = SSL_get_error(ssl_.get(), done);
    wants_to_write = why == SSL_ERROR_WANT_WRITE;
    if (wants_to_write || why == SSL_ERROR_WANT_READ) return {Moved::State::again, 0};
    const char* reason = ERR_reason_error_string(ERR_peek_last_error());
    if (why == SSL_ERROR_SSL && reason != nullptr) failure_ = reason;
    long verified = SSL_get_verify_result(ssl_.get());
    if (!failure_.empty() && verified != X509_V_OK)
      failure_.append(": ").append(X509_verify_cert_error_string(verified));
    return {Moved::State::ended, 0};
  }
  Ssl ssl_;
  std::string failure_;
  bool wants_to_write_ = false;
};

class OpenSslContext final : public TlsContext {
 public:
  explicit OpenSslContext(SslContext context) : context_(std::move(context)) {}
  std::unique_ptr<ByteStream> accept(int fd) override {
    Ssl ssl = ssl_on(fd, context_.get());
    if (ssl == nullptr) return nullptr;
    SSL_set_accept_state(ssl.get());
    return std::make_unique<TlsStream>(std::move(ssl));
  }

 private:
  SslContext context_;
};

Error unusable(const std::string& what, const std::string& file) {
  unsigned long error = ERR_peek_error();  // the first: what came of it says less
  const char* why = ERR_SYSTEM_ERROR(error) ? std::strerror(ERR_GET_REASON(error))
                                            : ERR_reason_error_string(error);
  return {Code::invalid_argument,
          what + " " + file + " cannot be used: " + (why != nullptr ? why : "it cannot be read")};
}

SslContext make_context(const SSL_METHOD* method) {
  ERR_clear_error();
  SslContext context(SSL_CTX_new(method));
  PAWL_CHECK(context != nullptr, "OpenSSL has a method and memory");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION);
  return context;
}

Status use_pair(SSL_CTX* context, const std::string& certificate, const std::string& key) {
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1)
    return unusable("the certificate", certificate);
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1)
    return unusable("the key", key);
  if (SSL_CTX_check_private_key(context) == 1) return {};
  return Error{Code::invalid_argument,
               "the key " + key + " does not belong to the certificate " + certificate};
}

}  // namespace

uint64_t TlsContext::state_of(const HttpTls& files) {
  ByteWriter seen;
  for (const std::string& file : {files.certificate_file, files.key_file, files.client_ca_file}) {
    struct stat status {};
    bool there = !file.empty() && stat(file.c_str(), &status) == 0;
    seen.u64(there ? status.st_ino : 0);
    seen.u64(there ? static_cast<uint64_t>(status.st_mtim.tv_sec) : 0);
    seen.u64(there ? static_cast<uint64_t>(status.st_mtim.tv_nsec) : 0);
  }
  return hash128(seen.view()).low;
}

Result<std::shared_ptr<TlsContext>> TlsContext::load(const HttpTls& files) {
  SslContext context = make_context(TLS_server_method());
  PAWL_TRY(use_pair(context.get(), files.certificate_file, files.key_file));
  if (!files.client_ca_file.empty()) {
    const char* file = files.client_ca_file.c_str();
    if (SSL_CTX_load_verify_file(context.get(), file) != 1)
      return unusable("the clients' authority", files.client_ca_file);
    SSL_CTX_set_client_CA_list(context.get(), SSL_load_client_CA_file(file));
    int required = files.client_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | required, nullptr);
    static const unsigned char session_context[] = "pawl";
    SSL_CTX_set_session_id_context(context.get(), session_context, sizeof session_context);
  }
  return std::shared_ptr<TlsContext>(new OpenSslContext(std::move(context)));
}

Result<std::unique_ptr<ByteStream>> connect_tls(int fd, const std::string& host,
                                                const HttpClientTls& files) {
  SslContext context = make_context(TLS_client_method());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  if (files.ca_file.empty())
    SSL_CTX_set_default_verify_paths(context.get());
  else if (SSL_CTX_load_verify_file(context.get(), files.ca_file.c_str()) != 1)
    return unusable("the authority", files.ca_file);
  if (!files.certificate_file.empty())
    PAWL_TRY(use_pair(context.get(), files.certificate_file, files.key_file));
  Ssl ssl = ssl_on(fd, context.get());
  PAWL_CHECK(ssl != nullptr, "OpenSSL has memory for a connection");
  // An address stands in a certificate otherwise than a name, and no name is asked for with it.
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), host.c_str()) != 1) {
    SSL_set1_host(ssl.get(), host.c_str());
    SSL_set_tlsext_host_name(ssl.get(), host.c_str());
  }
  SSL_set_connect_state(ssl.get());
  return std::unique_ptr<ByteStream>(std::make_unique<TlsStream>(std::move(ssl)));
}

}  // namespace pawl
