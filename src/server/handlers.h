// What each S3 operation does. Handlers are plain functions of a request, the store and an answer; they touch
// no socket. An operation that wants the request's body gives back a BodyHandler.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/units.h"
#include "server/answer.h"
#include "server/body_decoder.h"
#include "server/object_store.h"
#include "server/request.h"

namespace s3lt::server {

// Remembers the bucket used last, so that finding it takes no lock. One per thread.
class BucketCache {
 public:
  explicit BucketCache(const ObjectStore& store) : store_(store) {}
  const std::shared_ptr<Bucket>& find(std::string_view name);  // null: no such bucket

 private:
  const ObjectStore& store_;
  std::uint64_t generation_ = 0;
  std::string name_;
  std::shared_ptr<Bucket> bucket_;
};

// What a handler sees of one request.
struct Exchange {
  const Request& request;
  Answer& answer;
  ObjectStore& store;
  BucketCache& buckets;
  const ContentPool& pool;
  const std::string& region;

  std::int64_t now() const { return answer.context().now(); }
  void error(const S3Error& e, std::string_view details = {}) { answer.error(e, request.path, details); }
};

class BodyHandler {
 public:
  virtual ~BodyHandler() = default;
  virtual std::optional<S3Error> take(std::string_view bytes) = 0;
  // The whole body is there and right.
  virtual void finish(Exchange& exchange, const BodyDecoder& body) = 0;
};

// Whether an operation looks at the request's body.
bool takes_body(Operation operation);
// Writes the answer, but for its end, and returns null; or returns who takes the body first. `body` is there
// for operations that take one.
std::unique_ptr<BodyHandler> handle(Exchange& exchange, const BodyDecoder* body);

inline constexpr std::uint64_t max_put_bytes = 5 * GiB;  // of a PUT, a part, a copy

// "x-amz-checksum-…" and its type, where the object has one.
void append_checksum_header(Answer& answer, const Object& object);
// Reads partNumber, which the request has.
std::optional<S3Error> read_part_number(const Request& request, unsigned& number);

void get_object(Exchange& exchange);                     // and HEAD
void show_object(Exchange& exchange, ObjectPtr object);  // what GET and HEAD answer where this is the object
void delete_object(Exchange& exchange);
std::unique_ptr<BodyHandler> put_object(Exchange& exchange, const BodyDecoder& body);
void copy_object(Exchange& exchange);
void list_objects(Exchange& exchange);
std::unique_ptr<BodyHandler> delete_objects(Exchange& exchange, const BodyDecoder& body);
std::unique_ptr<BodyHandler> create_bucket(Exchange& exchange);
void head_bucket(Exchange& exchange);
void delete_bucket(Exchange& exchange);
void get_bucket_location(Exchange& exchange);
void list_buckets(Exchange& exchange);
void get_subresource(Exchange& exchange);  // acl, versioning, tagging…
void create_multipart_upload(Exchange& exchange);
std::unique_ptr<BodyHandler> upload_part(Exchange& exchange, const BodyDecoder& body);
void upload_part_copy(Exchange& exchange);
std::unique_ptr<BodyHandler> complete_multipart_upload(Exchange& exchange, const BodyDecoder& body);
void abort_multipart_upload(Exchange& exchange);
void list_parts(Exchange& exchange);
void list_multipart_uploads(Exchange& exchange);

}  // namespace s3lt::server
