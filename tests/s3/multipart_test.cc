// Uploads in parts: what each profile writes, held header by header against what boto3, minio-py and the earlier
// tool around them sent (tests/data/wire), signatures included; how objects are cut; what the storage answers.
#include "s3/multipart.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "s3/recorded_heads.h"
#include "s3/wire_profile.h"

namespace s3lt {
namespace {

constexpr std::string_view upload_id = "up/load+id==";

struct Recording {
  const char* profile;
  const char* client;
  const char* operation;
};

class RecordedUploads : public testing::TestWithParam<Recording> {
 protected:
  static bool tls() { return std::string_view(GetParam().client).ends_with("https"); }
  static const WireProfile& profile() { return *find_profile(GetParam().profile); }

  // The profile's head for this request, signed when and as the recorded one was.
  template <class Request>
  static void expect_written(const RecordedHead& recorded, const Request& request) {
    const bool boto3 = profile().name() == "boto3";
    Signer signer({"WIRETESTACCESSKEY001", "wire+test/secret=0123456789abcdefghijklm", ""}, "us-east-1");
    const ParsedTime time = parse_basic_utc(recorded.value(boto3 ? "X-Amz-Date" : "x-amz-date"));
    ASSERT_TRUE(time.ok);
    const std::string host = recorded.value("Host"), id = recorded.value("amz-sdk-invocation-id");
    std::string head = "left from before";
    profile().encode(request,
                     {.signer = signer,
                      .host = host,
                      .time = time.time,
                      .invocation_id = id,
                      .attempt = 1,
                      .max_attempts = 3,
                      .tls = tls()},
                     head);
    expect_same(lines_of(head), recorded.lines);
  }
};

// The number behind `name` in the request's target.
unsigned number_in(const RecordedHead& recorded, std::string_view name) {
  const std::string& line = recorded.lines.front();
  return static_cast<unsigned>(std::stoul(line.substr(line.find(name) + name.size())));
}

// <PartNumber>, <ETag> and <ChecksumCRC32> of a recorded completion, in whatever order they stand.
std::vector<UploadedPart> parts_in(const std::string& body) {
  std::vector<UploadedPart> parts;
  for (std::size_t at = 0; (at = body.find("<Part>", at)) != std::string::npos;) {
    const std::string part = body.substr(at, body.find("</Part>", at) - at);
    const auto text = [&](const std::string& name) {
      const std::size_t begin = part.find("<" + name + ">");
      if (begin == std::string::npos) return std::string();
      const std::size_t from = begin + name.size() + 2;
      return part.substr(from, part.find("</", from) - from);
    };
    parts.push_back({static_cast<unsigned>(std::stoul(text("PartNumber"))), text("ETag"),
                     text("ChecksumCRC32")});
    at += part.size();
  }
  return parts;
}

TEST_P(RecordedUploads, AreWrittenAsTheSdkDoes) {
  std::size_t created = 0, parts = 0, completed = 0;
  for (const RecordedHead& recorded : read_recorded_heads(GetParam().client, GetParam().operation)) {
    const std::string& line = recorded.lines.front();
    SCOPED_TRACE(line);
    if (line.find("?location=") != std::string::npos) continue;
    const std::string target = key_in(recorded), key = target.substr(0, target.find('?'));
    if (line.find("?uploads") != std::string::npos) {
      ++created;
      expect_written(recorded, CreateUpload{.bucket = "bkt", .key = key});
    } else if (line.starts_with("PUT")) {
      ++parts;
      const std::string hash = sha256_hex(recorded.body),
                        crc = crc32_base64(crc32(0, recorded.body.data(), recorded.body.size())),
                        md5 = profile().traits(tls()).md5 ? md5_base64(recorded.body) : std::string();
      expect_written(recorded, UploadPart{.bucket = "bkt",
                                          .key = key,
                                          .upload = upload_id,
                                          .number = number_in(recorded, "partNumber="),
                                          .size = recorded.body.size(),
                                          .sha256_hex = hash,
                                          .crc32_base64 = crc,
                                          .md5_base64 = md5});
    } else {
      ++completed;
      const std::string body = profile().complete_upload_body(parts_in(recorded.body));
      EXPECT_EQ(body, recorded.body);
      expect_written(recorded,
                     CompleteUpload{.bucket = "bkt", .key = key, .upload = upload_id, .body = body});
    }
  }
  EXPECT_EQ(created, 1u);
  EXPECT_GE(parts, 2u);
  EXPECT_EQ(completed, 1u);
}

INSTANTIATE_TEST_SUITE_P(Clients, RecordedUploads,
                         testing::Values(Recording{"boto3", "boto3-http", "put_100MiB_upload_file"},
                                         Recording{"boto3", "boto3-https", "put_100MiB_upload_file"},
                                         Recording{"minio", "minio-http", "put_10MiB_bytes"},
                                         Recording{"minio", "minio-https", "put_10MiB_bytes"},
                                         Recording{"minio", "minio-http", "put_100MiB_fput_object"},
                                         Recording{"minio", "minio-https", "put_100MiB_fput_object"},
                                         Recording{"minio", "miniotool-http", "put_10MiB"},
                                         Recording{"minio", "miniotool-https", "put_10MiB"},
                                         Recording{"minio", "miniotool-http", "put_100MiB"},
                                         Recording{"minio", "miniotool-https", "put_100MiB"}));

TEST(NativeUploads, AreWrittenLean) {
  Signer signer({"AK", "SK", ""}, "us-east-1");
  const RequestContext context{
      .signer = signer, .host = "h", .time = parse_basic_utc("20260204T120000Z").time};
  const WireProfile& native = *find_profile("native");
  std::string head;
  const auto begins = [&](std::string_view line) {
    EXPECT_TRUE(head.starts_with(std::string(line) + "\r\nHost: h\r\nx-amz-content-sha256: ")) << head;
  };
  native.encode(CreateUpload{.bucket = "b", .key = "k k"}, context, head);
  begins("POST /b/k%20k?uploads= HTTP/1.1");
  EXPECT_TRUE(head.ends_with("\r\nContent-Length: 0\r\n\r\n"));
  native.encode(UploadPart{.bucket = "b", .key = "k", .upload = upload_id, .number = 7, .size = 9}, context,
                head);
  begins("PUT /b/k?partNumber=7&uploadId=up%2Fload%2Bid%3D%3D HTTP/1.1");
  EXPECT_NE(head.find("x-amz-content-sha256: UNSIGNED-PAYLOAD\r\n"), std::string::npos);
  EXPECT_TRUE(head.ends_with("\r\nContent-Length: 9\r\n\r\n"));
  const UploadedPart part{1, "\"e&\"", "crc"};
  const std::string body = native.complete_upload_body({&part, 1});
  EXPECT_EQ(body,
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"e&amp;\"</ETag></Part>"
            "</CompleteMultipartUpload>");
  native.encode(CompleteUpload{.bucket = "b", .key = "k", .upload = upload_id, .body = body}, context, head);
  begins("POST /b/k?uploadId=up%2Fload%2Bid%3D%3D HTTP/1.1");
  EXPECT_NE(head.find("x-amz-content-sha256: " + sha256_hex(body) + "\r\n"), std::string::npos);
}

TEST(AbortUploads, AreDeletesOfTheUpload) {
  Signer signer({"AK", "SK", ""}, "us-east-1");
  const RequestContext context{
      .signer = signer, .host = "h", .time = parse_basic_utc("20260204T120000Z").time};
  for (const char* name : {"boto3", "minio", "native"}) {
    std::string head;
    find_profile(name)->encode(AbortUpload{.bucket = "b", .key = "k", .upload = upload_id}, context, head);
    EXPECT_TRUE(head.starts_with("DELETE /b/k?uploadId=up%2Fload%2Bid%3D%3D HTTP/1.1\r\n")) << name;
    // As each of them deletes.
    EXPECT_EQ(head.find("Content-Length: 0") != std::string::npos, name == std::string_view("boto3")) << name;
  }
}

TEST(PartSizes, AreThoseOfTheClient) {
  const auto size = [](const char* profile, std::uint64_t object,
                       std::optional<std::uint64_t> asked = std::nullopt) {
    return find_profile(profile)->part_size(object, asked);
  };
  // put_object never splits what S3 takes in one piece.
  EXPECT_EQ(size("boto3", 5 * GiB), 0u);
  EXPECT_EQ(size("boto3", 5 * GiB + 1), 8 * MiB);
  EXPECT_EQ(size("boto3", 100 * GiB), 16 * MiB) << "no more than 10,000 parts";
  EXPECT_EQ(size("native", 5 * GiB), 0u);
  EXPECT_EQ(size("native", 6 * GiB), 64 * MiB);
  // boto3 splits from the threshold on, minio-py above it.
  EXPECT_EQ(size("boto3", 8 * MiB - 1, 8 * MiB), 0u);
  EXPECT_EQ(size("boto3", 8 * MiB, 8 * MiB), 8 * MiB);
  EXPECT_EQ(size("minio", 5 * MiB), 0u);
  EXPECT_EQ(size("minio", 5 * MiB + 1), 5 * MiB);
  EXPECT_EQ(size("minio", 100 * MiB), 5 * MiB);
  EXPECT_EQ(size("minio", 50'000 * MiB), 5 * MiB);
  EXPECT_EQ(size("minio", 50'000 * MiB + 1), 10 * MiB);
  EXPECT_EQ(size("minio", 8 * MiB, 8 * MiB), 0u);
  EXPECT_EQ(size("minio", 8 * MiB + 1, 8 * MiB), 8 * MiB);
  EXPECT_EQ(parts_of(100 * MiB, 5 * MiB), 20u);
  EXPECT_EQ(parts_of(100 * MiB + 1, 5 * MiB), 21u);
}

TEST(UploadAnswers, AreReadFromTheirXml) {
  EXPECT_EQ(parse_upload_id("<?xml version=\"1.0\"?>\n<InitiateMultipartUploadResult "
                            "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>b</Bucket>"
                            "<UploadId>up/load+id==</UploadId></InitiateMultipartUploadResult>"),
            std::string(upload_id));
  EXPECT_EQ(parse_upload_id("<InitiateMultipartUploadResult/>"), "");
  EXPECT_EQ(parse_upload_id("<Error><UploadId>x</UploadId></Error>"), "");
  EXPECT_EQ(parse_upload_id(""), "");
  // S3 sends white space while it puts the parts together.
  EXPECT_TRUE(is_completed_upload("\n \n<CompleteMultipartUploadResult><ETag>e</ETag>"
                                  "</CompleteMultipartUploadResult>"));
  EXPECT_TRUE(is_completed_upload("  <?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CompleteMultipartUploadResult/>"));
  EXPECT_FALSE(is_completed_upload("<Error><Code>InternalError</Code></Error>"));
  EXPECT_FALSE(is_completed_upload("<CompleteMultipartUploadResult>"));
  EXPECT_FALSE(is_completed_upload(""));
}

}  // namespace
}  // namespace s3lt
