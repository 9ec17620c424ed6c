// Object keys on their way into a request and back: percent-encoding, queries, the shape of our own keys.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "fuzz/target.h"
#include "http/percent.h"
#include "journal/key_ledger.h"
#include "s3/sigv4.h"
#include "server/request.h"
#include "workload/catalog.h"

namespace s3lt::fuzz {
namespace {

void check_percent(std::string_view text) {
  const std::string path = http::encode_path(text), value = http::encode_value(text);
  require(http::decode(path) == text && http::decode(value) == text, "encoded and decoded is as before");
  require(http::decode(value, true) == text, "no plus is left in a value");
  for (const std::string& encoded : {path, value}) {
    require(std::ranges::all_of(
                encoded,
                [](char c) { return c > ' ' && c < 127 && c != '+' && c != '?' && c != '&' && c != '='; }),
            "encoded is what a target may hold");
  }
  if (const auto decoded = http::decode(text)) {
    require(decoded->size() <= text.size(), "decoded is no longer");
    require(http::decode(http::encode_value(*decoded)) == decoded, "decoded, encoded and decoded is decoded");
  }
}

void check_route(std::string_view text) {
  if (text.empty() || text.size() > 1024 || text.find('\0') != text.npos) return;
  server::Request request;
  const std::string target = "/bucket/" + http::encode_path(text);
  request.head.method = "GET";
  request.head.target = target;
  require(!server::route(request) && request.operation == server::Operation::get_object &&
              request.bucket == "bucket" && request.key == text,
          "serve understands the key that was meant");
}

void check_query(std::string_view text) {
  const std::string once = canonical_query(text);
  require(canonical_query(once) == once, "what is canonical stays as it is");
  std::size_t size = 0;
  for (const auto& [name, value] : http::split_query(text)) size += name.size() + value.size();
  require(size <= text.size(), "a query's parts are of it");
}

void check_shape(std::string_view text) {
  std::uint64_t bits = 0;
  for (const char c : text.substr(0, 8)) bits = bits << 8 | static_cast<unsigned char>(c);
  Pattern pattern;
  pattern.name = "p-1";
  pattern.sizes = {{.label = "1KB", .bytes = 1024}, {.label = "100MB", .bytes = 100 << 20}};
  const KeyNames names("pre/", 7, pattern.name, pattern.sizes);
  const KeyId id{.size_class = static_cast<std::uint32_t>(bits & 1),
                 .suffix = static_cast<std::uint32_t>(bits >> 7),
                 .micros = bits >> 11};
  std::string key = "left over";
  names.write(id, key);
  const std::string stem = std::string("pre/7/") + (id.size_class == 0 ? "1KB" : "100MB") + "/p-1/" +
                           std::to_string(id.micros) + "/";
  require(key.starts_with(stem) && key.size() == stem.size() + 8, "a key has its shape");
  require(std::stoul(key.substr(stem.size()), nullptr, 16) == id.suffix, "a key ends in its suffix");
  require(http::encode_path(key) == key, "a key of ours needs no encoding");
}

// Any text may stand in a journal; what is read of it comes out the same when it is written again.
void check_journal(std::string_view text) {
  JournalLines lines(text);
  KeyLedger ledger;
  while (const auto line = lines.next()) {
    ledger.apply(*line);
    std::string again;
    append_line(*line, again);
    const auto back = parse_line(std::string_view(again).substr(0, again.size() - 1));
    require(back && back->index() == line->index(), "a journal's line is read as it was written");
  }
  require(lines.read() <= text.size(), "what is read is of the text");
  // As a line of its own, with a checksum that is right.
  std::string line = fmt::format("{:016x} ", hash64(text));
  line += text;
  const auto parsed = parse_line(line);
  if (!parsed || text.find('\n') != text.npos) return;
  std::string once, twice;
  append_line(*parsed, once);
  const auto again = parse_line(std::string_view(once).substr(0, once.size() - 1));
  require(again.has_value(), "what is read can be written");
  append_line(*again, twice);
  require(once == twice, "and stays as it is");
  const std::string compacted = ledger.compacted(0, 1);
  KeyLedger anew;
  anew.apply(compacted);
  require(anew.live() == ledger.live(), "compacting loses and invents no key");
}

}  // namespace

void keys(std::string_view text) {
  check_percent(text);
  check_route(text);
  check_query(text);
  check_shape(text);
  check_journal(text);
}

}  // namespace s3lt::fuzz
