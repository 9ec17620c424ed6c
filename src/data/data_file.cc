#include "data/data_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>

#include "base/encoding.h"
#include "base/units.h"
#include "workload/content_pool.h"

namespace s3lt {
namespace {

// False: an error, or the end of the file before.
bool read_exactly(int fd, std::uint64_t offset, std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t n = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    out = out.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return true;
}

}  // namespace

std::string data_file_name(std::uint64_t bytes) {
  std::string label = format_size_label(bytes);
  std::ranges::transform(label, label.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto md5 = from_base64(md5_base64(fmt::format("loadtest-data-{}", bytes)));
  return fmt::format("data-{}-{}.bin", label, to_hex(as_bytes(*md5)).substr(0, 8));
}

bool holds_stream(int fd, std::uint64_t offset, std::uint64_t length, std::span<std::byte> scratch) {
  constexpr std::size_t most = 16 << 10;  // of the stream at a time: stays in the nearest cache
  alignas(8) std::byte expected[most];
  while (length > 0) {
    const std::size_t n = std::min<std::uint64_t>(length, scratch.size());
    if (!read_exactly(fd, offset, scratch.first(n))) return false;
    for (std::size_t at = 0; at < n; at += most) {
      const std::size_t piece = std::min(most, n - at);
      write_pool_bytes(offset + at, {expected, piece});
      if (std::memcmp(expected, scratch.data() + at, piece) != 0) return false;
    }
    offset += n;
    length -= n;
  }
  return true;
}

}  // namespace s3lt
