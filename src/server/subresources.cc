// What clients ask about buckets and objects in passing: versions, grants, tags, rules. There are none here,
// and these are the answers that S3 gives where nobody has set any.
#include "server/handlers.h"

namespace s3lt::server {
namespace {

struct Subresource {
  std::string_view name;  // of the query parameter
  bool bucket = false, object = false;
  // An empty document of this kind, or else this error.
  std::string_view root, content;
  S3Error error = {};
};

constexpr std::array<Subresource, 18> subresources = {{
    {.name = "acl", .bucket = true, .object = true, .root = "AccessControlPolicy"},
    {.name = "versioning", .bucket = true, .root = "VersioningConfiguration"},
    {.name = "tagging", .object = true, .root = "Tagging", .content = "<TagSet></TagSet>"},
    {.name = "tagging", .bucket = true, .error = {"NoSuchTagSet", 404, "The TagSet does not exist"}},
    {.name = "logging", .bucket = true, .root = "BucketLoggingStatus"},
    {.name = "notification", .bucket = true, .root = "NotificationConfiguration"},
    {.name = "accelerate", .bucket = true, .root = "AccelerateConfiguration"},
    {.name = "requestPayment",
     .bucket = true,
     .root = "RequestPaymentConfiguration",
     .content = "<Payer>BucketOwner</Payer>"},
    {.name = "policy",
     .bucket = true,
     .error = {"NoSuchBucketPolicy", 404, "The bucket policy does not exist"}},
    {.name = "policyStatus",
     .bucket = true,
     .error = {"NoSuchBucketPolicy", 404, "The bucket policy does not exist"}},
    {.name = "lifecycle",
     .bucket = true,
     .error = {"NoSuchLifecycleConfiguration", 404, "The lifecycle configuration does not exist"}},
    {.name = "cors",
     .bucket = true,
     .error = {"NoSuchCORSConfiguration", 404, "The CORS configuration does not exist"}},
    {.name = "website",
     .bucket = true,
     .error = {"NoSuchWebsiteConfiguration", 404, "The specified bucket has no website configuration"}},
    {.name = "encryption",
     .bucket = true,
     .error = {"ServerSideEncryptionConfigurationNotFoundError", 404,
               "The server side encryption configuration was not found"}},
    {.name = "replication",
     .bucket = true,
     .error = {"ReplicationConfigurationNotFoundError", 404, "The replication configuration was not found"}},
    {.name = "object-lock",
     .bucket = true,
     .error = {"ObjectLockConfigurationNotFoundError", 404,
               "Object Lock configuration does not exist for this bucket"}},
    {.name = "publicAccessBlock",
     .bucket = true,
     .error = {"NoSuchPublicAccessBlockConfiguration", 404,
               "The public access block configuration was not found"}},
    {.name = "ownershipControls",
     .bucket = true,
     .error = {"OwnershipControlsNotFoundError", 404, "The bucket ownership controls were not found"}},
}};

void append_grants(std::string& xml) {
  xml.append(owner_xml).append(
      "<AccessControlList><Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
      "xsi:type=\"CanonicalUser\"><ID>s3loadtest</ID><DisplayName>s3loadtest</DisplayName></Grantee>"
      "<Permission>FULL_CONTROL</Permission></Grant></AccessControlList>");
}

const Subresource* find_subresource(const Request& request) {
  for (const Subresource& s : subresources) {
    if ((request.key.empty() ? s.bucket : s.object) && request.parameter(s.name) != nullptr) return &s;
  }
  return nullptr;
}

}  // namespace

std::string_view subresource_name(const Request& request) {
  const Subresource* found = find_subresource(request);
  return found != nullptr ? found->name : std::string_view();
}

void get_subresource(Exchange& exchange) {
  const Request& request = exchange.request;
  const auto& bucket = exchange.buckets.find(request.bucket);
  if (!bucket) return exchange.error(errors::no_such_bucket);
  if (!request.key.empty() && !bucket->find(request.key, request.key_hash))
    return exchange.error(errors::no_such_key);
  const Subresource& asked = *find_subresource(request);
  if (asked.root.empty()) return exchange.error(asked.error);
  std::string& xml = begin_xml(exchange.answer, asked.root);
  if (asked.name == "acl") append_grants(xml);
  xml.append(asked.content).append("</").append(asked.root).append(">");
}

}  // namespace s3lt::server
