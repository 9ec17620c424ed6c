// Tables and paragraphs in plain text: the first column to the left, figures to the right.
// Pure functions, thread-safe. Texts are ASCII: a byte is a column.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/text.h"

namespace s3lt {

enum class Tone { plain, strong, dim, bad };
// The text in the tone's ANSI colour; without colour just the text.
std::string in_tone(std::string_view text, Tone tone, bool colour);

struct Table {
  struct Field {
    std::string text;
    Tone tone = Tone::plain;
  };
  std::vector<std::string> header;
  std::vector<std::vector<Field>> rows;  // each as long as the header
};

// A line per row, two columns from the left. Gaps shrink to one space where the style's width is short.
std::string render(const Table& table, const TextStyle& style);

// Words broken at `width`, each line `indent` from the left (further ones two more), with line ends.
std::string wrapped(std::string_view text, unsigned width, unsigned indent, Tone tone = Tone::plain,
                    bool colour = false);

}  // namespace s3lt
