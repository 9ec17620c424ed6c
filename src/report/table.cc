#include "report/table.h"

#include <algorithm>
#include <numeric>

namespace s3lt {

std::string in_tone(std::string_view text, Tone tone, bool colour) {
  if (!colour || tone == Tone::plain || text.empty()) return std::string(text);
  const char* code = tone == Tone::strong ? "\x1b[1m" : tone == Tone::dim ? "\x1b[2m" : "\x1b[31m";
  return code + std::string(text) + "\x1b[0m";
}

std::string render(const Table& table, const TextStyle& style) {
  constexpr std::size_t indent = 2, first_column = 14;
  const std::size_t columns = table.header.size();
  std::vector<std::size_t> widths(columns);
  for (std::size_t i = 0; i < columns; ++i) {
    widths[i] = table.header[i].size();
    for (const auto& row : table.rows) widths[i] = std::max(widths[i], row[i].text.size());
  }
  // Tables below each other line up where their labels are short.
  widths[0] = std::max(widths[0], first_column);
  const std::size_t text = std::accumulate(widths.begin(), widths.end(), indent);
  const std::size_t room = style.width > text ? style.width - text : 0;
  const std::size_t gap = std::clamp<std::size_t>(columns > 1 ? room / (columns - 1) : 1, 1, 3);

  const auto line = [&](const auto& field_at) {
    std::string out(indent, ' ');
    for (std::size_t i = 0; i < columns; ++i) {
      const Table::Field field = field_at(i);
      const std::string padding(widths[i] - field.text.size(), ' ');
      const std::string shown = in_tone(field.text, field.tone, style.colour);
      if (i != 0) out.append(gap, ' ');
      out += i == 0 ? shown + padding : padding + shown;
    }
    return out + "\n";
  };
  std::string out = line([&](std::size_t i) { return Table::Field{table.header[i], Tone::dim}; });
  for (const auto& row : table.rows) out += line([&](std::size_t i) { return row[i]; });
  return out;
}

std::string wrapped(std::string_view text, unsigned width, unsigned indent, Tone tone, bool colour) {
  std::string out, line;
  std::size_t margin = indent;
  const auto flush = [&] {
    out += std::string(margin, ' ') + in_tone(line, tone, colour) + "\n";
    line.clear();
    margin = indent + 2;
  };
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (!line.empty() && margin + line.size() + 1 + word.size() > width) flush();
    if (!line.empty()) line += ' ';
    line += word;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (!line.empty()) flush();
  return out;
}

}  // namespace s3lt
