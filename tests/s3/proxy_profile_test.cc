// What the proxy profile writes, held line by line against what the earlier tool sent to its s3pool
// (tests/data/wire): unsigned, and with keys as they are.
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "s3/recorded_heads.h"
#include "s3/wire_profile.h"

namespace s3lt {
namespace {

const WireProfile& profile() {
  return *find_profile("proxy");
}

template <class Request>
void expect_written(const RecordedHead& recorded, const Request& request) {
  Signer signer({"WIRETESTACCESSKEY001", "wire+test/secret=0123456789abcdefghijklm", ""}, "us-east-1");
  const std::string host = recorded.value("Host");
  std::string head = "left from before";
  profile().encode(request, {.signer = signer, .host = host}, head);
  EXPECT_EQ(lines_of(head), recorded.lines);
}

TEST(ProxyProfile, WritesPutsAsTheToolDid) {
  for (const char* name : {"put_1KiB", "put_10MiB", "put_100MiB"}) {
    SCOPED_TRACE(name);
    const RecordedHead put = recorded_head("proxy", name);
    const std::string key = key_in(put);
    expect_written(put, PutObject{.bucket = "bkt", .key = key, .size = put.body.size()});
  }
}

TEST(ProxyProfile, SendsKeysRaw) {
  const auto all = read_recorded_heads("proxy", "keys_special");
  const char* keys[] = {"a+b", "t~i-l_d.e", "e=q&u", "p%20q%", "x!*'()y", ":@,;$?#[]", "//d//s/", "./../dot"};
  ASSERT_EQ(all.size(), std::size(keys));
  for (std::size_t i = 0; i < all.size(); ++i)
    expect_written(all[i], PutObject{.bucket = "bkt", .key = keys[i], .size = all[i].body.size()});
}

TEST(ProxyProfile, KnowsWhichKeysDoNotArrive) {
  for (const char* key : {"loadtest/0/1KB/baseload/1700000000000000/ab", "a+b", "p%20q%", "e=q&u", "x!*'()y"})
    EXPECT_TRUE(profile().can_send(key)) << key;
  for (const char* key : {"a b", "ünï", "tab\there", "what?", "cut#here", "a<b", "\x7f"})
    EXPECT_FALSE(profile().can_send(key)) << key;
  EXPECT_TRUE(find_profile("boto3")->can_send("a b/ünï?#"));
}

TEST(ProxyProfile, WritesBodilessRequestsAsTheToolDid) {
  const RecordedHead get = recorded_head("proxy", "get"), head = recorded_head("proxy", "head"),
                     removal = recorded_head("proxy", "delete");
  std::string key = key_in(get);
  expect_written(get, GetObject{.bucket = "bkt", .key = key});
  key = key_in(head);
  expect_written(head, HeadObject{.bucket = "bkt", .key = key});
  key = key_in(removal);
  expect_written(removal, DeleteObject{.bucket = "bkt", .key = key});
}

TEST(ProxyProfile, WritesBatchDeletesAsTheToolDid) {
  const std::string keys[] = {"loadtest/0/a", "a b+c", "x&<>\"'ü"};
  const RecordedHead batch = recorded_head("proxy", "delete_objects");
  const std::string body = profile().delete_objects_body(keys, false);
  EXPECT_EQ(body, batch.body);
  expect_written(batch, DeleteObjects{.bucket = "bkt", .body = body});
}

TEST(ProxyProfile, WritesListsAsTheToolDid) {
  expect_written(recorded_head("proxy", "list"), ListObjects{.bucket = "bkt", .prefix = "loadtest/0/"});
  expect_written(
      recorded_head("proxy", "list", 1),
      ListObjects{.bucket = "bkt", .prefix = "loadtest/0/", .continuation_token = "1000+tok/en=="});
  expect_written(recorded_head("proxy", "list_noprefix"), ListObjects{.bucket = "bkt", .prefix = ""});
  expect_written(recorded_head("proxy", "list_special_prefix"),
                 ListObjects{.bucket = "bkt", .prefix = "a b+c/~=&%ü:", .continuation_token = "x/y+z=="});
}

TEST(ProxyProfile, TriesConnectionsThreeTimesAfterATenthAndAFifthOfASecond) {
  const SdkRetryRules rules = *profile().sdk_retries();
  SdkQuota quota(rules);
  const FailedAttempt reset{.outcome = Outcome::reset},
      answered{.outcome = Outcome::server_error, .status = 503};
  EXPECT_EQ(quota.retry(rules, reset, 0, 0.3)->delay, std::chrono::milliseconds(100));
  EXPECT_EQ(quota.retry(rules, reset, 1, 0.3)->delay, std::chrono::milliseconds(200));
  EXPECT_FALSE(quota.retry(rules, reset, 2, 0.3));
  EXPECT_FALSE(quota.retry(rules, answered, 0, 0.3)) << "s3pool has tried that already";
}

}  // namespace
}  // namespace s3lt
