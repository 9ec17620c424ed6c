// A TLS server for tests by OpenSSL's blocking calls, and certificates for it, made on the spot. Each
// accepted connection is played by a script in a thread of its own; a peer that says nothing for ten seconds
// ends it.
#pragma once

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "net/scripted_server.h"

namespace s3lt {

struct Identity {
  std::shared_ptr<X509> certificate;
  std::shared_ptr<EVP_PKEY> key;
};

struct IdentityOptions {
  std::string name = "test";                  // common name
  std::string alternatives = "IP:127.0.0.1";  // empty: none
  long from = -3600, until = 3600;            // seconds from now
  const Identity* issuer = nullptr;           // null: signed by itself
  bool authority = false;
};

inline Identity make_identity(const IdentityOptions& options) {
  Identity made{.certificate = {X509_new(), X509_free}, .key = {EVP_EC_gen("P-256"), EVP_PKEY_free}};
  X509* certificate = made.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  static long serial = 1;
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), options.from);
  X509_gmtime_adj(X509_getm_notAfter(certificate), options.until);
  X509_set_pubkey(certificate, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(options.name.c_str()), -1, -1, 0);
  const Identity& issuer = options.issuer != nullptr ? *options.issuer : made;
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer.certificate.get()));
  const auto extend = [&](int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer.certificate.get(), certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    ASSERT_NE(extension, nullptr) << value;
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  };
  if (options.authority) extend(NID_basic_constraints, "critical,CA:TRUE");
  if (!options.alternatives.empty()) extend(NID_subject_alt_name, options.alternatives);
  X509_sign(certificate, issuer.key.get(), EVP_sha256());
  return made;
}

// A file of certificates to trust, gone with it.
class BundleFile {
 public:
  explicit BundleFile(const Identity& identity) {
    static int number = 0;
    path_ =
        testing::TempDir() + "bundle-" + std::to_string(getpid()) + "-" + std::to_string(++number) + ".pem";
    FILE* file = fopen(path_.c_str(), "w");
    PEM_write_X509(file, identity.certificate.get());
    fclose(file);
  }
  ~BundleFile() { std::filesystem::remove(path_); }
  BundleFile(const BundleFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The server's side of a connection whose handshake is done. Belongs to the script's thread.
class TlsPeer {
 public:
  explicit TlsPeer(SSL* ssl) : ssl_(ssl) {}
  bool read_request() {
    std::string received;
    std::array<char, 4096> buffer;
    while (received.find("\r\n\r\n") == received.npos) {
      const int n = SSL_read(ssl_, buffer.data(), buffer.size());
      if (n <= 0) return false;
      received.append(buffer.data(), static_cast<std::size_t>(n));
    }
    return true;
  }
  void write(const std::string& text) { SSL_write(ssl_, text.data(), static_cast<int>(text.size())); }
  void close_notify() { SSL_shutdown(ssl_); }
  std::string server_name() const {
    const char* name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
    return name != nullptr ? name : "";
  }
  bool resumed() const { return SSL_session_reused(ssl_) == 1; }

 private:
  SSL* ssl_;
};

struct TlsTestOptions {
  int least = TLS1_2_VERSION, most = TLS1_3_VERSION;
  bool demands_certificate = false;  // of the client
};

class TlsTestServer {
 public:
  using Script = std::function<void(TlsPeer& peer)>;
  TlsTestServer(const Identity& identity, Script script, TlsTestOptions options = {})
      : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free), script_(std::move(script)) {
    signal(SIGPIPE, SIG_IGN);                       // OpenSSL writes without MSG_NOSIGNAL
    SSL_CTX_set_security_level(context_.get(), 0);  // for the old versions
    SSL_CTX_set_min_proto_version(context_.get(), options.least);
    SSL_CTX_set_max_proto_version(context_.get(), options.most);
    SSL_CTX_use_certificate(context_.get(), identity.certificate.get());
    SSL_CTX_use_PrivateKey(context_.get(), identity.key.get());
    if (options.demands_certificate)
      SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_alpn_select_cb(context_.get(), choose, nullptr);
    server_ = std::make_unique<ScriptedServer>([this](ScriptedPeer& peer, int) { play(peer.fd()); });
  }
  std::uint16_t port() const { return server_->port(); }
  int accepted() { return server_->accepted(); }

 private:
  static int choose(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered,
                    unsigned offered_size, void*) {
    static const unsigned char ours[] = "\x02h2\x08http/1.1";
    unsigned char* chosen = nullptr;
    const int found = SSL_select_next_proto(&chosen, size, ours, sizeof ours - 1, offered, offered_size);
    *out = chosen;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
  }
  void play(int fd) {
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context_.get()), SSL_free);
    SSL_set_fd(ssl.get(), fd);
    if (SSL_accept(ssl.get()) == 1) {
      TlsPeer peer(ssl.get());
      script_(peer);
    }
    SSL_set_quiet_shutdown(ssl.get(), 1);
    ERR_clear_error();
  }

  std::shared_ptr<SSL_CTX> context_;
  Script script_;
  std::unique_ptr<ScriptedServer> server_;  // last: its threads use the others
};

}  // namespace s3lt
