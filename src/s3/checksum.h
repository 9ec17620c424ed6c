// The checksums that S3 knows besides MD5
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html): their names, their
// values and their calculation. A stream belongs to one thread; all else is pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

typedef struct evp_md_ctx_st EVP_MD_CTX;

namespace s3lt {

enum class ChecksumAlgorithm : std::uint8_t { none, crc32, crc32c, crc64nvme, sha1, sha256 };

// By the name that x-amz-checksum-algorithm has ("CRC32"), in any case.
std::optional<ChecksumAlgorithm> find_checksum_algorithm(std::string_view name);
std::string_view checksum_name(ChecksumAlgorithm algorithm);     // "CRC32"
std::string_view checksum_header(ChecksumAlgorithm algorithm);   // "x-amz-checksum-crc32"
std::string_view checksum_element(ChecksumAlgorithm algorithm);  // "ChecksumCRC32"
std::size_t checksum_size(ChecksumAlgorithm algorithm);          // in bytes
// Whether the checksum of a whole can stand for one of its parts' (a CRC).
constexpr bool is_crc(ChecksumAlgorithm a) {
  return a == ChecksumAlgorithm::crc32 || a == ChecksumAlgorithm::crc32c || a == ChecksumAlgorithm::crc64nvme;
}

struct Checksum {
  ChecksumAlgorithm algorithm = ChecksumAlgorithm::none;
  bool composite = false;  // of the checksums of an upload's parts, not of its bytes
  std::array<std::byte, 32> value{};

  explicit operator bool() const { return algorithm != ChecksumAlgorithm::none; }
  std::span<const std::byte> bytes() const { return std::span(value).first(checksum_size(algorithm)); }
  std::string base64() const;
  std::string_view type() const { return composite ? "COMPOSITE" : "FULL_OBJECT"; }
  bool operator==(const Checksum&) const = default;
};
// Nothing where the text is no value of this algorithm.
std::optional<Checksum> parse_checksum(ChecksumAlgorithm algorithm, std::string_view base64);

class ChecksumStream {
 public:
  explicit ChecksumStream(ChecksumAlgorithm algorithm);
  ChecksumAlgorithm algorithm() const { return algorithm_; }
  void update(std::span<const std::byte> bytes);
  Checksum finish();

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const;
  };
  ChecksumAlgorithm algorithm_;
  std::uint64_t crc_ = 0;
  std::unique_ptr<EVP_MD_CTX, Free> hash_;  // where it is no CRC
};

}  // namespace s3lt
