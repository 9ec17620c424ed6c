// What a request says about the object that it makes, besides the bytes. Pure, thread-safe.
#pragma once

#include <memory>
#include <optional>

#include "http/head.h"
#include "server/errors.h"
#include "server/object.h"

namespace s3lt::server {

// Null where the request says nothing; no value where the metadata is larger than S3 takes.
std::optional<std::shared_ptr<const Attributes>> read_attributes(const http::Headers& headers);

// Headers of a PUT, a copy or a new upload that ask for what this server has not: encryption, tags, locks,
// other storage classes, grants to others.
std::optional<S3Error> refuse_unkept_headers(const http::Headers& headers);

}  // namespace s3lt::server
