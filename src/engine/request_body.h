// Where the bytes of requests come from. Each views what it sends.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "net/http_connection.h"
#include "s3/trailer_coding.h"
#include "workload/content.h"

namespace s3lt {

// The bytes [begin, begin + length) of an object.
class ContentBody final : public BodySource {
 public:
  ContentBody(ContentGather& gather, const ContentPool& pool, const ObjectContent& content,
              std::uint64_t begin, std::uint64_t length)
      : gather_(gather), pool_(pool), content_(content), begin_(begin), length_(length) {}
  std::uint64_t size() const override { return length_; }
  std::span<const iovec> pieces(std::uint64_t offset) override {
    return gather_.gather(pool_, content_, begin_ + offset, length_ - offset);
  }

 private:
  ContentGather& gather_;
  const ContentPool& pool_;
  const ObjectContent& content_;
  const std::uint64_t begin_, length_;
};

// The same in the coding of a profile that sends its checksum behind it.
class CodedBody final : public BodySource {
 public:
  CodedBody(ContentGather& gather, const ContentPool& pool, const ObjectContent& content,
            std::string_view crc32_base64, std::uint64_t begin, std::uint64_t length)
      : gather_(gather), pool_(pool), content_(content), begin_(begin), coding_(length, crc32_base64) {}
  std::uint64_t size() const override { return coding_.wire_size(); }
  std::uint64_t payload(std::uint64_t offset) const override { return coding_.body_before(offset); }
  // Framing, bytes of the object, and the framing behind them.
  std::span<const iovec> pieces(std::uint64_t offset) override {
    pieces_.clear();
    texts_[0].clear();
    texts_[1].clear();
    bool content = false;
    while (offset < size()) {
      std::string& text = texts_[content ? 1 : 0];
      const std::size_t before = text.size();
      const ChunkFraming::Run run = coding_.at(offset, text);
      if (run.length == 0) {
        offset += text.size() - before;
        continue;
      }
      if (content) break;  // gathering again would overwrite what was gathered
      content = true;
      if (!texts_[0].empty()) pieces_.push_back(piece(texts_[0]));
      for (const iovec& gathered : gather_.gather(pool_, content_, begin_ + run.data, run.length)) {
        pieces_.push_back(gathered);
        offset += gathered.iov_len;
      }
    }
    std::string& last = texts_[content ? 1 : 0];
    if (!last.empty()) pieces_.push_back(piece(last));
    return pieces_;
  }

 private:
  static iovec piece(std::string& text) { return {text.data(), text.size()}; }

  ContentGather& gather_;
  const ContentPool& pool_;
  const ObjectContent& content_;
  const std::uint64_t begin_;
  TrailerCoding coding_;
  std::array<std::string, 2> texts_;
  std::vector<iovec> pieces_;
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
