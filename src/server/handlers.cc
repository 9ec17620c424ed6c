#include "server/handlers.h"

namespace s3lt::server {

const std::shared_ptr<Bucket>& BucketCache::find(std::string_view name) {
  const std::uint64_t generation = store_.generation();
  if (generation != generation_ || name != name_) {
    bucket_ = store_.find(name);
    name_ = name;
    generation_ = generation;
  }
  return bucket_;
}

bool takes_body(Operation operation) {
  switch (operation) {
    case Operation::put_object:
    case Operation::upload_part:
    case Operation::complete_multipart_upload:
    case Operation::delete_objects:
    case Operation::create_bucket:
      return true;
    default:
      return false;
  }
}

std::unique_ptr<BodyHandler> handle(Exchange& exchange, const BodyDecoder* body) {
  switch (exchange.request.operation) {
    case Operation::put_object:
      return put_object(exchange, *body);
    case Operation::delete_objects:
      return delete_objects(exchange, *body);
    case Operation::create_bucket:
      return create_bucket(exchange);
    case Operation::upload_part:
      return upload_part(exchange, *body);
    case Operation::complete_multipart_upload:
      return complete_multipart_upload(exchange, *body);
    case Operation::get_object:
    case Operation::head_object:
      get_object(exchange);
      break;
    case Operation::delete_object:
      delete_object(exchange);
      break;
    case Operation::copy_object:
      copy_object(exchange);
      break;
    case Operation::create_multipart_upload:
      create_multipart_upload(exchange);
      break;
    case Operation::upload_part_copy:
      upload_part_copy(exchange);
      break;
    case Operation::abort_multipart_upload:
      abort_multipart_upload(exchange);
      break;
    case Operation::list_parts:
      list_parts(exchange);
      break;
    case Operation::list_multipart_uploads:
      list_multipart_uploads(exchange);
      break;
    case Operation::get_subresource:
      get_subresource(exchange);
      break;
    case Operation::list_objects:
      list_objects(exchange);
      break;
    case Operation::head_bucket:
      head_bucket(exchange);
      break;
    case Operation::delete_bucket:
      delete_bucket(exchange);
      break;
    case Operation::get_bucket_location:
      get_bucket_location(exchange);
      break;
    case Operation::list_buckets:
      list_buckets(exchange);
      break;
    case Operation::introspection:
    case Operation::unknown:
      exchange.error(errors::not_implemented);
      break;
  }
  return nullptr;
}

}  // namespace s3lt::server
