// The requests in tests/data/wire as they were sent: request line, header lines in order, body.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace s3lt {

struct RecordedHead {
  std::vector<std::string> lines;  // the request line first, then the headers as sent
  std::string body;

  // The value of a header line of exactly this name.
  std::string value(std::string_view name) const {
    for (const std::string& line : lines) {
      if (line.starts_with(name) && line.substr(name.size(), 2) == ": ") return line.substr(name.size() + 2);
    }
    return {};
  }
};

// `client` as in the files' names: "boto3-http".
inline std::vector<RecordedHead> read_recorded_heads(std::string_view client, std::string_view operation) {
  constexpr std::string_view filled = "# body: ", text = "# body-text: ";
  std::ifstream in(std::filesystem::path(TEST_DATA) / "wire" /
                   (std::string(client) + "." + std::string(operation) + ".txt"));
  std::vector<RecordedHead> heads;
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with(" HTTP/1.1")) {
      heads.push_back({{line}, {}});
    } else if (heads.empty() || line.empty()) {
      continue;
    } else if (line.starts_with(text)) {
      heads.back().body = line.substr(text.size());
    } else if (line.starts_with(filled) && line.find(" bytes of 'a'") != std::string::npos) {
      heads.back().body.assign(std::stoul(line.substr(filled.size())), 'a');
    } else if (line.front() != '#') {
      heads.back().lines.push_back(line);
    }
  }
  return heads;
}

}  // namespace s3lt
