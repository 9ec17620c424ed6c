#include "net/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstring>
#include <new>

namespace s3lt {
namespace {

std::string last_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  // A file that cannot be read: the system's reason.
  if (ERR_SYSTEM_ERROR(code)) return std::strerror(ERR_GET_REASON(code));
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "unknown TLS error";
}

struct ContextDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, ContextDeleter>;

void apply_common(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_AUTO_RETRY | SSL_MODE_RELEASE_BUFFERS);
}

bool is_address(const std::string& host) {
  unsigned char ignored[16];
  return inet_pton(AF_INET, host.c_str(), ignored) == 1 || inet_pton(AF_INET6, host.c_str(), ignored) == 1;
}

SSL* new_ssl(SSL_CTX* context, int fd) {
  SSL* ssl = SSL_new(context);
  if (ssl == nullptr || SSL_set_fd(ssl, fd) != 1) throw std::bad_alloc();
  return ssl;
}

}  // namespace

struct TlsClient::Impl {
  Context context;
  TlsClientOptions options;
};

TlsClient::TlsClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsClient::~TlsClient() = default;

std::expected<std::unique_ptr<TlsClient>, std::string> TlsClient::create(const TlsClientOptions& options) {
  Context context(SSL_CTX_new(TLS_client_method()));
  if (!context) return std::unexpected(last_error());
  apply_common(context.get());
  static constexpr unsigned char http11[] = "\x08http/1.1";
  SSL_CTX_set_alpn_protos(context.get(), http11, sizeof http11 - 1);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  // Else OpenSSL holds a session for broken, and none to be continued, whose connection ended without a
  // close_notify, as many servers end kept ones; what that means for an answer is not for it to judge.
  if (options.resume) SSL_CTX_set_options(context.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
  // As Python's ssl: a client that never continues a session asks for no ticket of TLS 1.2.
  if (!options.resume) SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
  SSL_CTX_set_post_handshake_auth(context.get(), 1);
  if (options.verify) {
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);  // judged by the session
    const int loaded = options.ca_bundle.empty()
                           ? SSL_CTX_set_default_verify_paths(context.get())
                           : SSL_CTX_load_verify_locations(context.get(), options.ca_bundle.c_str(), nullptr);
    if (loaded != 1) return std::unexpected(last_error());
  }
  return std::unique_ptr<TlsClient>(new TlsClient(std::make_unique<Impl>(Impl{std::move(context), options})));
}

struct TlsServer::Impl {
  Context context;
};

TlsServer::TlsServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsServer::~TlsServer() = default;

std::expected<std::unique_ptr<TlsServer>, std::string> TlsServer::create(const std::string& certificate_path,
                                                                         const std::string& key_path) {
  Context context(SSL_CTX_new(TLS_server_method()));
  if (!context) return std::unexpected(last_error());
  apply_common(context.get());
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_path.c_str()) != 1) {
    return std::unexpected(certificate_path + ": " + last_error());
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_path.c_str(), SSL_FILETYPE_PEM) != 1) {
    return std::unexpected(key_path + ": " + last_error());
  }
  return std::unique_ptr<TlsServer>(new TlsServer(std::make_unique<Impl>(Impl{std::move(context)})));
}

TlsSession::TlsSession(TlsClient& client, int fd, const std::string& server_name, const TlsTicket& ticket)
    : ssl_(new_ssl(client.impl().context.get(), fd)),
      client_(&client),
      host_(server_name),
      record_(std::make_unique_for_overwrite<std::byte[]>(record_size)) {
  const bool verify = client.impl().options.verify;
  if (is_address(server_name)) {
    if (verify) X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_), server_name.c_str());
  } else {
    // The macro SSL_set_tlsext_host_name, without its C cast.
    SSL_ctrl(ssl_, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(server_name.c_str()));
    if (verify) SSL_set1_host(ssl_, server_name.c_str());
  }
  SSL_set_cert_cb(ssl_, &TlsSession::note_wish, this);
  watch_alerts();
  if (verify) {
    SSL_set_verify(ssl_, SSL_VERIFY_PEER, &TlsSession::judge);
  }
  if (ticket) SSL_set_session(ssl_, ticket.get());
  SSL_set_connect_state(ssl_);
}

TlsSession::TlsSession(TlsServer& server, int fd)
    : ssl_(new_ssl(server.impl().context.get(), fd)),
      record_(std::make_unique_for_overwrite<std::byte[]>(record_size)) {
  watch_alerts();
  SSL_set_accept_state(ssl_);
}

TlsSession::~TlsSession() {
  // Sends nothing. A session that was not shut down would not be continued.
  SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(ssl_);
}

// OpenSSL asks at every certificate of the chain whether to go on.
int TlsSession::judge(int good, X509_STORE_CTX* verification) {
  if (good == 1) return 1;
  const auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto& session = *static_cast<TlsSession*>(SSL_get_ex_data(ssl, 0));
  const TlsClientOptions& options = session.client_->impl().options;
  if (!session.problem_) {
    session.problem_ = read_problem(verification);
    session.problem_->host = session.host_;
    session.problem_->trusted = options.ca_bundle;
  }
  return options.tolerate ? 1 : 0;
}

// The server asks for a certificate of ours: it gets none.
int TlsSession::note_wish(SSL*, void* session) {
  static_cast<TlsSession*>(session)->asked_for_certificate_ = true;
  return 1;
}

void TlsSession::watch_alerts() {
  SSL_set_ex_data(ssl_, 0, this);
  SSL_set_info_callback(ssl_, &TlsSession::note_alert);
}

void TlsSession::note_alert(const SSL* ssl, int where, int alert) {
  if (where != SSL_CB_READ_ALERT || (alert & 0xff) != SSL_AD_CLOSE_NOTIFY) return;
  static_cast<TlsSession*>(SSL_get_ex_data(ssl, 0))->closed_in_order_ = true;
}

// What servers say to whoever sent none, though they asked for one; with TLS 1.3 only after the handshake.
bool TlsSession::lacks_certificate(int reason) const {
  if (reason == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED) return true;
  return asked_for_certificate_ &&
         (reason == SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE || reason == SSL_R_SSLV3_ALERT_BAD_CERTIFICATE ||
          reason == SSL_R_SSLV3_ALERT_NO_CERTIFICATE || reason == SSL_R_TLSV1_ALERT_ACCESS_DENIED);
}

std::string TlsSession::why_failed() const {
  const unsigned long code = ERR_peek_error();
  const int reason = ERR_GET_REASON(code);
  if (problem_ && reason == SSL_R_CERTIFICATE_VERIFY_FAILED) return "the certificate " + words(*problem_);
  if (reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION)
    return std::string(no_modern_tls);
  if (lacks_certificate(reason)) return std::string(wants_certificate);
  const char* text = ERR_reason_error_string(code);
  if (text == nullptr || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
    return asked_for_certificate_ ? std::string(wants_certificate) : "the peer ended the handshake";
  return text;
}

bool TlsSession::resumed() const {
  return SSL_session_reused(ssl_) == 1;
}

TlsFacts TlsSession::facts() const {
  TlsFacts facts{.version = SSL_get_version(ssl_), .cipher = SSL_get_cipher_name(ssl_), .resumed = resumed()};
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &protocol, &size);
  facts.protocol.assign(reinterpret_cast<const char*>(protocol), size);
  if (X509* certificate = SSL_get0_peer_certificate(ssl_); certificate != nullptr)
    facts.certificate = read_certificate(certificate);
  return facts;
}

TlsTicket TlsSession::ticket() const {
  if (client_ == nullptr || !client_->impl().options.resume) return {};
  TlsTicket session(SSL_get1_session(ssl_));
  if (session && SSL_SESSION_is_resumable(session.get()) != 1) session.reset();
  return session;
}

void TlsTicketDeleter::operator()(SSL_SESSION* session) const {
  SSL_SESSION_free(session);
}

}  // namespace s3lt
