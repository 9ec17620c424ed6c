#include "s3/wire_profile.h"

#include <algorithm>

#include "http/percent.h"
#include "s3/head_writer.h"

namespace s3lt {

const WireProfile* find_profile(std::string_view name) {
  const auto found = std::ranges::find(wire_profiles(), name, &WireProfile::name);
  return found != wire_profiles().end() ? *found : nullptr;
}

std::string create_bucket_body(std::string_view region) {
  if (region == "us-east-1") return {};
  return std::string(
             "<CreateBucketConfiguration "
             "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>")
      .append(region)
      .append("</LocationConstraint></CreateBucketConfiguration>");
}

std::string_view object_path(std::string_view bucket, std::string_view key) {
  thread_local std::string path;
  path.assign("/");
  http::append_path(path, bucket);
  if (!key.empty()) {
    path += '/';
    http::append_path(path, key);
  }
  return path;
}

}  // namespace s3lt
