#include "base/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

namespace s3lt {
namespace {

struct Unit {
  std::string_view name;  // lower case
  double factor;
};

constexpr std::array<Unit, 8> duration_units = {
    {{"us", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"w", 604800}, {"min", 60}}};

constexpr double kib = 1024, mib = kib * 1024, gib = mib * 1024, tib = gib * 1024;
constexpr std::array<Unit, 14> size_units = {{{"", 1},
                                              {"b", 1},
                                              {"k", kib},
                                              {"kb", kib},
                                              {"kib", kib},
                                              {"m", mib},
                                              {"mb", mib},
                                              {"mib", mib},
                                              {"g", gib},
                                              {"gb", gib},
                                              {"gib", gib},
                                              {"t", tib},
                                              {"tb", tib},
                                              {"tib", tib}}};

constexpr std::array<Unit, 19> rate_units = {{{"", 1},
                                              {"/s", 1},
                                              {"b/s", 1},
                                              {"kb/s", 1e3},
                                              {"mb/s", 1e6},
                                              {"gb/s", 1e9},
                                              {"tb/s", 1e12},
                                              {"kib/s", kib},
                                              {"mib/s", mib},
                                              {"gib/s", gib},
                                              {"tib/s", tib},
                                              {"bps", 1.0 / 8},
                                              {"kbps", 1e3 / 8},
                                              {"mbps", 1e6 / 8},
                                              {"gbps", 1e9 / 8},
                                              {"bit/s", 1.0 / 8},
                                              {"kbit/s", 1e3 / 8},
                                              {"mbit/s", 1e6 / 8},
                                              {"gbit/s", 1e9 / 8}}};

template <std::size_t n>
const Unit* find_unit(const std::array<Unit, n>& units, std::string_view name) {
  const auto found = std::ranges::find(units, name, &Unit::name);
  return found == units.end() ? nullptr : &*found;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// Takes digits with an optional fraction from the front of `text`; no sign, exponent, inf or nan.
std::optional<double> take_number(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && (is_digit(text[end]) || text[end] == '.')) ++end;
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + end, value, std::chars_format::fixed);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + end) return std::nullopt;
  text.remove_prefix(end);
  return value;
}

// A number and the unit behind it, in lower case and without the space between them.
struct Quantity {
  double number = 0;
  std::string_view unit;
};
std::optional<Quantity> split_quantity(std::string_view text) {
  text = trimmed(text);
  const auto number = take_number(text);
  if (!number) return std::nullopt;
  return Quantity{*number, trimmed(text)};
}

// At most `digits` decimals, without the zeros at their end: 2.10 is "2.1", 15.0 is "15".
std::string decimals(double value, int digits) {
  std::string out = fmt::format("{:.{}f}", value, digits);
  if (out.find('.') == std::string::npos) return out;
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out;
}

constexpr std::array<std::string_view, 7> binary_prefixes = {"", "K", "M", "G", "T", "P", "E"};

// The value in the largest unit in which it is at least 1, also after rounding to one decimal.
struct Scaled {
  double value;
  std::string_view prefix;
};
Scaled scale(double value) {
  std::size_t step = 0;
  while (step + 1 < binary_prefixes.size() && (step == 0 ? value >= 1024 : value >= 1023.95)) {
    value /= 1024;
    ++step;
  }
  return {value, binary_prefixes[step]};
}

}  // namespace

Result<Duration> parse_duration(std::string_view text, bool allow_zero) {
  const auto refuse = [&](std::string_view why) {
    return usage_error(fmt::format(
        "\"{}\" {}; write it like 30s, 5m, 1h30m, 2d or 1w (bare numbers are seconds)", text, why));
  };
  std::string rest_text = lower(trimmed(text));
  std::string_view rest = rest_text;
  if (rest.starts_with('-')) return refuse("is a negative duration");
  double total = 0;
  for (bool first = true; first || !rest.empty(); first = false) {
    const auto number = take_number(rest);
    if (!number) return refuse("is not a duration");
    std::size_t end = 0;
    while (end < rest.size() && std::isalpha(static_cast<unsigned char>(rest[end]))) ++end;
    if (end == 0) {
      if (!first || !rest.empty()) return refuse("is not a duration");
      total = *number;  // bare seconds, only as the whole text
      break;
    }
    const Unit* unit = find_unit(duration_units, rest.substr(0, end));
    if (unit == nullptr) return refuse("is not a duration");
    total += *number * unit->factor;
    rest.remove_prefix(end);
  }
  if (total > 100.0 * 365 * 86400) return refuse("is longer than a hundred years");
  const Duration result(std::llround(total * 1e9));
  if (result == Duration::zero() && !allow_zero) return refuse("is no time at all");
  return result;
}

Result<std::uint64_t> parse_size(std::string_view text) {
  const auto quantity = split_quantity(text);
  const Unit* unit = quantity ? find_unit(size_units, lower(quantity->unit)) : nullptr;
  if (unit == nullptr) {
    return usage_error(fmt::format("\"{}\" is not a size; write it like 512, 1KB, 1.5MiB or 20GiB", text));
  }
  const double bytes = quantity->number * unit->factor;
  // Beyond 2^53 a double no longer counts bytes; no object and no disk of a run is that large.
  if (bytes > 0x1p53)
    return usage_error(fmt::format("\"{}\" is too large a size; the most is 8192TiB", text));
  return static_cast<std::uint64_t>(std::llround(bytes));
}

Result<double> parse_rate(std::string_view text) {
  const auto quantity = split_quantity(text);
  const std::string unit_name = quantity ? lower(quantity->unit) : "";
  const Unit* unit = quantity ? find_unit(rate_units, unit_name) : nullptr;
  // "Mb/s" is megabits to some and sloppy megabytes to others: an eightfold guess is not made.
  const bool ambiguous = unit != nullptr && unit_name.ends_with("b/s") && unit_name != "b/s" &&
                         quantity->unit.find("B/") == std::string_view::npos &&
                         unit_name.find('i') == std::string::npos;
  if (unit == nullptr || ambiguous) {
    return usage_error(
        fmt::format("\"{}\" is not a rate; write it like 40MB/s (bytes, 10^6), 40MiB/s (2^20), 1Mbps (bits) "
                    "or 125000 (bytes)",
                    text));
  }
  const double rate = quantity->number * unit->factor;
  if (rate <= 0) return usage_error(fmt::format("\"{}\" is not a rate: it must be above 0", text));
  return rate;
}

Result<double> parse_operation_rate(std::string_view text) {
  static constexpr std::array<Unit, 7> units{{{"", 1},
                                              {"/s", 1},
                                              {"/sec", 1},
                                              {"/m", 1.0 / 60},
                                              {"/min", 1.0 / 60},
                                              {"/h", 1.0 / 3600},
                                              {"k/s", 1e3}}};
  const auto quantity = split_quantity(text);
  const std::string unit_name = quantity ? lower(quantity->unit) : "";
  const Unit* unit = quantity ? find_unit(units, unit_name) : nullptr;
  if (unit == nullptr) {
    return usage_error(
        fmt::format("\"{}\" is not a rate of operations; write it like 500/s, 30/min or 3600/h", text));
  }
  return quantity->number * unit->factor;
}

Result<std::uint64_t> parse_count(std::string_view text) {
  const auto refuse = [&] {
    return usage_error(fmt::format("\"{}\" is not a whole number; write it like 1000 or 1,000", text));
  };
  const std::string_view digits = trimmed(text);
  std::string plain;
  std::size_t group = 0;  // digits since the last separator
  bool split = false;
  for (const char c : digits) {
    if (is_digit(c)) {
      plain += c;
      ++group;
    } else if ((c == ',' || c == '_') && group > 0 && group <= 3 && (!split || group == 3)) {
      split = true;
      group = 0;
    } else {
      return refuse();
    }
  }
  if (plain.empty() || (split && group != 3)) return refuse();
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(plain.data(), plain.data() + plain.size(), value);
  if (parsed.ec != std::errc{}) {
    return usage_error(fmt::format("\"{}\" is too large a number; the most is 18446744073709551615", text));
  }
  return value;
}

std::string format_count(std::uint64_t n) {
  std::string out = std::to_string(n);
  for (std::size_t at = out.size(); at > 3;) out.insert(at -= 3, 1, ',');
  return out;
}

std::string format_size_label(std::uint64_t n) {
  // A label is part of keys and names one size only: the largest unit that says it exactly.
  for (std::size_t step = 4; step > 0; --step) {
    const std::uint64_t unit = std::uint64_t{1} << (10 * step);
    if (n < unit) continue;
    const std::uint64_t whole = n / unit, rest = n % unit;
    if (rest * 100 % unit != 0) continue;
    const std::string fraction = decimals(static_cast<double>(rest * 100 / unit) / 100, 2).substr(1);
    return fmt::format("{}{}{}B", whole, fraction, binary_prefixes[step]);
  }
  return fmt::format("{}B", n);
}

std::string format_size(std::uint64_t n) {
  const Scaled s = scale(static_cast<double>(n));
  return fmt::format("{} {}{}B", decimals(s.value, 1), s.prefix, s.prefix.empty() ? "" : "i");
}

std::string format_bytes_old(std::uint64_t n) {
  const Scaled s = scale(static_cast<double>(n));
  return fmt::format("{:.1f}{}B", s.value, s.prefix);
}

std::string format_rate(double bytes_per_second) {
  const Scaled s = scale(bytes_per_second);
  return fmt::format("{:.1f} {}{}B/s", s.value, s.prefix, s.prefix.empty() ? "" : "i");
}

std::string format_duration(Duration d) {
  if (d < Duration::zero()) return "-" + format_duration(-d);
  const double s = to_seconds(d);
  if (d == Duration::zero()) return "0s";
  if (s < 0.9995) return decimals(s * 1e3, s < 0.01 ? 2 : 0) + "ms";
  if (s < 9.995) return decimals(s, 2) + "s";
  if (s < 59.95) return decimals(s, 1) + "s";
  std::int64_t left = std::llround(s);
  std::string out;
  for (const auto& [length, unit] : {std::pair{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}}) {
    if (left >= length) out += fmt::format("{}{}", left / length, unit);
    left %= length;
  }
  return out;
}

std::string format_latency(std::int64_t micros) {
  if (micros < 1000) return fmt::format("{}us", micros);
  const bool in_seconds = micros >= 999'500;
  const double value = static_cast<double>(micros) / (in_seconds ? 1e6 : 1e3);
  const int digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return decimals(value, digits) + (in_seconds ? "s" : "ms");
}

}  // namespace s3lt
