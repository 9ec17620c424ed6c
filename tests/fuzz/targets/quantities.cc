// Sizes, durations, rates, counts, endpoints and histograms as texts: what is accepted is within bounds and
// comes back when it is written again.
#include <cmath>

#include "base/units.h"
#include "config/endpoint.h"
#include "fuzz/target.h"
#include "measure/histogram.h"

namespace s3lt::fuzz {
namespace {

void check_units(std::string_view text) {
  if (const auto d = parse_duration(text)) require(*d > Duration::zero(), "a duration is positive");
  if (const auto d = parse_duration(text, true))
    require(*d >= Duration::zero(), "a duration is not negative");
  if (const auto rate = parse_rate(text)) require(std::isfinite(*rate) && *rate >= 0, "a rate is a number");
  if (const auto n = parse_count(text)) require(parse_count(format_count(*n)) == *n, "a count comes back");
  if (const auto size = parse_size(text)) require(!format_size_label(*size).empty(), "a size has a label");
}

void check_endpoints(std::string_view text) {
  if (const auto one = parse_endpoint(text)) {
    require(one->port != 0 && !one->host.empty(), "an endpoint has host and port");
    require(parse_endpoint(one->url()) == *one, "an endpoint is read as it was written");
  }
  const auto all = parse_endpoints(text, "S3_ENDPOINTS=");
  if (!all) {
    if (text.find('@') != text.npos)
      require(all.error().message.find("@example") == std::string::npos, "no password");
    return;
  }
  require(!all->empty() && all->size() <= 4096, "a bounded list");
}

void check_histogram(std::string_view text) {
  const auto one = Histogram::decode_compressed_base64(text);
  if (!one) return;
  const auto again = Histogram::decode_compressed_base64(one->encode_compressed_base64());
  require(again && again->count() == one->count() && again->min() == one->min() && again->max() == one->max(),
          "a histogram comes back");
  for (int i = 0; i < Histogram::counts_length; ++i)
    require(again->count_at(i) == one->count_at(i), "bucket by bucket");
  require(one->percentile(50) <= one->max(), "a percentile is within");
}

// Values recorded from any bytes come back from the log.
void check_recording(std::string_view text) {
  Histogram recorded;
  for (std::size_t i = 0; i + 4 <= text.size(); i += 4) {
    std::int64_t value = 0;
    for (std::size_t j = 0; j < 4; ++j) value = value << 8 | static_cast<unsigned char>(text[i + j]);
    recorded.record(value);
  }
  const auto again = Histogram::decode_compressed_base64(recorded.encode_compressed_base64());
  require(again && again->count() == recorded.count(), "what was recorded comes back");
  for (const double p : {0.0, 50.0, 99.0, 100.0}) {
    const auto a = static_cast<double>(again->percentile(p)), b = static_cast<double>(recorded.percentile(p));
    require(std::abs(a - b) <= 0.001 * b + 1, "to three digits");
  }
}

}  // namespace

void quantities(std::string_view bytes) {
  Input input(bytes);
  const std::uint8_t kind = input.byte();
  const std::string_view text = input.text();
  if (kind == 'u') check_units(text);
  if (kind == 'e') check_endpoints(text);
  if (kind == 'h') check_histogram(text);
  if (kind == 'r') check_recording(text.substr(0, 256));
}

}  // namespace s3lt::fuzz
