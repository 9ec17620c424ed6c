#include "net/tls.h"

#include "net/http_connection.h"
#include "net/loop_run.h"
#include "net/tls_peer.h"

namespace s3lt {
namespace {

constexpr const char* whole = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody";

void answer(TlsPeer& peer) {
  while (peer.read_request()) peer.write(whole);
}

const Identity& authority() {
  static const Identity made =
      make_identity({.name = "Test Authority", .alternatives = {}, .authority = true});
  return made;
}
const BundleFile& authority_file() {
  static const BundleFile file(authority());
  return file;
}

struct Visit {
  StreamError error = StreamError::none;
  std::string problem;
  std::optional<CertificateProblem> certificate;
  TlsFacts facts;
  ExchangeResult result;
  std::string body, result_problem;
};

// So many connections one after another, each with one request.
std::vector<Visit> visits(const TlsTestServer& server, const TlsClientOptions& options, int count = 1,
                          const std::string& host = "127.0.0.1") {
  auto client = TlsClient::create(options);
  EXPECT_TRUE(client) << client.error();
  std::vector<Visit> out;
  Loop loop;
  const auto visit_all = [&]() -> Task<void> {
    HttpConnection connection(loop);
    const auto addresses = resolve("127.0.0.1", server.port());
    for (int i = 0; i < count; ++i) {
      Visit visit;
      visit.error = co_await connection.connect(addresses->front(), client->get(), host);
      visit.problem = connection.problem();
      visit.certificate = connection.stream().certificate_problem();
      if (visit.error == StreamError::none) {
        visit.facts = connection.stream().tls_facts();
        const ExchangeRequest request{
            .method = "GET", .head = "GET / HTTP/1.1\r\nHost: h\r\n\r\n", .keep_body = true};
        visit.result = co_await connection.exchange(request);
        visit.body = visit.result.body;
        visit.result_problem = visit.result.problem;
        connection.close();
      }
      out.push_back(std::move(visit));
    }
  };
  run_to_end(loop, visit_all());
  out.resize(static_cast<std::size_t>(count));
  return out;
}

// With a certificate of the authority's that the client trusts, but for what `options` say.
Visit visit_certificate(IdentityOptions options, const std::string& host = "127.0.0.1") {
  options.issuer = &authority();
  const TlsTestServer server(make_identity(options), answer);
  return visits(server, {.ca_bundle = authority_file().path()}, 1, host).front();
}

TEST(NetTls, ATrustedCertificateIsTold) {
  const Visit visit = visit_certificate({.name = "storage", .alternatives = "DNS:a.example,IP:127.0.0.1"});

  ASSERT_EQ(visit.error, StreamError::none) << visit.problem;
  EXPECT_EQ(visit.body, "body");
  EXPECT_FALSE(visit.certificate);
  EXPECT_EQ(visit.facts.version, "TLSv1.3");
  EXPECT_EQ(visit.facts.protocol, "http/1.1");
  ASSERT_TRUE(visit.facts.certificate);
  EXPECT_EQ(visit.facts.certificate->subject, "CN=storage");
  EXPECT_EQ(visit.facts.certificate->issuer, "CN=Test Authority");
  EXPECT_EQ(visit.facts.certificate->names, (std::vector<std::string>{"a.example", "127.0.0.1"}));
  EXPECT_NEAR(to_seconds(visit.facts.certificate->until - wall_now()), 3600, 60);
}

TEST(NetTls, AServerThatWantsACertificateOfOursIsTold) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const TlsTestServer server(make_identity({}), answer,
                               {.least = version, .most = version, .demands_certificate = true});
    const Visit visit = visits(server, {.verify = false, .ca_bundle = {}}).front();
    // With TLS 1.3 the client's handshake is over before the server objects.
    const bool late = visit.error == StreamError::none;
    EXPECT_NE(late ? visit.result.error : visit.error, StreamError::none) << version;
    EXPECT_EQ(late ? visit.result_problem : visit.problem, wants_certificate) << version;
  }
}

TEST(NetTls, AnExpiredCertificateIsRefusedWithItsTime) {
  const Visit visit = visit_certificate({.from = -7200, .until = -3600});

  EXPECT_EQ(visit.error, StreamError::tls);
  ASSERT_TRUE(visit.certificate);
  EXPECT_EQ(visit.certificate->kind, CertificateProblem::Kind::expired);
  EXPECT_FALSE(visit.certificate->of_issuer);
  EXPECT_EQ(visit.problem,
            "the certificate expired on " + format_rfc3339(visit.certificate->certificate.until));
}

TEST(NetTls, ACertificateOfTheFutureIsRefused) {
  const Visit visit = visit_certificate({.from = 3600, .until = 7200});

  EXPECT_EQ(visit.error, StreamError::tls);
  ASSERT_TRUE(visit.certificate);
  EXPECT_EQ(visit.certificate->kind, CertificateProblem::Kind::not_yet_valid);
}

TEST(NetTls, ACertificateForOtherNamesIsRefusedAndTheyAreTold) {
  const Visit name = visit_certificate({.alternatives = "DNS:a.example,DNS:b.example"}, "c.example");
  EXPECT_EQ(name.error, StreamError::tls);
  EXPECT_EQ(name.problem, "the certificate is made out to a.example, b.example, not to c.example");

  const Visit address = visit_certificate({.alternatives = "IP:127.0.0.9"});
  EXPECT_EQ(address.error, StreamError::tls);
  EXPECT_EQ(address.problem, "the certificate is made out to 127.0.0.9, not to 127.0.0.1");
}

TEST(NetTls, ACertificateThatNobodyVouchesForIsRefused) {
  const TlsTestServer self(make_identity({}), answer);
  const Visit alone = visits(self, {.ca_bundle = authority_file().path()}).front();
  EXPECT_EQ(alone.error, StreamError::tls);
  EXPECT_EQ(alone.problem,
            "the certificate is signed by itself and not in AWS_CA_BUNDLE=" + authority_file().path());

  const TlsTestServer issued(make_identity({.issuer = &authority()}), answer);
  const BundleFile other(make_identity({.name = "Somebody Else", .alternatives = {}, .authority = true}));
  const Visit unknown = visits(issued, {.ca_bundle = other.path()}).front();
  EXPECT_EQ(unknown.error, StreamError::tls);
  EXPECT_EQ(unknown.problem,
            "the certificate was issued by CN=Test Authority, who is not in AWS_CA_BUNDLE=" + other.path());
  const Visit of_system = visits(issued, {}).front();
  EXPECT_EQ(
      of_system.problem,
      "the certificate was issued by CN=Test Authority, who is not among the certificates that this system "
      "trusts");
}

TEST(NetTls, WhoToleratesGoesOnAndIsTold) {
  const TlsTestServer server(make_identity({.until = -60}), answer);
  const Visit visit = visits(server, {.ca_bundle = authority_file().path(), .tolerate = true}).front();

  EXPECT_EQ(visit.error, StreamError::none);
  EXPECT_EQ(visit.body, "body");
  ASSERT_TRUE(visit.certificate);
  EXPECT_EQ(visit.certificate->kind, CertificateProblem::Kind::self_signed);
}

TEST(NetTls, WhoDoesNotVerifyIsToldNothing) {
  const TlsTestServer server(make_identity({.until = -60}), answer);
  const Visit visit = visits(server, {.verify = false}).front();

  EXPECT_EQ(visit.error, StreamError::none);
  EXPECT_FALSE(visit.certificate);
}

TEST(NetTls, TheServersNameIsSentAndAnAddressIsNot) {
  std::mutex mutex;
  std::vector<std::string> heard;
  const TlsTestServer server(make_identity({.alternatives = "DNS:a.example"}), [&](TlsPeer& peer) {
    {
      const std::lock_guard lock(mutex);
      heard.push_back(peer.server_name());
    }
    answer(peer);
  });
  for (const char* host : {"a.example", "127.0.0.1", "::1"}) visits(server, {.verify = false}, 1, host);

  const std::lock_guard lock(mutex);
  EXPECT_EQ(heard, (std::vector<std::string>{"a.example", "", ""}));
}

TEST(NetTls, VersionsFrom12OnAreSpoken) {
  const Identity identity = make_identity({});
  const TlsTestServer two(identity, answer, {.most = TLS1_2_VERSION});
  EXPECT_EQ(visits(two, {.verify = false}).front().facts.version, "TLSv1.2");
  const TlsTestServer three(identity, answer, {.least = TLS1_3_VERSION});
  EXPECT_EQ(visits(three, {.verify = false}).front().facts.version, "TLSv1.3");
  const TlsTestServer one(identity, answer, {.least = TLS1_VERSION, .most = TLS1_1_VERSION});
  const Visit old = visits(one, {.verify = false}).front();
  EXPECT_EQ(old.error, StreamError::tls);
  EXPECT_EQ(old.problem, no_modern_tls);
}

TEST(NetTls, ASessionIsContinuedWhereThatIsWanted) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const TlsTestServer server(make_identity({.issuer = &authority()}), answer,
                               {.least = version, .most = version});
    const TlsClientOptions options{.ca_bundle = authority_file().path(), .resume = true};
    const std::vector<Visit> three = visits(server, options, 3);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(three[i].error, StreamError::none) << three[i].problem;
      EXPECT_EQ(three[i].body, "body");
      EXPECT_EQ(three[i].facts.resumed, i > 0) << i << " of " << three[i].facts.version;
    }
    for (const Visit& visit : visits(server, {.ca_bundle = authority_file().path()}, 2))
      EXPECT_FALSE(visit.facts.resumed);
  }
}

TEST(NetTls, ASessionIsContinuedAlsoWhereItsConnectionEndedWithoutAWord) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const TlsTestServer server(make_identity({}),
                               [](TlsPeer& peer) {
                                 peer.read_request();
                                 peer.write("HTTP/1.1 200 OK\r\n\r\nbody");
                               },
                               {.least = version, .most = version});
    const std::vector<Visit> two = visits(server, {.verify = false, .resume = true}, 2);
    EXPECT_TRUE(two[0].result.truncated);
    EXPECT_TRUE(two[1].facts.resumed) << two[1].facts.version;
  }
}

TEST(NetTls, AServerThatHasForgottenTheSessionBeginsAnew) {
  const Identity identity = make_identity({});
  auto client = TlsClient::create({.verify = false, .resume = true});
  Loop loop;
  std::vector<bool> resumed;
  const auto visit = [&]() -> Task<void> {
    Stream stream;
    for (int i = 0; i < 2; ++i) {
      const TlsTestServer server(identity, answer);  // with keys of its own
      const auto addresses = resolve("127.0.0.1", server.port());
      const ConnectOptions options{.tls = client->get(), .server_name = "127.0.0.1"};
      const StreamError error = co_await stream.connect(loop, addresses->front(), options);
      EXPECT_EQ(error, StreamError::none) << stream.problem();
      resumed.push_back(stream.tls_resumed());
      stream.close();
    }
  };
  run_to_end(loop, visit());
  EXPECT_EQ(resumed, (std::vector{false, false}));
}

// RFC 9112, 9.8: an answer that says its length is whole with its last byte, however the connection ends
// then; one that ends with the connection is whole only if TLS says so.
struct Ending {
  const char* name;
  std::string sent;
  bool notify, whole;
};

class NetTlsEnding : public testing::TestWithParam<Ending> {};

TEST_P(NetTlsEnding, IsATruncationOnlyIfBytesMayBeMissing) {
  const Ending& ending = GetParam();
  const TlsTestServer server(make_identity({}), [&](TlsPeer& peer) {
    peer.read_request();
    peer.write(ending.sent);
    if (ending.notify) peer.close_notify();
  });
  const Visit visit = visits(server, {.verify = false}).front();

  EXPECT_EQ(visit.result.status, 200);
  if (ending.whole) {
    EXPECT_EQ(visit.result.error, StreamError::none) << visit.result_problem;
    EXPECT_FALSE(visit.result.truncated);
    EXPECT_EQ(visit.body, "body");
  } else {
    EXPECT_EQ(visit.result.error, StreamError::closed);
    EXPECT_TRUE(visit.result.truncated);
    EXPECT_EQ(visit.result_problem, ending.notify
                                        ? "the server closed the connection"
                                        : "the server closed the connection without TLS's close_notify");
  }
}

const std::string with_length = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n";
const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n";
const std::string until_close = "HTTP/1.1 200 OK\r\n\r\nbody";

INSTANTIATE_TEST_SUITE_P(Of, NetTlsEnding,
                         testing::Values(Ending{"LengthAll", with_length + "body", false, true},
                                         Ending{"LengthCut", with_length + "bod", false, false},
                                         Ending{"LengthCutInOrder", with_length + "bod", true, false},
                                         Ending{"ChunkedAll", chunked + "0\r\n\r\n", false, true},
                                         Ending{"ChunkedCut", chunked, false, false},
                                         Ending{"UntilCloseInOrder", until_close, true, true},
                                         Ending{"UntilCloseCut", until_close, false, false}),
                         [](const auto& ending) { return ending.param.name; });

}  // namespace
}  // namespace s3lt
