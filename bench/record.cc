// What a sample costs: `record SECONDS` records latencies into a histogram, and operations into a recorder
// (four histograms and their counters, and the figures of thirty endpoints in turn), over and over for so
// long, and prints nanoseconds of CPU for each as JSON. The latencies are log-normal around 300 us over three
// decades, drawn beforehand.
#include <fmt/format.h>
#include <time.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <numbers>
#include <span>
#include <vector>

#include "base/random.h"
#include "measure/recorder.h"

namespace {

using namespace s3lt;

std::vector<std::int64_t> latencies(std::size_t n) {
  Random random = Random::stream(1, {2});
  std::vector<std::int64_t> out;
  out.reserve(n);
  while (out.size() < n) {
    const double radius = std::sqrt(-2 * std::log(1 - random.uniform()));
    const double normal = radius * std::cos(2 * std::numbers::pi * random.uniform());
    out.push_back(static_cast<std::int64_t>(300 * std::exp(normal)));
  }
  return out;
}

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

// Nanoseconds of CPU for each call of `work`.
template <typename Work>
double cost(std::span<const std::int64_t> samples, double seconds, Work work) {
  for (const std::int64_t sample : samples) work(sample);  // its pages are there then
  std::uint64_t calls = 0;
  const double begin = cpu_seconds();
  double elapsed = 0;
  do {
    for (const std::int64_t sample : samples) work(sample);
    calls += samples.size();
    elapsed = cpu_seconds() - begin;
  } while (elapsed < seconds);
  return elapsed * 1e9 / static_cast<double>(calls);
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc == 2 ? std::strtod(argv[1], nullptr) : 0;
  if (seconds <= 0) {
    fmt::print(stderr, "usage: record SECONDS\n");
    return 2;
  }
  const std::vector<std::int64_t> samples = latencies(1 << 16);
  Histogram histogram;
  const double sample_ns = cost(samples, seconds, [&](std::int64_t us) { histogram.record(us); });
  Recorder recorder;
  const CellId cell = recorder.cell({"bench", OperationKind::get, "1KB"});
  constexpr std::uint32_t endpoints = 30;
  std::vector<std::string> urls;
  for (std::uint32_t i = 0; i < endpoints; ++i) urls.push_back(fmt::format("http://node{}", i));
  recorder.set_endpoints(std::move(urls));
  std::uint32_t endpoint = 0;
  const double operation_ns = cost(samples, seconds, [&](std::int64_t us) {
    endpoint = endpoint + 1 == endpoints ? 0 : endpoint + 1;
    recorder.attempt(cell, {.outcome = Outcome::ok, .status = 200, .endpoint = endpoint, .service_us = us});
    recorder.operation(cell, {.outcome = Outcome::ok,
                              .bytes = 1024,
                              .response_us = us,
                              .service_us = us,
                              .ttfb_us = us / 2,
                              .lag_us = us / 4});
  });
  fmt::print("{{\"sample_ns\": {:.2f}, \"operation_ns\": {:.2f}, \"samples\": {}, \"p99_us\": {}}}\n",
             sample_ns, operation_ns, histogram.count(), histogram.percentile(99));
}
