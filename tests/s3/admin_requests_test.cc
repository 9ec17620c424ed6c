#include "s3/admin_requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"

namespace s3lt {
namespace {

using testing::HasSubstr;

class AdminRequestTest : public testing::Test {
 protected:
  std::string head(const AdminRequest& request, const std::string& token = {}) {
    Signer signer({"KEY", "secret", token}, "us-east-1");
    std::string out = "left over";
    encode(request, "bucket", {.signer = signer, .host = "127.0.0.1:9000", .time = WallTime{}}, out);
    return out;
  }
};

TEST_F(AdminRequestTest, AskTheBucketWithASortedEncodedQuery) {
  const std::string text = head(list_keys("a b/ö", "/", "to+ken="));
  EXPECT_TRUE(text.starts_with(
      "GET /bucket?continuation-token=to%2Bken%3D&delimiter=%2F&encoding-type=url&list-type=2&"
      "max-keys=1000&prefix=a%20b%2F%C3%B6 HTTP/1.1\r\n"))
      << text;
  EXPECT_TRUE(text.ends_with("\r\n\r\n"));
  EXPECT_THAT(text, HasSubstr("SignedHeaders=host;x-amz-content-sha256;x-amz-date,"));
  EXPECT_EQ(text.find("secret"), text.npos);
  EXPECT_THAT(head(get_versioning(), "tok"), HasSubstr("x-amz-security-token: tok\r\n"));
}

TEST_F(AdminRequestTest, DeleteVersionsWithTheirChecksum) {
  const AdminRequest request = delete_versions(std::vector<ObjectVersion>{{"a&b", ""}, {"c", "v<1"}});
  EXPECT_EQ(
      request.body,
      "<Delete><Object><Key>a&amp;b</Key></Object><Object><Key>c</Key><VersionId>v&lt;1</VersionId></Object>"
      "</Delete>");
  const std::string text = head(request);
  EXPECT_TRUE(text.starts_with("POST /bucket?delete= HTTP/1.1\r\n")) << text;
  EXPECT_THAT(text, HasSubstr("content-md5: " + md5_base64(request.body) + "\r\n"));
  EXPECT_THAT(text, HasSubstr("Content-Length: " + std::to_string(request.body.size()) + "\r\n"));
}

TEST_F(AdminRequestTest, AbortAnUploadByItsKeyAndId) {
  EXPECT_TRUE(head(abort_upload({"k/1 2", "id/+"}))
                  .starts_with("DELETE /bucket/k/1%202?uploadId=id%2F%2B HTTP/1.1\r\n"));
}

TEST(ParseVersions, ReadsVersionsAndMarkersInTheirOrder) {
  const auto page = parse_versions(
      "<ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><EncodingType>url</EncodingType>"
      "<Version><Key>a%20b</Key><VersionId>1</VersionId></Version>"
      "<DeleteMarker><Key>a%20b</Key><VersionId>2</VersionId></DeleteMarker>"
      "<Version><Key>c</Key><VersionId>null</VersionId></Version>"
      "<IsTruncated>true</IsTruncated><NextKeyMarker>c%2F</NextKeyMarker><NextVersionIdMarker>9</"
      "NextVersionIdMarker>"
      "</ListVersionsResult>");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->versions, (std::vector<ObjectVersion>{{"a b", "1"}, {"a b", "2"}, {"c", "null"}}));
  EXPECT_EQ(page->markers, 1u);
  EXPECT_TRUE(page->truncated);
  EXPECT_EQ(page->next_key, "c/");
  EXPECT_EQ(page->next_version, "9");
  for (const char* wrong : {"", "<ListVersionsResult>", "<ListBucketResult/>", "{}"})
    EXPECT_FALSE(parse_versions(wrong));
}

TEST(ParseUploads, ReadsKeysAndIds) {
  const auto page = parse_uploads(
      "<ListMultipartUploadsResult><Upload><Key>a%b</Key><UploadId>i</UploadId></Upload><IsTruncated>false</"
      "IsTruncated>"
      "</ListMultipartUploadsResult>");
  ASSERT_TRUE(page);
  ASSERT_EQ(page->uploads.size(), 1u);
  EXPECT_EQ(page->uploads[0].key, "a%b") << "not encoded: nobody said that it is";
  EXPECT_EQ(page->uploads[0].id, "i");
  EXPECT_FALSE(page->truncated);
  EXPECT_FALSE(parse_uploads("<Error/>"));
}

TEST_F(AdminRequestTest, AskForTheLockOfOneVersion) {
  EXPECT_TRUE(
      head(get_retention({"a b", "v+1"})).starts_with("GET /bucket/a%20b?retention=&versionId=v%2B1 "));
  EXPECT_TRUE(head(get_legal_hold({"a", ""})).starts_with("GET /bucket/a?legal-hold= "));
}

TEST(ParseRetention, SaysModeAndEnd) {
  EXPECT_EQ(parse_retention("<Retention><Mode>COMPLIANCE</Mode>"
                            "<RetainUntilDate>2030-01-01T00:00:00Z</RetainUntilDate></Retention>"),
            "COMPLIANCE until 2030-01-01T00:00:00Z");
  for (const char* none : {"", "<Retention/>", "<Retention><Mode>COMPLIANCE</Mode></Retention>", "<Error/>"})
    EXPECT_EQ(parse_retention(none), "") << none;
  EXPECT_TRUE(parse_legal_hold("<LegalHold><Status>ON</Status></LegalHold>"));
  EXPECT_FALSE(parse_legal_hold("<LegalHold><Status>OFF</Status></LegalHold>"));
  EXPECT_FALSE(parse_legal_hold("nonsense"));
}

TEST(ParseVersioning, KnowsABucketThatKeepsOrKeptVersions) {
  EXPECT_TRUE(
      parse_has_versions("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"));
  EXPECT_TRUE(
      parse_has_versions("<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>"));
  EXPECT_FALSE(parse_has_versions("<VersioningConfiguration/>"));
  EXPECT_FALSE(parse_has_versions("nonsense"));
}

TEST_F(AdminRequestTest, GoThroughAMultipartUpload) {
  EXPECT_THAT(head(create_upload("a/b")), HasSubstr("POST /bucket/a/b?uploads= HTTP/1.1\r\n"));
  const Upload upload{"a/b", "i d"};
  const AdminRequest part = upload_part(upload, 7, "bytes");
  EXPECT_THAT(head(part), HasSubstr("PUT /bucket/a/b?partNumber=7&uploadId=i%20d HTTP/1.1\r\n"));
  EXPECT_EQ(part.body, "bytes");
  const std::vector<UploadedPart> parts{{1, "\"e&1\""}, {2, "\"e2\""}};
  const AdminRequest complete = complete_upload(upload, parts);
  EXPECT_EQ(complete.method, "POST");
  EXPECT_THAT(complete.body, HasSubstr("<Part><PartNumber>1</PartNumber><ETag>\"e&amp;1\"</ETag></Part>"
                                       "<Part><PartNumber>2</PartNumber><ETag>\"e2\"</ETag></Part>"));
}

TEST(ParseUploadId, ReadsItAndNothingElse) {
  EXPECT_EQ(parse_upload_id("<InitiateMultipartUploadResult><Key>k</Key><UploadId>u1</UploadId>"
                            "</InitiateMultipartUploadResult>"),
            "u1");
  EXPECT_EQ(parse_upload_id("<Error><Code>AccessDenied</Code></Error>"), "");
}

TEST(ParseLocation, IsEmptyForTheFirstRegionAndNothingForOtherAnswers) {
  EXPECT_EQ(parse_location("<LocationConstraint>eu-west-1</LocationConstraint>"), "eu-west-1");
  EXPECT_EQ(parse_location("<LocationConstraint xmlns=\"x\"/>"), "");
  EXPECT_EQ(parse_location("<Error/>"), std::nullopt);
}

TEST(ParseObjectLock, ReadsTheDefaultRetention) {
  const ObjectLock lock = parse_object_lock(
      "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>"
      "<Mode>COMPLIANCE</Mode><Years>2</Years></DefaultRetention></Rule></ObjectLockConfiguration>");
  EXPECT_TRUE(lock.enabled);
  EXPECT_EQ(lock.default_retention, "COMPLIANCE, 2 years");
  EXPECT_FALSE(parse_object_lock("<ObjectLockConfiguration/>").enabled);
  EXPECT_EQ(parse_object_lock("no XML").default_retention, "");
}

}  // namespace
}  // namespace s3lt
