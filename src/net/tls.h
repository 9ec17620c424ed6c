// TLS 1.2 and 1.3 by OpenSSL 3. The contexts are made once and shared by all threads (immutable);
// a session belongs to one stream.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <string>

struct ssl_st;  // OpenSSL's SSL

namespace s3lt {

struct TlsClientOptions {
  bool verify = true;
  std::string ca_bundle;  // path of a PEM file; empty: the system's store
};

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
  TlsSession(TlsClient& context, int fd, const std::string& server_name);  // SNI for names, not for addresses
  TlsSession(TlsServer& context, int fd);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  ssl_st* ssl() { return ssl_; }
  static constexpr std::size_t record_size = 16 * 1024;
  std::byte* record() { return record_.get(); }

 private:
  ssl_st* ssl_;
  std::unique_ptr<std::byte[]> record_;
};

}  // namespace s3lt
