// The certificate that a TLS server showed, and why it is not believed. Values and pure functions, but for
// what reads them out of OpenSSL, which belongs to the thread of its session; else thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"

struct x509_st;            // OpenSSL's X509
struct x509_store_ctx_st;  // and its X509_STORE_CTX

namespace s3lt {

struct Certificate {
  std::string subject, issuer;     // "CN=storage.example, O=Example"
  std::vector<std::string> names;  // host names and addresses that it is made out to
  WallTime from{}, until{};        // when it is valid
};

struct CertificateProblem {
  enum class Kind : std::uint8_t {
    expired,
    not_yet_valid,
    wrong_name,
    self_signed,     // by its own key, and nobody trusts it
    unknown_issuer,  // so is somebody up its chain, or nobody says who that is
    other,
  };
  Kind kind = Kind::other;
  Certificate certificate;  // that is at fault: the server's, or that of one of its issuers
  bool of_issuer = false;
  std::string host;     // that was to be reached
  std::string trusted;  // the file of trusted certificates; empty: the system's
  std::string reason;   // OpenSSL's words
};

Certificate read_certificate(x509_st* certificate);
// What a verification that fails at this moment objects to.
CertificateProblem read_problem(x509_store_ctx_st* verification);

// What goes on after "the certificate of https://storage.example ": "expired on 2026-01-02T00:00:00.000Z".
std::string words(const CertificateProblem& problem);
// What to do about it, but for not verifying.
std::string remedy(const CertificateProblem& problem);

}  // namespace s3lt
