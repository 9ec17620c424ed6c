// A request's body that is a short text (XML): collected up to a limit.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "server/handlers.h"

namespace s3lt::server {

class TextBody : public BodyHandler {
 public:
  explicit TextBody(std::size_t limit) : limit_(limit) {}
  std::optional<S3Error> take(std::string_view bytes) override {
    if (text_.size() + bytes.size() > limit_) return errors::max_message_length;
    text_ += bytes;
    return std::nullopt;
  }

 protected:
  std::string text_;

 private:
  std::size_t limit_;
};

}  // namespace s3lt::server
