// xoshiro256++ (Blackman and Vigna, 2019): small, fast, good enough for choosing work; never for
// secrets. One instance belongs to one client; not thread-safe.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace s3lt {

// The finaliser of splitmix64: a bijection that mixes every bit into every other.
constexpr std::uint64_t mix64(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

class Random {
 public:
  explicit constexpr Random(std::uint64_t seed) {
    for (auto& word : state_) word = mix64(seed += 0x9e3779b97f4a7c15ULL);
  }
  // An independent stream for each path of numbers (seed, worker, pattern, client…).
  static constexpr Random stream(std::uint64_t seed, std::initializer_list<std::uint64_t> path) {
    for (const std::uint64_t step : path) seed = mix64(seed ^ mix64(step + 0x9e3779b97f4a7c15ULL));
    return Random(seed);
  }

  constexpr std::uint64_t next() {
    const std::uint64_t result = rotl(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotl(state_[3], 45);
    return result;
  }
  // Uniform in [0, n), n > 0. The bias of the multiply is below 2^-32 for every n used here.
  constexpr std::uint64_t below(std::uint64_t n) {
    return static_cast<std::uint64_t>((static_cast<Wide>(next()) * n) >> 64);
  }
  // Uniform in [0, 1).
  constexpr double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

 private:
  __extension__ using Wide = unsigned __int128;
  static constexpr std::uint64_t rotl(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
  std::uint64_t state_[4]{};
};

}  // namespace s3lt
