// Where the bytes of a PUT and of a DELETE-BATCH come from. Each views what it sends.
#pragma once

#include <string>

#include "net/http_connection.h"
#include "workload/content.h"

namespace s3lt {

class ContentBody final : public BodySource {
 public:
  ContentBody(ContentGather& gather, const ContentPool& pool, const ObjectContent& content)
      : gather_(gather), pool_(pool), content_(content) {}
  std::uint64_t size() const override { return content_.size; }
  std::span<const iovec> pieces(std::uint64_t offset) override {
    return gather_.gather(pool_, content_, offset, content_.size - offset);
  }

 private:
  ContentGather& gather_;
  const ContentPool& pool_;
  const ObjectContent& content_;
};

class TextBody final : public BodySource {
 public:
  explicit TextBody(std::string& text) : text_(text) {}
  std::uint64_t size() const override { return text_.size(); }
  std::span<const iovec> pieces(std::uint64_t offset) override {
    piece_ = {text_.data() + offset, text_.size() - offset};
    return {&piece_, 1};
  }

 private:
  std::string& text_;
  iovec piece_{};
};

}  // namespace s3lt
