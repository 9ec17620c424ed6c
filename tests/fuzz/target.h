// Fuzz targets: functions that take any bytes and demand properties of the code under them. libFuzzer drives
// them (./run-tests fuzz), and the unit tests run them over the committed corpus (corpus_test.cc).
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace s3lt::fuzz {

// A property that does not hold. Under libFuzzer nobody catches it: that ends the program, a finding.
struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};
inline void require(bool holds, const char* property) {
  if (!holds) throw Broken(property);
}

// The input's first bytes, as choices; the rest is `text`. Absent ones are 0.
class Input {
 public:
  explicit Input(std::string_view bytes) : rest_(bytes) {}
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto b = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return b;
  }
  std::string_view text() const { return rest_; }

 private:
  std::string_view rest_;
};

// Where to cut a text, from a seed: pieces of 1 to 16 bytes, some longer, never empty; seed 0 is one piece.
class Cuts {
 public:
  explicit Cuts(std::uint8_t seed) : state_(seed) {}
  std::string_view next(std::string_view& rest) {
    std::size_t n = rest.size();
    if (state_ != 0) {
      state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
      const auto drawn = static_cast<std::size_t>(state_ >> 59);
      n = std::min(n, drawn < 24 ? 1 + drawn % 16 : drawn * drawn);
    }
    const std::string_view piece = rest.substr(0, n);
    rest.remove_prefix(n);
    return piece;
  }

 private:
  std::uint64_t state_;
};

struct Target {
  std::string_view name;  // of its file in targets/ and of its folder in corpus/
  void (*run)(std::string_view input);
};

// One for each file in targets/.
void response(std::string_view input);
void exchange(std::string_view input);
void request(std::string_view input);
void handlers(std::string_view input);
void xml(std::string_view input);
void dotenv(std::string_view input);
void keys(std::string_view input);
void pattern(std::string_view input);
void quantities(std::string_view input);
void expression(std::string_view input);

inline constexpr Target targets[] = {
    {"response", response},
    {"exchange", exchange},
    {"request", request},
    {"handlers", handlers},
    {"xml", xml},
    {"dotenv", dotenv},
    {"keys", keys},
    {"pattern", pattern},
    {"quantities", quantities},
    {"expression", expression},
};

}  // namespace s3lt::fuzz
