#include "check/check_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/units.h"
#include "report/table.h"

namespace s3lt {
namespace {

struct Entry {
  std::string label, text;
  Tone tone = Tone::plain;
  bool operator==(const Entry&) const = default;
};

// The label, and its text behind it with all lines under each other.
std::string render(const Entry& entry, const TextStyle& style) {
  constexpr std::size_t indent = 2, column = 15;
  std::string out(indent, ' ');
  out += in_tone(entry.label, Tone::dim, style.colour);
  const std::size_t used = indent + entry.label.size();
  out.append(used < column ? column - used : 1, ' ');
  const unsigned width = style.width > column + 20 ? style.width - static_cast<unsigned>(column) : 20;
  std::string line;
  std::string_view rest = entry.text;
  bool first = true;
  const auto flush = [&] {
    if (!first) out.append(column, ' ');
    out += in_tone(line, entry.tone, style.colour) + "\n";
    line.clear();
    first = false;
  };
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    const std::string_view word = rest.substr(0, end);
    if (!line.empty() && line.size() + 1 + word.size() > width) flush();
    if (!line.empty()) line += ' ';
    line += word;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  flush();
  return out;
}

std::string date_text(WallTime time) {
  return format_rfc3339(time).substr(0, 10);
}

std::string clock_text(const EndpointFacts& facts) {
  if (!facts.clock_ahead) return "-";
  if (std::abs(*facts.clock_ahead) <= facts.clock_error + 1) return "ok";
  return fmt::format("{:+.0f}s", *facts.clock_ahead);
}

std::string trial_text(const Trial& trial, std::string_view works = "yes") {
  if (trial.works()) return std::string(works);
  return trial.fails() ? fmt::format("no ({})", trial.said) : "not tried";
}

std::string connect_text(const EndpointFacts& facts) {
  for (const AddressFact& address : facts.addresses) {
    if (address.connect_us) return format_latency(*address.connect_us);
  }
  return "-";
}

// Kinds with the same end together: "crc32, sha1: verified; crc64nvme: ignored".
std::string integrity_text(const std::vector<IntegrityFact>& list) {
  std::vector<std::pair<std::string, std::string>> groups;  // what, names
  for (const IntegrityFact& fact : list) {
    std::string what = "not tried";
    if (fact.accepted.fails()) what = fmt::format("refused ({})", fact.accepted.said);
    if (fact.accepted.works())
      what = !fact.verified ? "accepted" : *fact.verified ? "verified" : "ignored (a wrong one is accepted)";
    const auto known = std::ranges::find(groups, what, &std::pair<std::string, std::string>::first);
    if (known != groups.end()) {
      known->second += ", " + fact.name;
    } else {
      groups.emplace_back(what, fact.name);
    }
  }
  std::string text;
  for (const auto& [what, names] : groups)
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", names, what);
  return text;
}

std::string backend_text(const BackendFact& backend) {
  if (backend.works()) return "works";
  const std::string failure = backend.first_failure();
  return failure == "not tried" ? failure : "fails";
}

// Names of those that work, and the others with their reasons.
std::string trials_text(const std::vector<NamedTrial>& trials, std::string_view what) {
  std::vector<std::string> good, bad, open;
  for (const NamedTrial& one : trials) {
    if (!one.trial.works() && !one.trial.fails()) open.push_back(one.name);
    if (one.trial.works()) good.push_back(one.name);
    if (one.trial.fails()) bad.push_back(fmt::format("{} ({})", one.name, one.trial.said));
  }
  std::string text;
  if (!good.empty()) text = fmt::format("{}: {}", fmt::join(good, ", "), what);
  if (!bad.empty()) text += fmt::format("{}not {}", text.empty() ? "" : "; ", fmt::join(bad, ", "));
  if (!open.empty() && !text.empty()) text += fmt::format("; not known: {}", fmt::join(open, ", "));
  return text.empty() ? "not tried" : text;
}

void add_tls(const CheckFacts& all, const TlsFact& tls, std::vector<Entry>& entries) {
  entries.push_back({"TLS", fmt::format("{}, {}{}", tls.facts.version, tls.facts.cipher,
                                        tls.facts.protocol.empty() ? "" : ", " + tls.facts.protocol)});
  if (!tls.facts.certificate) return;
  const Certificate& certificate = *tls.facts.certificate;
  std::string text = fmt::format(
      "{}; for {}; until {}; by {}; ", certificate.subject,
      certificate.names.empty() ? "nobody" : fmt::format("{}", fmt::join(certificate.names, ", ")),
      date_text(certificate.until),
      certificate.issuer == certificate.subject ? "itself" : certificate.issuer);
  if (!tls.problem) {
    text += "verified";
  } else {
    text += "it " + words(*tls.problem);
    if (!all.verify_tls) text += " (and not verified, as S3_VERIFY_SSL has it)";
  }
  entries.push_back({"certificate", text, tls.problem && all.verify_tls ? Tone::bad : Tone::plain});
}

std::string bucket_text(const CheckFacts& all, const EndpointFacts& facts) {
  if (facts.bucket_missing) return fmt::format("{} does not exist", all.bucket);
  if (!facts.bucket.exists) return fmt::format("{}: not known", all.bucket);
  std::string versioning = "off";
  if (!facts.bucket.versioning) {
    versioning = fmt::format("not told ({})", facts.bucket.versioning_said);
  } else if (!facts.bucket.versioning->empty()) {
    versioning = *facts.bucket.versioning == "Enabled" ? "on" : "suspended";
  }
  std::string lock = !facts.bucket.object_lock ? "not told" : *facts.bucket.object_lock ? "on" : "off";
  if (!facts.bucket.default_retention.empty()) lock += fmt::format(" ({})", facts.bucket.default_retention);
  return fmt::format("{} exists; versioning {}; object lock {}", all.bucket, versioning, lock);
}

std::string signature_text(const CheckFacts& all, const EndpointFacts& facts) {
  std::string text =
      facts.signature_verified ? *facts.signature_verified ? "verified" : "not verified" : "accepted";
  text += fmt::format("; region {} {}", all.region,
                      !facts.region_enforced   ? "accepted"
                      : *facts.region_enforced ? "accepted, others are not"
                                               : "accepted, as is any other");
  if (facts.bucket.location && *facts.bucket.location != all.region)
    text += fmt::format(" (the bucket says it is in {})", *facts.bucket.location);
  return text;
}

// What an endpoint is like, but for what is of its own alone: addresses and times.
std::vector<Entry> entries_of(const CheckFacts& all, const EndpointFacts& facts) {
  std::vector<Entry> entries;
  if (!facts.server.empty() || !facts.looks_like.empty()) {
    const std::string says = facts.server.empty() ? "" : fmt::format("Server: {}", facts.server);
    entries.push_back({"server", facts.looks_like.empty() ? says
                                 : says.empty()           ? facts.looks_like
                                                          : fmt::format("{} ({})", facts.looks_like, says)});
  }
  if (facts.tls) add_tls(all, *facts.tls, entries);
  if (facts.bucket.exists || facts.bucket_missing) {
    if (facts.bucket.exists) entries.push_back({"signature", signature_text(all, facts)});
    entries.push_back({"bucket", bucket_text(all, facts), facts.bucket_missing ? Tone::bad : Tone::plain});
  }
  for (const BackendFact& backend : facts.backends) {
    const bool chosen = backend.name == wire_backend(all.backend);
    entries.push_back({backend.name, trials_text(backend.operations, backend.works() ? "work" : "allowed"),
                       chosen && !backend.works() ? Tone::bad : Tone::plain});
  }
  if (!facts.not_written.empty())
    entries.push_back(
        {"not tried", "payloads, checksums, multipart, ranges, 100-continue: " + facts.not_written});
  if (!facts.payloads.empty()) entries.push_back({"payloads", integrity_text(facts.payloads)});
  if (!facts.checksums.empty()) entries.push_back({"checksums", integrity_text(facts.checksums)});
  if (!facts.multipart.empty()) entries.push_back({"multipart", trials_text(facts.multipart, "work")});
  if (facts.range.end != Trial::End::not_tried) entries.push_back({"ranges", trial_text(facts.range)});
  if (facts.expect_continue.end != Trial::End::not_tried)
    entries.push_back({"100-continue", trial_text(facts.expect_continue, "said at once")});
  if (facts.keeps_connections)
    entries.push_back({"connections", *facts.keeps_connections ? "kept" : "closed after each answer"});
  return entries;
}

std::string addresses_text(const EndpointFacts& facts) {
  std::vector<std::string> parts;
  for (const AddressFact& address : facts.addresses) {
    parts.push_back(fmt::format("{} ({})", address.address,
                                address.connect_us ? "connected in " + format_latency(*address.connect_us)
                                : address.problem.empty() ? "no answer yet"
                                                          : address.problem));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

// Of one endpoint alone.
std::vector<Entry> own_entries(const EndpointFacts& facts) {
  std::vector<Entry> entries;
  if (!facts.addresses.empty()) entries.push_back({"addresses", addresses_text(facts)});
  if (facts.tls) entries.push_back({"handshake", format_latency(facts.tls->handshake_us)});
  if (facts.clock_ahead) {
    const double off = std::abs(*facts.clock_ahead);
    entries.push_back(
        {"clock", clock_text(facts) == "ok"
                      ? fmt::format("as the server's, to {:.1f}s", facts.clock_error)
                      : fmt::format("{} {} the server's", format_duration(seconds(std::round(off))),
                                    *facts.clock_ahead > 0 ? "ahead of" : "behind")});
  }
  return entries;
}

std::string names_of(const std::vector<std::string>& urls) {
  constexpr std::size_t most = 2;
  if (urls.size() <= most) return fmt::format("{}", fmt::join(urls, ", "));
  return fmt::format("{} and {} more", urls[0], urls.size() - 1);
}

Table table_of(const CheckFacts& facts, const Judgement& judgement) {
  // Where less was tried, the rest of the row is empty.
  const auto& tried = std::ranges::max(facts.endpoints, {}, [](const EndpointFacts& one) {
                        return one.backends.size();
                      }).backends;
  Table table{.header = {"endpoint", "connect", "clock"}, .rows = {}};
  for (const BackendFact& backend : tried) table.header.push_back(backend.name);
  table.header.push_back("verdict");
  for (std::size_t i = 0; i < facts.endpoints.size(); ++i) {
    const EndpointFacts& one = facts.endpoints[i];
    std::vector<Table::Field> row{{one.url}, {connect_text(one)}, {clock_text(one)}};
    for (std::size_t k = 0; k < tried.size(); ++k)
      row.push_back({k < one.backends.size() ? backend_text(one.backends[k]) : "-"});
    const bool works = judgement.endpoints[i].works;
    row.push_back({works ? "works" : one.stopped ? "stopped" : "WRONG", works ? Tone::plain : Tone::bad});
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace

std::string check_text(const CheckFacts& facts, const Judgement& judgement, const TextStyle& style) {
  std::string out;
  const bool several = facts.endpoints.size() > 1;
  if (several) out += render(table_of(facts, judgement), style) + "\n";
  std::vector<bool> told(facts.endpoints.size());
  for (std::size_t i = 0; i < facts.endpoints.size(); ++i) {
    if (told[i]) continue;
    const std::vector<Entry> entries = entries_of(facts, facts.endpoints[i]);
    std::vector<std::string> alike;
    for (std::size_t k = i; k < facts.endpoints.size(); ++k) {
      if (told[k] || entries_of(facts, facts.endpoints[k]) != entries) continue;
      told[k] = true;
      alike.push_back(facts.endpoints[k].url);
    }
    if (several && entries.empty()) continue;  // the table has it all
    const std::string who = names_of(alike);
    out += in_tone(who, Tone::strong, style.colour) + "\n";
    if (!several) {
      for (const Entry& entry : own_entries(facts.endpoints[i])) out += render(entry, style);
    }
    for (const Entry& entry : entries) out += render(entry, style);
    out += "\n";
  }
  if (facts.proxy) {
    const ProxyFact& proxy = *facts.proxy;
    out += in_tone("s3pool", Tone::strong, style.colour) + "\n";
    out += render({"program", proxy.program.empty() ? "none" : proxy.program,
                   proxy.program.empty() ? Tone::bad : Tone::plain},
                  style);
    out += render({"address", proxy.address + (proxy.is_kept ? " (runs of ours use one there)" : "")}, style);
    out += "\n";
  }
  for (const Finding& finding : judgement.here)
    out += wrapped("wrong: " + finding.text, style.width, 0, Tone::bad, style.colour);
  for (const bool wrong : {true, false}) {
    // The same of several endpoints is said once.
    std::vector<std::pair<std::string, std::vector<std::string>>> said;
    for (std::size_t i = 0; i < facts.endpoints.size(); ++i) {
      for (const Finding& finding : judgement.endpoints[i].findings) {
        if (finding.wrong != wrong) continue;
        auto known = std::ranges::find_if(said, [&](const auto& one) { return one.first == finding.text; });
        if (known == said.end()) known = said.insert(known, {finding.text, {}});
        known->second.push_back(facts.endpoints[i].url);
      }
    }
    for (const auto& [text, whose] : said) {
      const std::string line =
          wrong ? "wrong: " + text : fmt::format("note: {}{}", several ? names_of(whose) + ": " : "", text);
      out += wrapped(line, style.width, 0, wrong ? Tone::bad : Tone::plain, style.colour);
    }
  }
  out += wrapped(judgement.sentence, style.width, 0, Tone::strong, style.colour);
  // On a line of its own, however long it is, to be copied.
  return out + "next: " + judgement.next + "\n";
}

}  // namespace s3lt
