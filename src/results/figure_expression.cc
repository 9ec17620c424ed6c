#include "results/figure_expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "base/nearest.h"
#include "base/units.h"

namespace s3lt {
namespace {

constexpr std::string_view word_ends = " \t<>=";
constexpr std::array<std::string_view, 3> time_names = {"response", "service", "ttfb"};

struct Word {
  std::string_view text;
  std::size_t at = 0;
};

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// The words between the dots, with those dots that belong to a number: "p99.9", "1.5MB".
std::vector<Word> split(std::string_view text, std::size_t at) {
  std::vector<Word> words;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find('.', begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    const bool after_number = !words.empty() && is_digits(words.back().text);
    const bool after_percentile = !words.empty() && words.back().text.starts_with('p') &&
                                  is_digits(words.back().text.substr(1)) && is_digits(word);
    if (after_percentile || (after_number && !word.empty() && is_digits(word.substr(0, 1)))) {
      Word& number = words.back();
      number.text = text.substr(number.at - at, end - (number.at - at));
    } else {
      words.push_back({word, at + begin});
    }
    begin = end + 1;
  }
  return words;
}

// "p99", "p99.9", and "p999" as summary.json has it.
std::optional<double> percentile_of(std::string_view word) {
  if (!word.starts_with('p')) return std::nullopt;
  std::string number(word.substr(1));
  if (number.size() > 2 && is_digits(number) && number.starts_with('9')) number.insert(2, ".");
  double value = 0;
  const char* end = number.data() + number.size();
  const auto parsed = std::from_chars(number.data(), end, value, std::chars_format::fixed);
  if (parsed.ec != std::errc{} || parsed.ptr != end || !(value > 0 && value < 100)) return std::nullopt;
  return value;
}

std::optional<Figure> figure_of(std::string_view word) {
  using Kind = Figure::Kind;
  if (word == "mean") return Figure{.kind = Kind::mean};
  if (word == "max") return Figure{.kind = Kind::max};
  if (word == "rate") return Figure{.kind = Kind::rate};
  if (word == "throughput") return Figure{.kind = Kind::throughput};
  if (word == "error_rate" || word == "errors") return Figure{.kind = Kind::error_rate};
  if (const auto percentile = percentile_of(word)) return Figure{.percentile = *percentile};
  return std::nullopt;
}

std::optional<OperationKind> operation_of(std::string_view word) {
  const auto* found = std::ranges::find(operation_names, word);
  if (found == operation_names.end()) return std::nullopt;
  return static_cast<OperationKind>(found - operation_names.begin());
}

bool is_size(std::string_view word) {
  return !word.empty() && is_digits(word.substr(0, 1)) && parse_size(word).has_value();
}

std::string no_operation(std::string_view word) {
  return fmt::format("\"{}\" is not an operation; {}", word, suggest(word, operation_names));
}

// Reads the words of one expression.
struct Selection {
  std::string_view text;
  const FigureGrammar& grammar;
  std::vector<Word> words;
  FigureSelector found;

  std::unexpected<Error> wrong(const Word& word, std::string_view why) const {
    return wrong_expression(text, word.at, why);
  }

  // The figure at the end, and what it is a time of.
  Result<void> take_figure() {
    const Word last = words.back();
    const auto figure = figure_of(last.text);
    const std::size_t end = last.at + last.text.size();
    if (!figure && (operation_of(last.text) || is_size(last.text)))
      return wrong_expression(text, end,
                              fmt::format("a figure of {} is missing; {}", last.text, grammar.form));
    if (!figure && std::ranges::find(time_names, last.text) != time_names.end())
      return wrong_expression(
          text, end, fmt::format("a percentile of {0} is missing; write it as in {0}.p99", last.text));
    if (!figure)
      return wrong(last, fmt::format("\"{}\" is not {}; {}", last.text, grammar.figure_noun,
                                     suggest(last.text, grammar.figures)));
    words.pop_back();
    found.figure = *figure;
    found.figure_at = last.at;
    if (words.empty()) return {};
    const auto* time = std::ranges::find(time_names, words.back().text);
    if (time == time_names.end()) return {};
    if (!figure->is_time())
      return wrong(last, fmt::format("{} has no {}: it has percentiles, mean and max", *time, last.text));
    found.figure.time = static_cast<Figure::Time>(time - time_names.begin());
    found.figure_at = words.back().at;
    words.pop_back();
    return {};
  }

  // Whether the first name is a pattern's; their names have no capitals.
  bool begins_with_pattern() const {
    const std::string_view first = words[0].text;
    if (operation_of(first)) return false;
    if (words.size() > 1 && operation_of(words[1].text)) return true;
    if (words.size() == 1 && grammar.operation_needed) return false;  // an operation, however it is spelt
    const auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
    return std::ranges::none_of(first, is_capital) && !is_size(first);
  }

  // What stands before it: pattern, operation, size, in this order, each of which may be left out.
  Result<void> take_names() {
    std::size_t i = 0;
    if (!words.empty() && begins_with_pattern()) {
      found.pattern = words[i].text;
      found.pattern_at = words[i++].at;
    }
    if (i < words.size() && (found.operation = operation_of(words[i].text))) {
      found.operation_at = words[i++].at;
    }
    if (i < words.size() && is_size(words[i].text) && (found.operation || !grammar.operation_needed)) {
      found.size = format_size_label(*parse_size(words[i].text));
      found.size_at = words[i++].at;
    }
    if (i < words.size() && !found.operation && found.size.empty())
      return wrong(words[i], no_operation(words[i].text));
    if (i + 1 == words.size() && found.figure.is_time() && !is_size(words[i].text) &&
        !operation_of(words[i].text))
      return wrong(words[i], fmt::format("\"{}\" is not a kind of time; {}", words[i].text,
                                         suggest(words[i].text, time_names)));
    if (i < words.size())
      return wrong(words[i], fmt::format("\"{}\" does not belong here; {}", words[i].text, grammar.form));
    if (grammar.operation_needed && !found.operation)
      return wrong_expression(text, found.figure_at,
                              fmt::format("an operation is missing; {}", grammar.form));
    return {};
  }
};

}  // namespace

bool FigureSelector::covers(const CellKey& key) const {
  if (operation ? key.operation != *operation : !is_in_mix(key.operation)) return false;
  return (pattern.empty() || key.pattern == pattern) && (size.empty() || key.size == size);
}

std::unexpected<Error> wrong_expression(std::string_view text, std::size_t at, std::string_view why) {
  // In columns: characters, and a tab where there is one.
  std::string shown, indent;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool control = (byte < 0x20 && byte != '\t') || byte == 0x7f;
    shown += control ? '?' : text[i];
    if (i < at && (byte & 0xc0) != 0x80) indent += byte == '\t' ? '\t' : ' ';
  }
  return usage_error(fmt::format("{}\n  {}\n  {}^", why, shown, indent));
}

void ExpressionReader::skip_blanks() {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
}

std::string_view ExpressionReader::until(std::string_view stops) {
  const std::size_t end = std::min(text.find_first_of(stops, at), text.size());
  const std::string_view word = text.substr(at, end - at);
  at = end;
  return word;
}

Result<FigureSelector> read_figure(ExpressionReader& in, const FigureGrammar& grammar) {
  const std::size_t begin = in.at;
  const std::string_view names = in.until(word_ends);
  if (names.empty())
    return wrong_expression(in.text, begin, fmt::format("a figure is missing; {}", grammar.form));
  Selection selection{.text = in.text, .grammar = grammar, .words = split(names, begin), .found = {}};
  for (const Word& word : selection.words) {
    if (word.text.empty())
      return selection.wrong(word, fmt::format("a name is missing beside the dot; {}", grammar.form));
  }
  if (const auto figure = selection.take_figure(); !figure) return std::unexpected(figure.error());
  if (const auto taken = selection.take_names(); !taken) return std::unexpected(taken.error());
  return std::move(selection.found);
}

}  // namespace s3lt
