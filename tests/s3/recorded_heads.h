// The requests in tests/data/wire as they were sent: request line, header lines in order, body.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
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

inline RecordedHead recorded_head(std::string_view client, std::string_view operation,
                                  std::size_t index = 0) {
  const auto heads = read_recorded_heads(client, operation);
  EXPECT_GT(heads.size(), index) << operation;
  return heads.size() > index ? heads[index] : RecordedHead{{""}, {}};
}

inline std::vector<std::string> lines_of(std::string_view head) {
  std::vector<std::string> lines;
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
  head.remove_suffix(std::min<std::size_t>(2, head.size()));
  while (!head.empty()) {
    const std::size_t end = head.find("\r\n");
    if (end == head.npos) {
      ADD_FAILURE() << "a line without its end: " << head;
      break;
    }
    lines.emplace_back(head.substr(0, end));
    head.remove_prefix(end + 2);
  }
  return lines;
}

// "…/20261123/us-east-1/s3/aws4_request, …" -> us-east-1
inline std::string region_of(const std::string& authorization) {
  const std::size_t day = authorization.find('/') + 1, region = authorization.find('/', day) + 1;
  return authorization.substr(region, authorization.find('/', region) - region);
}

inline void expect_same(std::vector<std::string> written, std::vector<std::string> recorded) {
  for (auto* lines : {&written, &recorded}) {
    for (std::string& line : *lines) {
      if (line.starts_with("User-Agent: ")) line = "User-Agent: *";
    }
  }
  EXPECT_EQ(written, recorded);
}

inline std::string key_in(const RecordedHead& recorded) {
  const std::string& line = recorded.lines.front();
  const std::size_t begin = line.find("/bkt/") + 5;
  return line.substr(begin, line.rfind(' ') - begin);
}

}  // namespace s3lt
