#include "journal/journal_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/encoding.h"

namespace s3lt {
namespace {

constexpr std::string_view magic = "s3loadtest-keys/1";
constexpr std::string_view fate_signs = "+-?";
constexpr std::size_t checksum_digits = 16;
constexpr char none = '~';  // stands for an empty word

bool is_plain(char c) {
  return c > ' ' && c < 127 && c != '%' && c != ',' && c != none;
}

// A word without white space, commas or line ends.
std::string word(std::string_view text) {
  if (text.empty()) return {none};
  std::string out;
  for (const char c : text) {
    if (is_plain(c)) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::optional<std::string> unword(std::string_view text) {
  if (text.size() == 1 && text[0] == none) return std::string();
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string words(const std::vector<std::string>& texts) {
  if (texts.empty()) return {none};
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ",") + word(text);
  return out;
}

// Takes the words of a line one after another; after one that is missing or wrong, all are.
class Words {
 public:
  explicit Words(std::string_view text) : rest_(text) {}

  std::string_view raw() {
    if (rest_.empty()) good_ = false;
    const std::size_t end = std::min(rest_.find(' '), rest_.size());
    const std::string_view out = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return out;
  }
  std::string text() { return decoded(raw()); }
  std::vector<std::string> list() {
    std::string_view all = raw();
    std::vector<std::string> out;
    if (all.size() == 1 && all[0] == none) return out;
    for (;;) {
      const std::size_t end = std::min(all.find(','), all.size());
      out.push_back(decoded(all.substr(0, end)));
      if (end == all.size()) return out;
      all.remove_prefix(end + 1);
    }
  }
  template <typename T>
  T number(std::string_view digits, int base = 10) {
    T value{};
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    if (error != std::errc() || end != digits.data() + digits.size()) good_ = false;
    return value;
  }
  template <typename T>
  T number() {
    return number<T>(raw());
  }
  KeyStamp stamp() {
    const std::string_view both = raw();
    const std::size_t slash = std::min(both.find('/'), both.size());
    const KeyStamp key{number<std::uint64_t>(both.substr(0, slash)),
                       number<std::uint32_t>(both.substr(std::min(slash + 1, both.size())), 16)};
    if (key.micros >> 62 != 0) good_ = false;
    return key;
  }
  bool at_end() const { return rest_.empty(); }
  bool good() const { return good_; }

 private:
  std::string decoded(std::string_view text) {
    auto out = unword(text);
    if (!out) good_ = false;
    return std::move(out).value_or("");
  }
  std::string_view rest_;
  bool good_ = true;
};

struct Writer {
  std::string& out;
  auto to() const { return std::back_inserter(out); }

  void operator()(const JournalHeader& h) const {
    std::vector<std::string> endpoints = h.owner.endpoints;
    std::ranges::sort(endpoints);
    fmt::format_to(to(), "{} {} {} {} {} {}", magic, h.generation, words(endpoints), word(h.owner.bucket),
                   word(h.owner.prefix), h.owner.worker);
  }
  void operator()(const JournalBase&) const { out += "base"; }
  void operator()(const SessionOpened& s) const {
    fmt::format_to(to(), "open {} {} {} {} {}", word(s.session.id), s.session.pid,
                   word(s.session.process_start), word(s.session.boot), words(s.session.deletes));
  }
  void operator()(const SessionClosed& s) const { fmt::format_to(to(), "close {}", word(s.id)); }
  void operator()(const JournalDoubt& d) const { fmt::format_to(to(), "doubt {}", d.micros); }
  void operator()(const JournalKeys& k) const {
    fmt::format_to(to(), "{} {} {} {}", fate_signs[static_cast<std::size_t>(k.fate)], k.micros,
                   word(k.pattern), word(k.size));
    for (const KeyStamp& key : k.keys) fmt::format_to(to(), " {}/{:08x}", key.micros, key.suffix);
  }
};

std::string checksum(std::string_view text) {
  return fmt::format("{:016x}", hash64(text));
}

std::optional<JournalLine> parse_record(std::string_view text) {
  Words in(text);
  const std::string_view kind = in.raw();
  std::optional<JournalLine> line;
  if (kind == magic) {
    JournalHeader header{.generation = in.number<std::uint64_t>(), .owner = {}};
    header.owner.endpoints = in.list();
    header.owner.bucket = in.text();
    header.owner.prefix = in.text();
    header.owner.worker = in.number<unsigned>();
    line = std::move(header);
  } else if (kind == "base") {
    line = JournalBase{};
  } else if (kind == "open") {
    JournalSession session;
    session.id = in.text();
    session.pid = in.number<std::uint64_t>();
    session.process_start = in.text();
    session.boot = in.text();
    session.deletes = in.list();
    line = SessionOpened{std::move(session)};
  } else if (kind == "close") {
    line = SessionClosed{in.text()};
  } else if (kind == "doubt") {
    line = JournalDoubt{in.number<std::uint64_t>()};
  } else if (kind.size() == 1 && fate_signs.find(kind[0]) != fate_signs.npos) {
    JournalKeys keys{.fate = static_cast<KeyFate>(fate_signs.find(kind[0])),
                     .micros = in.number<std::uint64_t>(),
                     .pattern = {},
                     .size = {},
                     .keys = {}};
    keys.pattern = in.text();
    keys.size = in.text();
    while (in.good() && !in.at_end()) keys.keys.push_back(in.stamp());
    line = std::move(keys);
  }
  if (!in.good() || !in.at_end()) return std::nullopt;
  return line;
}

}  // namespace

void append_line(const JournalLine& line, std::string& out) {
  const std::size_t begin = out.size();
  out.append(checksum_digits + 1, ' ');
  std::visit(Writer{out}, line);
  const std::string digits = checksum(std::string_view(out).substr(begin + checksum_digits + 1));
  std::ranges::copy(digits, out.begin() + static_cast<std::ptrdiff_t>(begin));
  out += '\n';
}

std::optional<JournalLine> parse_line(std::string_view line) {
  if (line.size() <= checksum_digits || line[checksum_digits] != ' ') return std::nullopt;
  const std::string_view text = line.substr(checksum_digits + 1);
  if (checksum(text) != line.substr(0, checksum_digits)) return std::nullopt;
  return parse_record(text);
}

std::optional<JournalLine> JournalLines::next() {
  for (;;) {
    const std::size_t end = text_.find('\n', at_);
    if (end == text_.npos) return std::nullopt;
    const std::string_view line = text_.substr(at_, end - at_);
    at_ = end + 1;
    if (auto parsed = parse_line(line)) return parsed;
    ++damaged_;
  }
}

}  // namespace s3lt
