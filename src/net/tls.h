// TLS 1.2 and 1.3 by OpenSSL 3. The contexts are made once and shared by all threads (immutable);
// a session belongs to one stream.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/certificate.h"

struct ssl_st;          // OpenSSL's SSL
struct ssl_session_st;  // and its SSL_SESSION

namespace s3lt {

struct TlsClientOptions {
  bool verify = true;
  std::string ca_bundle;  // path of a PEM file; empty: the system's store
  // With `verify`: goes on with a certificate that failed, which the session then tells.
  bool tolerate = false;
  // A connection continues the session of the one before it, where the server takes it: without certificate
  // and key exchange it costs both sides less (RFC 8446, 2.2; RFC 5077).
  bool resume = false;
};

// What a session came to. `certificate` is the server's; none: the session continues another one.
struct TlsFacts {
  std::string version, cipher;  // "TLSv1.3", "TLS_AES_256_GCM_SHA384"
  std::string protocol;         // that was agreed on by ALPN; empty: the server did not choose
  bool resumed = false;
  std::optional<Certificate> certificate;
};

// A handshake's problem where the server has neither TLS 1.2 nor 1.3.
inline constexpr std::string_view no_modern_tls = "it speaks neither TLS 1.2 nor TLS 1.3";

// Where the server ends the handshake because it was sent no certificate of ours.
inline constexpr std::string_view wants_certificate =
    "it wants a client certificate, which s3loadtest does not send";

// A session to be continued by the next connection.
struct TlsTicketDeleter {
  void operator()(ssl_session_st* session) const;
};
using TlsTicket = std::unique_ptr<ssl_session_st, TlsTicketDeleter>;

class TlsClient {
 public:
  // The error says what is wrong with the CA bundle.
  static std::expected<std::unique_ptr<TlsClient>, std::string> create(const TlsClientOptions& options);
  ~TlsClient();
  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  explicit TlsClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class TlsServer {
 public:
  static std::expected<std::unique_ptr<TlsServer>, std::string> create(const std::string& certificate_path,
                                                                       const std::string& key_path);
  ~TlsServer();
  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  explicit TlsServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// One connection's TLS state over a descriptor, and the buffer in which small pieces become one record.
class TlsSession {
 public:
  // SNI for names, not for addresses (RFC 6066, 3). Continues the session of `ticket`, if the server does.
  TlsSession(TlsClient& context, int fd, const std::string& server_name, const TlsTicket& ticket = {});
  TlsSession(TlsServer& context, int fd);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  ssl_st* ssl() { return ssl_; }
  // Why the handshake failed; call it at once.
  std::string why_failed() const;
  // What the server's certificate is not believed for; the session's first.
  const std::optional<CertificateProblem>& problem() const { return problem_; }
  // The server asked for a certificate of ours, and got none.
  bool asked_for_certificate() const { return asked_for_certificate_; }
  // The peer sent a close_notify.
  bool closed_in_order() const { return closed_in_order_; }
  bool resumed() const;
  TlsFacts facts() const;
  // With TlsClientOptions::resume: what the next connection may continue; null: nothing.
  TlsTicket ticket() const;
  static constexpr std::size_t record_size = 16 * 1024;
  std::byte* record() { return record_.get(); }

 private:
  static int judge(int good, x509_store_ctx_st* verification);
  bool lacks_certificate(int reason) const;
  static int note_wish(ssl_st* ssl, void* session);
  void watch_alerts();
  static void note_alert(const ssl_st* ssl, int where, int alert);
  ssl_st* ssl_;
  TlsClient* client_ = nullptr;
  std::string host_;
  std::optional<CertificateProblem> problem_;
  bool asked_for_certificate_ = false, closed_in_order_ = false;
  std::unique_ptr<std::byte[]> record_;
};

}  // namespace s3lt
