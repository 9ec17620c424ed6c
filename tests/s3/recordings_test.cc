// Every request that was recorded of boto3 and minio-py (tests/data/wire) is made again by the profile of
// that name and held against it line by line, signature included; only the user agent is ours. What our load
// asks of no storage stands in `why_unmade`, and nothing else is left out.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "base/encoding.h"
#include "http/percent.h"
#include "s3/recorded_heads.h"
#include "s3/wire_profile.h"

namespace s3lt {
namespace {

// A request line, taken apart.
struct Target {
  std::string method, bucket, key;
  std::map<std::string, std::string> query;  // decoded
  bool has(const std::string& name) const { return query.contains(name); }
  std::string parameter(const std::string& name) const { return has(name) ? query.at(name) : std::string(); }
};

Target target_of(const std::string& line) {
  const std::size_t space = line.find(' '), end = line.rfind(' ');
  std::string text = line.substr(space + 1, end - space - 1);
  Target target{.method = line.substr(0, space), .bucket = {}, .key = {}, .query = {}};
  if (const std::size_t question = text.find('?'); question != text.npos) {
    std::string query = text.substr(question + 1) + "&";
    text.resize(question);
    for (std::size_t at = 0; at < query.size();) {
      const std::size_t next = query.find('&', at);
      const std::string one = query.substr(at, next - at);
      const std::size_t equals = std::min(one.find('='), one.size());
      target.query[one.substr(0, equals)] =
          http::decode(one.substr(std::min(equals + 1, one.size())), false).value();
      at = next + 1;
    }
  }
  const std::size_t slash = text.find('/', 1);
  target.bucket = text.substr(1, slash == text.npos ? slash : slash - 1);
  if (slash != text.npos) target.key = http::decode(text.substr(slash + 1), false).value();
  return target;
}

// Why no pattern of ours sends this; empty: one does.
std::string_view why_unmade(std::string_view file, const RecordedHead& recorded, const Target& target) {
  if (target.has("uploads") || target.has("uploadId")) return "multipart upload: tests of its own";
  if (file.find("upload_file") != file.npos) return "s3transfer puts x-amz-sdk-checksum-algorithm first";
  if (!recorded.value("If-Match").empty()) return "download_file reads in parts of one version";
  if (!recorded.value("x-amz-meta-n").empty()) return "objects of ours have no metadata";
  if (!target.parameter("delimiter").empty()) return "lists of ours go through all below a prefix";
  if (target.parameter("start-after") != target.parameter("continuation-token"))
    return "the earlier tool began a page behind the key that it wanted";
  return {};
}

class Recording {
 public:
  Recording(std::string_view client, const RecordedHead& recorded)
      : tls_(client.ends_with("https")),
        profile_(*find_profile(client.starts_with("boto3") ? "boto3" : "minio")),
        recorded_(recorded),
        signer_({"WIRETESTACCESSKEY001", "wire+test/secret=0123456789abcdefghijklm",
                 recorded.value("X-Amz-Security-Token")},
                region_of(recorded.value("Authorization"))) {}

  // The request of the profile's that this is; nothing where it is none.
  std::optional<std::vector<std::string>> made_again(const Target& target) {
    const std::string &bucket = target.bucket, &key = target.key;
    if (!key.empty()) {
      if (target.method == "GET")
        return head(GetObject{.bucket = bucket, .key = key, .range = recorded_.value("Range")});
      if (target.method == "HEAD") return head(HeadObject{.bucket = bucket, .key = key});
      if (target.method == "DELETE") return head(DeleteObject{.bucket = bucket, .key = key});
      if (target.method == "PUT") return put(target);
      return std::nullopt;
    }
    if (target.has("delete")) return head(DeleteObjects{.bucket = bucket, .body = recorded_.body});
    if (target.has("location")) return head(GetBucketLocation{.bucket = bucket});
    if (target.has("list-type")) {
      const std::string prefix = target.parameter("prefix"), token = target.parameter("continuation-token");
      return head(ListObjects{.bucket = bucket,
                              .prefix = prefix,
                              .max_keys = static_cast<unsigned>(std::stoul(target.parameter("max-keys"))),
                              .continuation_token = token});
    }
    if (target.method == "HEAD") return head(HeadBucket{.bucket = bucket});
    if (target.method == "PUT") return head(CreateBucket{.bucket = bucket, .body = recorded_.body});
    return std::nullopt;
  }

 private:
  std::vector<std::string> put(const Target& target) {
    const std::string& body = recorded_.body;
    const WireTraits traits = profile_.traits(tls_);
    // Large ones are hashed by wire_vectors_test.cc.
    const bool large = body.size() > (8u << 20);
    const auto of = [&](bool needed, std::string_view name, auto compute) {
      return !needed ? std::string() : large ? recorded_.value(name) : compute();
    };
    const std::string hash = of(traits.sha256, "X-Amz-Content-SHA256", [&] { return sha256_hex(body); });
    const std::string crc = of(traits.crc32, "x-amz-checksum-crc32",
                               [&] { return crc32_base64(crc32(0, body.data(), body.size())); });
    const std::string md5 = of(traits.md5, "Content-MD5", [&] { return md5_base64(body); });
    return head(PutObject{.bucket = target.bucket,
                          .key = target.key,
                          .size = body.size(),
                          .sha256_hex = hash,
                          .crc32_base64 = crc,
                          .md5_base64 = md5});
  }

  template <class Request>
  std::vector<std::string> head(const Request& request) {
    const auto number = [&](std::string_view name) {
      const std::string text = recorded_.value("amz-sdk-request");
      const std::size_t at = text.find(name);
      return at == text.npos ? 1u : static_cast<unsigned>(std::stoul(text.substr(at + name.size())));
    };
    const std::string host = recorded_.value("Host"), id = recorded_.value("amz-sdk-invocation-id");
    const std::string date = recorded_.value("X-Amz-Date") + recorded_.value("x-amz-date");
    std::string out = "left from before";
    profile_.encode(request,
                    {.signer = signer_,
                     .host = host,
                     .time = parse_basic_utc(date).time,
                     .invocation_id = id,
                     .attempt = number("attempt="),
                     .max_attempts = number("max="),
                     .after_response = recorded_.value("amz-sdk-request").starts_with("ttl="),
                     .tls = tls_},
                    out);
    return lines_of(out);
  }

  const bool tls_;
  const WireProfile& profile_;
  const RecordedHead& recorded_;
  Signer signer_;
};

// The recording client of `retry_503` waited 60 s for an answer, the earlier tool's 300 s.
void forget_ttl(std::vector<std::string>& lines) {
  for (std::string& line : lines) {
    const std::size_t at = line.find("ttl=");
    if (at != line.npos) line.replace(at + 4, 16, "*");
  }
}

TEST(Recordings, AreMadeAgainByTheProfileToTheLastHeader) {
  std::map<std::string_view, std::size_t> unmade;
  std::map<std::string, std::size_t> made;
  for (const auto& entry : std::filesystem::directory_iterator(TEST_DATA "/wire")) {
    if (entry.path().extension() != ".txt") continue;
    const std::string file = entry.path().stem();
    const std::string client = file.substr(0, file.find('.'));
    if (!client.starts_with("boto3") && !client.starts_with("minio")) continue;
    for (const RecordedHead& recorded : read_recorded_heads(client, file.substr(client.size() + 1))) {
      SCOPED_TRACE(file + " " + recorded.lines.front());
      const Target target = target_of(recorded.lines.front());
      if (const std::string_view why = why_unmade(file, recorded, target); !why.empty()) {
        ++unmade[why];
        continue;
      }
      auto written = Recording(client, recorded).made_again(target);
      ASSERT_TRUE(written) << "no request of ours, and no reason why";
      std::vector<std::string> expected = recorded.lines;
      forget_ttl(*written);
      forget_ttl(expected);
      expect_same(*written, expected);
      ++made[client];
    }
  }
  // None went missing.
  EXPECT_GE(made["boto3-http"], 35u);
  EXPECT_GE(made["boto3-https"], 28u);
  EXPECT_GE(made["boto3tool-http"], 8u);
  EXPECT_GE(made["boto3tool-https"], 8u);
  EXPECT_GE(made["minio-http"], 37u);
  EXPECT_GE(made["minio-https"], 29u);
  EXPECT_EQ(unmade.size(), 6u) << "a reason without a recording is none";
  for (const auto& [client, n] : made) RecordProperty(client, std::to_string(n));
}

// The earlier tool's settings of the SDKs are those of the profiles: what is announced is what is done.
TEST(Recordings, OfTheEarlierToolAnnounceTheAttemptsOfRetriesSdk) {
  const RecordedHead put = recorded_head("boto3tool-http", "put_1KiB");
  EXPECT_EQ(put.value("amz-sdk-request"),
            "attempt=1; max=" + std::to_string(find_profile("boto3")->sdk_retries()->attempts));
}

}  // namespace
}  // namespace s3lt
