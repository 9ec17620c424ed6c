// Signatures that others made: boto3's recorded requests (tests/data/wire) and the examples that AWS
// publishes for S3 (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html).
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "s3/sigv4.h"

namespace s3lt {
namespace {

constexpr std::string_view access_key = "WIRETESTACCESSKEY001";
constexpr std::string_view secret_key = "wire+test/secret=0123456789abcdefghijklm";

struct OwnedHeader {
  std::string name, value;
};

struct Recorded {
  std::string method, path, query, body;
  std::vector<OwnedHeader> headers;  // names in lower case

  std::string header(std::string_view name) const {
    for (const auto& h : headers)
      if (h.name == name) return h.value;
    return {};
  }
};

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool starts_request(std::string_view line) {
  return line.ends_with(" HTTP/1.1") && std::ranges::count(line, ' ') == 2;
}

Recorded request_line(const std::string& line) {
  Recorded r;
  const auto space = line.find(' '), end = line.rfind(' ');
  r.method = line.substr(0, space);
  const std::string target = line.substr(space + 1, end - space - 1);
  const auto question = target.find('?');
  r.path = target.substr(0, question);
  if (question != std::string::npos) r.query = target.substr(question + 1);
  return r;
}

std::vector<Recorded> read_recording(const std::filesystem::path& file) {
  constexpr std::string_view fill = "# body: ", text = "# body-text: ";
  std::ifstream in(file);
  std::vector<Recorded> requests;
  for (std::string line; std::getline(in, line);) {
    if (starts_request(line)) {
      requests.push_back(request_line(line));
    } else if (requests.empty()) {
      continue;
    } else if (line.starts_with(text)) {
      requests.back().body = line.substr(text.size());
    } else if (line.starts_with(fill) && line.find(" bytes of 'a'") != std::string::npos) {
      requests.back().body.assign(std::stoul(line.substr(fill.size())), 'a');
    } else if (const auto colon = line.find(": "); !line.starts_with('#') && colon != std::string::npos) {
      requests.back().headers.push_back({lower(line.substr(0, colon)), line.substr(colon + 2)});
    }
  }
  return requests;
}

// What follows `name=` in an Authorization header, up to the comma.
std::string field(const std::string& authorization, const std::string& name) {
  const auto at = authorization.find(name + "=");
  if (at == std::string::npos) return {};
  const auto from = at + name.size() + 1;
  return authorization.substr(from, authorization.find(',', from) - from);
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t from = 0;;) {
    const auto to = text.find(separator, from);
    parts.push_back(text.substr(from, to - from));
    if (to == std::string::npos) return parts;
    from = to + 1;
  }
}

// SigV4 signs a value with its inner runs of spaces as one; Signer leaves that to its caller.
std::string one_space(std::string text) {
  const auto [first, last] = std::ranges::unique(text, [](char a, char b) { return a == ' ' && b == ' '; });
  text.erase(first, last);
  return text;
}

void expect_same_signature(const Recorded& r) {
  const std::string sent = r.header("authorization");
  const auto scope = split(field(sent, "Credential"), '/');
  ASSERT_EQ(scope.size(), 5u) << sent;
  EXPECT_EQ(scope[0], access_key);
  std::vector<SignedHeader> headers;
  std::vector<std::string> values;  // owns what `headers` views
  const auto names = split(field(sent, "SignedHeaders"), ';');
  values.reserve(names.size());
  for (const auto& name : names) headers.push_back({name, values.emplace_back(one_space(r.header(name)))});

  Signer signer(
      Credentials{std::string(access_key), std::string(secret_key), r.header("x-amz-security-token")},
      scope[2]);
  const std::string query = canonical_query(r.query), hash = r.header("x-amz-content-sha256");
  const SigningInput input{
      .method = r.method, .path = r.path, .canonical_query = query, .headers = headers, .payload_hash = hash};
  std::string authorization;
  signer.append_authorization(authorization, input, r.header("x-amz-date"));
  EXPECT_EQ(authorization, sent);
  // Over https the body is not signed.
  if (hash != "STREAMING-UNSIGNED-PAYLOAD-TRAILER" && hash != unsigned_payload) {
    EXPECT_EQ(hash, sha256_hex(r.body));
  }
}

TEST(WireVectors, RecordedRequestsRecomputeToTheirSignaturesAndPayloadHashes) {
  std::size_t requests = 0;
  for (const auto& entry : std::filesystem::directory_iterator(TEST_DATA "/wire")) {
    if (entry.path().extension() != ".txt") continue;
    if (entry.path().filename().string().starts_with("proxy.")) continue;  // not signed
    for (const Recorded& r : read_recording(entry.path())) {
      SCOPED_TRACE(entry.path().filename().string() + " " + r.method + " " + r.path + "?" + r.query);
      expect_same_signature(r);
      ++requests;
    }
  }
  EXPECT_EQ(requests, 218u);
}

TEST(WireVectors, AChangedByteChangesTheSignature) {
  auto requests = read_recording(TEST_DATA "/wire/boto3-http.get.txt");
  ASSERT_FALSE(requests.empty());
  Recorded r = requests.front();
  const std::string hash = r.header("x-amz-content-sha256"), host = r.header("host");
  Signer signer(Credentials{std::string(access_key), std::string(secret_key), {}}, "us-east-1");
  const SignedHeader headers[] = {{"host", host}};
  SigningInput input{
      .method = "GET", .path = r.path, .canonical_query = {}, .headers = headers, .payload_hash = hash};
  const auto before = signer.signature(input, r.header("x-amz-date"));
  r.path.back() = '_';
  input.path = r.path;
  EXPECT_NE(signer.signature(input, r.header("x-amz-date")), before);
}

// The published examples: 24 May 2013 00:00:00 GMT, us-east-1, bucket examplebucket.
struct Published {
  const char* name;
  std::string_view method, path, query, payload_hash;
  std::vector<SignedHeader> more;  // beside host, x-amz-content-sha256 and x-amz-date
  std::string_view signature;
};

class PublishedVectors : public ::testing::TestWithParam<Published> {};

TEST_P(PublishedVectors, Match) {
  const Published& p = GetParam();
  Signer signer(Credentials{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", {}},
                "us-east-1");
  std::vector<SignedHeader> headers = p.more;
  headers.push_back({"host", "examplebucket.s3.amazonaws.com"});
  headers.push_back({"x-amz-content-sha256", p.payload_hash});
  headers.push_back({"x-amz-date", "20130524T000000Z"});
  std::ranges::sort(headers, {}, &SignedHeader::name);
  const std::string query = canonical_query(p.query);
  const auto signature = signer.signature({.method = p.method,
                                           .path = p.path,
                                           .canonical_query = query,
                                           .headers = headers,
                                           .payload_hash = p.payload_hash},
                                          "20130524T000000Z");
  EXPECT_EQ(std::string_view(signature.data(), signature.size()), p.signature);
}

INSTANTIATE_TEST_SUITE_P(
    Aws, PublishedVectors,
    ::testing::Values(
        Published{"GetObjectRange",
                  "GET",
                  "/test.txt",
                  "",
                  empty_sha256,
                  {{"range", "bytes=0-9"}},
                  "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
        Published{
            "PutObject",
            "PUT",
            "/test%24file.text",
            "",
            "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",  // "Welcome to Amazon S3."
            {{"date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
        Published{"GetBucketLifecycle",
                  "GET",
                  "/",
                  "lifecycle",
                  empty_sha256,
                  {},
                  "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
        Published{"ListObjects",
                  "GET",
                  "/",
                  "max-keys=2&prefix=J",
                  empty_sha256,
                  {},
                  "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"}),
    [](const auto& vector) { return vector.param.name; });

TEST(WireVectors, ThePublishedPayloadHashIsThatOfItsText) {
  EXPECT_EQ(sha256_hex("Welcome to Amazon S3."),
            "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");
  EXPECT_EQ(sha256_hex(""), empty_sha256);
}

}  // namespace
}  // namespace s3lt
