#include "s3/trailer_coding.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace s3lt {
namespace {

// What boto3 reads and sends at a time.
constexpr std::uint64_t aws_chunk = 1 << 20, http_chunk = 128 << 10;

constexpr std::string_view line_end = "\r\n";

// "20000\r\n"
class ChunkHead {
 public:
  explicit ChunkHead(std::uint64_t length) {
    char* end = std::to_chars(text_.data(), text_.data() + 16, length, 16).ptr;
    *end++ = '\r';
    *end++ = '\n';
    size_ = static_cast<std::size_t>(end - text_.data());
  }
  std::string_view text() const { return {text_.data(), size_}; }
  std::uint64_t size() const { return size_; }

 private:
  std::array<char, 18> text_;
  std::size_t size_ = 0;
};

std::uint64_t chunk_wire(std::uint64_t length) {
  return length == 0 ? 0 : ChunkHead(length).size() + length + line_end.size();
}

}  // namespace

std::uint64_t ChunkFraming::wire_size() const {
  return total / chunk * chunk_wire(chunk) + chunk_wire(total % chunk);
}

std::uint64_t ChunkFraming::data_before(std::uint64_t offset) const {
  const std::uint64_t index = std::min(offset / chunk_wire(chunk), total / chunk);
  const std::uint64_t length = std::min(chunk, total - index * chunk);
  const std::uint64_t within = offset - index * chunk_wire(chunk), head = ChunkHead(length).size();
  return index * chunk + std::min(length, within > head ? within - head : 0);
}

ChunkFraming::Run ChunkFraming::at(std::uint64_t offset, std::string& text) const {
  const std::uint64_t index = std::min(offset / chunk_wire(chunk), total / chunk);
  const std::uint64_t length = std::min(chunk, total - index * chunk);
  const ChunkHead head(length);
  const std::uint64_t within = offset - index * chunk_wire(chunk);
  if (within < head.size()) {
    text += head.text().substr(within);
    return {};
  }
  const std::uint64_t data = within - head.size();
  if (data < length) return {.data = index * chunk + data, .length = length - data};
  text += line_end.substr(data - length);
  return {};
}

TrailerCoding::TrailerCoding(std::uint64_t size, std::string_view crc32_base64)
    : trailer_("0\r\nx-amz-checksum-crc32:"), inner_{aws_chunk, size} {
  trailer_.append(crc32_base64).append("\r\n\r\n");
  outer_ = {http_chunk, inner_.wire_size() + trailer_.size()};
}

std::string TrailerCoding::whole(std::string_view body, std::string_view crc32_base64) {
  const TrailerCoding coding(body.size(), crc32_base64);
  std::string text;
  while (text.size() < coding.wire_size()) {
    const ChunkFraming::Run run = coding.at(text.size(), text);
    text += body.substr(run.data, run.length);
  }
  return text;
}

std::uint64_t TrailerCoding::body_before(std::uint64_t offset) const {
  const std::uint64_t inner = outer_.data_before(std::min(offset, outer_.wire_size()));
  return inner_.data_before(std::min(inner, inner_.wire_size()));
}

ChunkFraming::Run TrailerCoding::at(std::uint64_t offset, std::string& text) const {
  if (offset >= outer_.wire_size()) {
    text += last_chunk.substr(offset - outer_.wire_size());
    return {};
  }
  const ChunkFraming::Run outer = outer_.at(offset, text);
  if (outer.length == 0) return {};
  if (outer.data >= inner_.wire_size()) {
    text += std::string_view(trailer_).substr(outer.data - inner_.wire_size(), outer.length);
    return {};
  }
  const std::size_t before = text.size();
  ChunkFraming::Run inner = inner_.at(outer.data, text);
  // No further than the HTTP chunk.
  if (text.size() - before > outer.length) text.resize(before + outer.length);
  inner.length = std::min(inner.length, outer.length);
  return inner;
}

}  // namespace s3lt
