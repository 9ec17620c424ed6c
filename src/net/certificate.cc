#include "net/certificate.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/bio.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <span>

namespace s3lt {
namespace {

std::string name_text(const X509_NAME* name) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(BIO_new(BIO_s_mem()), BIO_free);
  // RFC 2253, with a space behind each comma.
  constexpr unsigned long form = (XN_FLAG_RFC2253 & ~XN_FLAG_SEP_MASK) | XN_FLAG_SEP_CPLUS_SPC;
  if (!text || X509_NAME_print_ex(text.get(), name, 0, form) < 0) return {};
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(text.get(), &bytes);
  return {bytes, static_cast<std::size_t>(std::max(size, 0L))};
}

WallTime time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

std::string text_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(std::max(ASN1_STRING_length(text), 0))};
}

std::string address_of(const ASN1_OCTET_STRING* bytes) {
  char text[INET6_ADDRSTRLEN];
  const int family = ASN1_STRING_length(bytes) == 4 ? AF_INET : AF_INET6;
  if (family == AF_INET6 && ASN1_STRING_length(bytes) != 16) return {};
  return inet_ntop(family, ASN1_STRING_get0_data(bytes), text, sizeof text) != nullptr ? text : "";
}

// RFC 9110, 4.3.4: the alternative names; the subject's own where there is none of them.
std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> names;
  auto* found =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(found); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(found, i);
    if (name->type == GEN_DNS) names.push_back(text_of(name->d.dNSName));
    if (name->type == GEN_IPADD) names.push_back(address_of(name->d.iPAddress));
  }
  GENERAL_NAMES_free(found);
  if (!names.empty()) return names;
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at >= 0) names.push_back(text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
  return names;
}

CertificateProblem::Kind kind_of(int error) {
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return CertificateProblem::Kind::expired;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return CertificateProblem::Kind::not_yet_valid;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return CertificateProblem::Kind::wrong_name;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return CertificateProblem::Kind::self_signed;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return CertificateProblem::Kind::unknown_issuer;
    default:
      return CertificateProblem::Kind::other;
  }
}

std::string names_text(const std::vector<std::string>& names) {
  constexpr std::size_t most = 4;
  if (names.empty()) return "no name at all";
  const std::span<const std::string> shown(names.data(), std::min(names.size(), most));
  std::string text = fmt::format("{}", fmt::join(shown, ", "));
  if (names.size() > most) text += fmt::format(" and {} more", names.size() - most);
  return text;
}

}  // namespace

Certificate read_certificate(X509* certificate) {
  return {.subject = name_text(X509_get_subject_name(certificate)),
          .issuer = name_text(X509_get_issuer_name(certificate)),
          .names = names_of(certificate),
          .from = time_of(X509_get0_notBefore(certificate)),
          .until = time_of(X509_get0_notAfter(certificate))};
}

CertificateProblem read_problem(X509_STORE_CTX* verification) {
  const int error = X509_STORE_CTX_get_error(verification);
  CertificateProblem problem{.kind = kind_of(error), .reason = X509_verify_cert_error_string(error)};
  problem.of_issuer = X509_STORE_CTX_get_error_depth(verification) > 0;
  if (X509* at_fault = X509_STORE_CTX_get_current_cert(verification); at_fault != nullptr)
    problem.certificate = read_certificate(at_fault);
  return problem;
}

std::string words(const CertificateProblem& problem) {
  const Certificate& certificate = problem.certificate;
  const std::string others = problem.trusted.empty() ? "among the certificates that this system trusts"
                                                     : fmt::format("in AWS_CA_BUNDLE={}", problem.trusted);
  const std::string whose =
      problem.of_issuer ? fmt::format("has an issuer ({}) whose own ", certificate.subject) : "";
  switch (problem.kind) {
    case CertificateProblem::Kind::expired:
      return fmt::format("{}expired on {}", whose, format_rfc3339(certificate.until));
    case CertificateProblem::Kind::not_yet_valid:
      return fmt::format("{}is not valid before {}, and this machine's clock says {}", whose,
                         format_rfc3339(certificate.from), format_rfc3339(wall_now()));
    case CertificateProblem::Kind::wrong_name:
      return fmt::format("is made out to {}, not to {}", names_text(certificate.names), problem.host);
    case CertificateProblem::Kind::self_signed:
      return fmt::format("is signed by itself and not {}", others);
    case CertificateProblem::Kind::unknown_issuer:
      return fmt::format("was issued by {}, who is not {}", certificate.issuer, others);
    case CertificateProblem::Kind::other:
      break;
  }
  return fmt::format("is not trusted ({})", problem.reason);
}

std::string remedy(const CertificateProblem& problem) {
  const bool bundle = !problem.trusted.empty();
  switch (problem.kind) {
    case CertificateProblem::Kind::expired:
      return "renew it on the storage";
    case CertificateProblem::Kind::not_yet_valid:
      return "set the clock";
    case CertificateProblem::Kind::wrong_name:
      return "use a name that it is made out to in the URL";
    case CertificateProblem::Kind::self_signed:
      return bundle ? "add it to that file" : "name a file that holds it in AWS_CA_BUNDLE";
    default:
      return bundle ? "add its issuer's certificate to that file"
                    : "name a file that holds its issuer's certificate in AWS_CA_BUNDLE";
  }
}

}  // namespace s3lt
