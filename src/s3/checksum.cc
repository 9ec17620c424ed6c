#include "s3/checksum.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstring>

#include "base/encoding.h"
#include "http/head.h"

namespace s3lt {
namespace {

struct Algorithm {
  std::string_view name, header, element;
  std::size_t size = 0;
};
// As the enumeration has them.
constexpr std::array<Algorithm, 6> algorithms = {{
    {},
    {"CRC32", "x-amz-checksum-crc32", "ChecksumCRC32", 4},
    {"CRC32C", "x-amz-checksum-crc32c", "ChecksumCRC32C", 4},
    {"CRC64NVME", "x-amz-checksum-crc64nvme", "ChecksumCRC64NVME", 8},
    {"SHA1", "x-amz-checksum-sha1", "ChecksumSHA1", 20},
    {"SHA256", "x-amz-checksum-sha256", "ChecksumSHA256", 32},
}};

const Algorithm& facts(ChecksumAlgorithm algorithm) {
  return algorithms[static_cast<std::size_t>(algorithm)];
}

}  // namespace

std::optional<ChecksumAlgorithm> find_checksum_algorithm(std::string_view name) {
  for (std::size_t i = 1; i < algorithms.size(); ++i) {
    if (http::iequals(algorithms[i].name, name)) return static_cast<ChecksumAlgorithm>(i);
  }
  return std::nullopt;
}
std::string_view checksum_name(ChecksumAlgorithm algorithm) {
  return facts(algorithm).name;
}
std::string_view checksum_header(ChecksumAlgorithm algorithm) {
  return facts(algorithm).header;
}
std::string_view checksum_element(ChecksumAlgorithm algorithm) {
  return facts(algorithm).element;
}
std::size_t checksum_size(ChecksumAlgorithm algorithm) {
  return facts(algorithm).size;
}

std::string Checksum::base64() const {
  return to_base64(bytes());
}

std::optional<Checksum> parse_checksum(ChecksumAlgorithm algorithm, std::string_view base64) {
  const auto decoded = from_base64(base64);
  if (!decoded || decoded->size() != checksum_size(algorithm)) return std::nullopt;
  Checksum checksum{.algorithm = algorithm};
  std::memcpy(checksum.value.data(), decoded->data(), decoded->size());
  return checksum;
}

void ChecksumStream::Free::operator()(EVP_MD_CTX* context) const {
  EVP_MD_CTX_free(context);
}

ChecksumStream::ChecksumStream(ChecksumAlgorithm algorithm) : algorithm_(algorithm) {
  if (is_crc(algorithm) || algorithm == ChecksumAlgorithm::none) return;
  hash_.reset(EVP_MD_CTX_new());
  EVP_DigestInit_ex(hash_.get(), algorithm == ChecksumAlgorithm::sha1 ? EVP_sha1() : EVP_sha256(), nullptr);
}

void ChecksumStream::update(std::span<const std::byte> bytes) {
  switch (algorithm_) {
    case ChecksumAlgorithm::none:
      break;
    case ChecksumAlgorithm::crc32:
      crc_ = crc32(static_cast<std::uint32_t>(crc_), bytes.data(), bytes.size());
      break;
    case ChecksumAlgorithm::crc32c:
      crc_ = crc32c(static_cast<std::uint32_t>(crc_), bytes.data(), bytes.size());
      break;
    case ChecksumAlgorithm::crc64nvme:
      crc_ = crc64nvme(crc_, bytes.data(), bytes.size());
      break;
    case ChecksumAlgorithm::sha1:
    case ChecksumAlgorithm::sha256:
      EVP_DigestUpdate(hash_.get(), bytes.data(), bytes.size());
      break;
  }
}

Checksum ChecksumStream::finish() {
  Checksum checksum{.algorithm = algorithm_};
  if (hash_) {
    EVP_DigestFinal_ex(hash_.get(), reinterpret_cast<unsigned char*>(checksum.value.data()), nullptr);
    return checksum;
  }
  const std::size_t size = checksum_size(algorithm_);
  for (std::size_t i = 0; i < size; ++i) checksum.value[i] = std::byte(crc_ >> (8 * (size - 1 - i)) & 255);
  return checksum;
}

}  // namespace s3lt
