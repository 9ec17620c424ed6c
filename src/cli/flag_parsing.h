// How our commands read their flags with CLI11: every value goes through a parser of base/units.h, and a
// mistake becomes a sentence that names the flag, the text and the right form. For cli/*.cc only.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "base/error.h"

namespace s3lt {

// A repeatable or single flag whose text `take` understands; its error is completed by the flag's name.
inline CLI::Option* add_flag_value(CLI::App& app, const std::string& flag,
                                   std::function<Result<void>(const std::string&)> take,
                                   const std::string& help, const std::string& type,
                                   const std::string& default_text = {}) {
  const std::string text = default_text.empty() ? help : help + " [" + default_text + "]";
  CLI::Option* option = app.add_option_function<std::vector<std::string>>(
      flag,
      [flag, take](const std::vector<std::string>& values) {
        for (const std::string& value : values) {
          // The next flag, taken for this one's value: no value of ours begins so.
          if (value.starts_with("--")) throw CLI::ArgumentMismatch(flag + ": it needs a value");
          if (const auto taken = take(value); !taken) throw CLI::ValidationError(flag, taken.error().message);
        }
      },
      text);
  option->type_name(type)->expected(1)->allow_extra_args(false)->multi_option_policy(
      CLI::MultiOptionPolicy::TakeAll);
  return option;
}

// A flag with one value that `parse` turns into `target`.
template <class Target, class Parse>
CLI::Option* add_value(CLI::App& app, const std::string& flag, Target& target, Parse parse,
                       const std::string& help, const std::string& type,
                       const std::string& default_text = {}) {
  return add_flag_value(
      app, flag,
      [&target, parse](const std::string& text) -> Result<void> {
        auto value = parse(text);
        if (!value) return std::unexpected(value.error());
        target = *value;
        return {};
      },
      help, type, default_text);
}

// For texts that need no parsing.
inline Result<std::string> as_text(const std::string& text) {
  return text;
}

// For files that are replaced as a whole, which stdout cannot be.
inline Result<std::string> as_file(const std::string& text) {
  if (text.empty() || text == "-")
    return usage_error("it takes the name of a file (not -, stdout), as in report.html");
  return text;
}

}  // namespace s3lt
