#include "s3/wire_profile.h"

#include "http/percent.h"
#include "s3/head_writer.h"

namespace s3lt {

const WireProfile& boto3_profile();   // boto3_profile.cc
const WireProfile& minio_profile();   // minio_profile.cc
const WireProfile& native_profile();  // native_profile.cc
const WireProfile& proxy_profile();   // proxy_profile.cc

const WireProfile* find_profile(std::string_view name) {
  if (name == "boto3") return &boto3_profile();
  if (name == "minio") return &minio_profile();
  if (name == "native") return &native_profile();
  if (name == "proxy") return &proxy_profile();
  return nullptr;
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
