// `.env` files: names are names, values are literal, and no message shows what stands in the file.
#include "config/dotenv.h"

#include <algorithm>
#include <cctype>

#include "fuzz/target.h"

namespace s3lt::fuzz {

void dotenv(std::string_view text) {
  const auto entries = parse_dotenv(text, "F");
  if (!entries) {
    require(
        entries.error().message.starts_with("F:") && entries.error().message.find('\n') == std::string::npos,
        "an error names file and line");
    require(entries.error().message.size() < 200, "an error does not show the line");
    return;
  }
  unsigned line = 0;
  for (const DotenvEntry& e : *entries) {
    require(!e.name.empty() &&
                std::ranges::all_of(e.name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; }),
            "a name is a name");
    require(e.line > line, "lines count up");
    line = e.line;
    require(e.value.find('\n') == e.value.npos, "a value is one line");
    require(text.find(e.value) != text.npos, "a value is literal");
    // Written in quotes that the value does not hold it is read back.
    for (const char quote : {'"', '\''}) {
      if (e.value.find(quote) != e.value.npos || e.value.find('\0') != e.value.npos) continue;
      const auto again =
          parse_dotenv(" export\t" + e.name + " = " + quote + e.value + quote + " # comment\r\n", "F");
      require(again && again->size() == 1 && again->front().name == e.name && again->front().value == e.value,
              "a quoted value is read as it was written");
    }
  }
}

}  // namespace s3lt::fuzz
