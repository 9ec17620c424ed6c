#include "check/server_name.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace s3lt {
namespace {

struct Known {
  std::string_view begins;  // the Server header, in lower case
  std::string_view name;
};
constexpr std::array<Known, 17> known = {{
    {"amazons3", "Amazon S3"},
    {"s3loadtest", "the embedded server of s3loadtest"},
    {"versitygw", "VersityGW"},
    {"ceph", "Ceph Object Gateway"},
    {"minio", "MinIO"},
    {"seaweedfs", "SeaweedFS"},
    {"garage", "Garage"},
    {"storagegrid", "NetApp StorageGRID"},
    {"vipr", "Dell ECS"},
    {"wasabi", "Wasabi"},
    {"nginx", "nginx, perhaps before the storage"},
    {"openresty", "nginx (OpenResty), perhaps before the storage"},
    {"apache", "Apache, perhaps before the storage"},
    {"envoy", "Envoy, before the storage"},
    {"istio-envoy", "Envoy (Istio), before the storage"},
    {"caddy", "Caddy, before the storage"},
    {"cloudflare", "Cloudflare"},
}};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

}  // namespace

std::string looks_like(const StorageAnswer& answer) {
  if (answer.has_header("x-s3pool-proxy")) return "s3pool";
  const std::string server = lower(answer.header("server"));
  for (const Known& one : known) {
    if (server.starts_with(one.begins)) return std::string(one.name);
  }
  if (answer.has_header("x-minio-deployment-id")) return "MinIO";
  // Its gateway says who it is by the shape of its ids alone: tx, a number, a time, an instance, a zone.
  const std::string_view id = answer.header("x-amz-request-id");
  if (id.starts_with("tx0") && std::ranges::count(id, '-') >= 3) return "Ceph Object Gateway";
  return {};
}

}  // namespace s3lt
