#include "server/fault_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "base/nearest.h"
#include "base/units.h"

namespace s3lt::server {
namespace {

constexpr std::string_view frequency_form = "[:p=PROBABILITY|:every=N]";
constexpr std::uint64_t most_bits = 4096;

template <class T>
bool parse_number(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

// What is wrong with a value; empty: nothing.
using Problem = std::string;

Problem set_duration(std::string_view text, Duration& out) {
  const auto duration = parse_duration(text);
  if (!duration) return duration.error().message;
  out = *duration;
  return {};
}

Problem set_status(std::string_view text, FaultRule& rule) {
  if (parse_number(text, rule.status) && rule.status >= 400 && rule.status <= 599) return {};
  return fmt::format("'{}' is no status from 400 to 599", text);
}
Problem set_code(std::string_view text, FaultRule& rule) {
  rule.code = text;
  const bool word = std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.';
  });
  return word && !text.empty() ? "" : fmt::format("'{}' is no S3 error code such as QuotaExceeded", text);
}
Problem set_retry_after(std::string_view text, FaultRule& rule) {
  rule.retry_after.emplace();
  return parse_number(text, *rule.retry_after) ? "" : fmt::format("'{}' is no number of seconds", text);
}
Problem set_time(std::string_view text, FaultRule& rule) {
  return set_duration(text, rule.time);
}
Problem set_to(std::string_view text, FaultRule& rule) {
  if (Problem problem = set_duration(text, rule.to); !problem.empty()) return problem;
  return rule.to >= rule.time ? "" : "'to' is less than the delay";
}
Problem set_grow(std::string_view text, FaultRule& rule) {
  return set_duration(text, rule.grow);
}
Problem set_after(std::string_view text, FaultRule& rule) {
  return set_duration(text, rule.after);
}
Problem set_period(std::string_view text, FaultRule& rule) {
  if (Problem problem = set_duration(text, rule.period); !problem.empty()) return problem;
  return rule.period > rule.time ? "" : "it would freeze again before it thawed";
}
Problem set_then(std::string_view text, FaultRule& rule) {
  if (rule.time == Duration::zero()) return "a silence without a duration has no end";
  if (text == "close") {
    rule.then = FaultRule::Then::close;
  } else if (text == "reset") {
    rule.then = FaultRule::Then::reset;
  } else if (text == "answer") {
    rule.then = FaultRule::Then::answer;
  } else {
    return fmt::format("a silence cannot end with '{}'", text);
  }
  return {};
}
Problem set_at(std::string_view text, FaultRule& rule) {
  Place place;
  if (text.ends_with('%')) {
    double percent = 0;
    if (!parse_number(text.substr(0, text.size() - 1), percent) || !(percent >= 0 && percent < 100)) {
      return fmt::format("'{}' is no share from 0% to below 100%", text);
    }
    place.share = percent / 100;
  } else {
    const auto size = parse_size(text);
    if (!size) return size.error().message;
    place.bytes = *size;
  }
  if (rule.kind == FaultKind::flip && rule.bits > 8) return "a place has 8 bits";
  rule.at = place;
  return {};
}
Problem set_bits(std::string_view text, FaultRule& rule) {
  if (parse_number(text, rule.bits) && rule.bits >= 1 && rule.bits <= most_bits) return {};
  return fmt::format("'{}' is no number of bits from 1 to {}", text, most_bits);
}
Problem set_more(std::string_view text, FaultRule& rule) {
  const bool fewer = text.starts_with('-');
  if (fewer || text.starts_with('+')) {
    const auto size = parse_size(text.substr(1));
    if (size && *size > 0 && *size <= GiB) {
      rule.more = fewer ? -static_cast<std::int64_t>(*size) : static_cast<std::int64_t>(*size);
      return {};
    }
  }
  return fmt::format("'{}' is no +SIZE or -SIZE up to 1GiB", text);
}
Problem set_rate(std::string_view text, FaultRule& rule) {
  const auto rate = parse_rate(text);
  if (!rate) return rate.error().message;
  rule.rate = *rate;
  return *rate >= 1 ? "" : fmt::format("'{}' is less than a byte a second", text);
}

// The value of the kind itself has no name; it comes first.
struct Parameter {
  std::string_view name, form;
  bool required = false;
  Problem (*set)(std::string_view text, FaultRule& rule) = nullptr;
};

struct KindForm {
  std::string_view name;
  OperationSet operations;
  std::string_view example;  // the values of a good rule
  std::string_view meaning;
  std::vector<Parameter> parameters;
};

constexpr OperationSet every_operation = faultable_operations,
                       reads = set_of(Operation::get_object) | set_of(Operation::head_object),
                       get_only = set_of(Operation::get_object),
                       with_body = set_of(Operation::get_object) | set_of(Operation::list_objects) |
                                   set_of(Operation::delete_objects) |
                                   set_of(Operation::create_multipart_upload) |
                                   set_of(Operation::complete_multipart_upload);
constexpr Parameter at_place{"at", "SIZE|PERCENT", false, set_at};

// In the order of FaultKind.
const std::array<KindForm, fault_kinds>& forms() {
  static const std::array<KindForm, fault_kinds> all{{
      {"status",
       every_operation,
       "=503",
       "answer with this status and its S3 error; do nothing",
       {{"", "N", true, set_status},
        {"code", "S3CODE", false, set_code},
        {"retry-after", "SECONDS", false, set_retry_after}}},
      {"delay",
       every_operation,
       "=200ms",
       "answer later: fixed, drawn up to `to`, or each one longer by `grow` up to `to`",
       {{"", "DURATION", true, set_time},
        {"to", "DURATION", false, set_to},
        {"grow", "DURATION", false, set_grow}}},
      {"silent",
       every_operation,
       "=5s",
       "say nothing for so long (without a duration: for ever), then end; do nothing unless it answers",
       {{"", "DURATION", false, set_time}, {"then", "close|reset|answer", false, set_then}}},
      {"reset", every_operation, "", "reset the connection before a byte of answer; do nothing", {}},
      {"reset-in-body", with_body, ",at=50%", "reset the connection within the answer's body", {at_place}},
      {"reset-after", every_operation, "", "reset the connection behind the whole answer", {}},
      {"truncate", with_body, ",at=50%", "end the stream in order within the answer's body", {at_place}},
      {"slow", with_body, "=10KB/s", "send the answer's body at this rate", {{"", "RATE", true, set_rate}}},
      {"flip",
       get_only,
       "=1",
       "flip bits of the body, wherever the seed says or at a place",
       {{"", "BITS", false, set_bits}, at_place}},
      {"stale", reads, "", "show an overwritten object as it was before", {}},
      {"swap", get_only, "", "send the bytes of another object of the same size", {}},
      {"missing", reads, "", "say 404 NoSuchKey of an object that is there", {}},
      {"length",
       get_only,
       "=-1",
       "send a body that is so much longer or shorter than the object, and announced so",
       {{"", "+SIZE|-SIZE", true, set_more}}},
      {"close", every_operation, "", "close the connection after the answer, and say so in it", {}},
      {"close-unsaid", every_operation, "", "close the connection after the answer without a word", {}},
      {"freeze",
       0,
       "=2s,after=10s",
       "let the whole server stand still, once or every so often",
       {{"", "DURATION", true, set_time},
        {"after", "DURATION", false, set_after},
        {"every", "DURATION", false, set_period}}},
  }};
  return all;
}

const KindForm& form_of(FaultKind kind) {
  return forms()[static_cast<std::size_t>(kind)];
}

std::string operations_text(OperationSet set) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < operation_count; ++i) {
    if ((set >> i & 1U) != 0) names.push_back(operation_labels[i]);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

// "GET:flip[=BITS][,at=SIZE|PERCENT]"
std::string pattern_of(std::string_view operation, const KindForm& form) {
  std::string out = fmt::format("{}:{}", operation, form.name);
  for (const Parameter& p : form.parameters) {
    const std::string value = fmt::format("{}{}={}", p.name.empty() ? "" : ",", p.name, p.form);
    out += p.required ? value : '[' + value + ']';
  }
  return out;
}

// The operation that a form is best shown with: the one meant, where it is possible.
std::string_view shown_operation(const KindForm& form, OperationSet wanted) {
  if (form.operations == 0) return "*";
  const OperationSet both = form.operations & wanted;
  if (wanted == every_operation) return "*";
  for (std::size_t i = 0; i < operation_count; ++i) {
    if ((both >> i & 1U) != 0) return operation_labels[i];
  }
  return "GET";  // to which every fault of requests can be done
}

// One rule being read.
struct Reader {
  std::string_view spec;
  FaultRule rule;
  OperationSet wanted = every_operation;

  std::unexpected<Error> refuse(std::string_view why) const {
    return usage_error(fmt::format(
        "--fault {}: {}; write OPERATION:KIND{} such as GET:status=503:p=0.01 or PUT:delay=200ms:every=100",
        spec, why, frequency_form));
  }
  // Where the kind is known: how it is written.
  std::unexpected<Error> refuse(const KindForm& form, std::string_view why) const {
    const std::string_view operation = shown_operation(form, wanted);
    return usage_error(fmt::format("--fault {}: {}; write {}{}, such as {}:{}{}{}", spec, why,
                                   pattern_of(operation, form), form.operations == 0 ? "" : frequency_form,
                                   operation, form.name, form.example,
                                   form.operations == 0 ? "" : ":p=0.01"));
  }

  Result<void> read_operation(std::string_view text);
  Result<void> read_kind(std::string_view text);
  Result<void> read_parameters(const KindForm& form, std::string_view text);
  Result<void> read_frequency(std::string_view text);
};

Result<void> Reader::read_operation(std::string_view text) {
  if (text == "*") return {};
  for (std::size_t i = 0; i < operation_count; ++i) {
    const OperationSet one = OperationSet{1} << i;
    if ((faultable_operations & one) == 0 || !http::iequals(text, operation_labels[i])) continue;
    wanted = one;
    return {};
  }
  return refuse(fmt::format("there is no operation '{}' ({} or *)", text, operations_text(faultable_operations)));
}

Result<void> Reader::read_kind(std::string_view text) {
  const std::size_t end = std::min(text.find_first_of("=,"), text.size());
  const std::string_view kind = text.substr(0, end);
  std::array<std::string_view, fault_kinds> names;
  std::ranges::transform(forms(), names.begin(), &KindForm::name);
  const auto found = std::ranges::find(names, kind);
  if (found == names.end()) {
    const auto near = std::ranges::find(names, nearest(kind, names));
    const KindForm& form = forms()[static_cast<std::size_t>(near - names.begin())];
    return refuse(form, fmt::format("there is no fault '{}' (`serve --help` lists them)", kind));
  }
  rule.kind = static_cast<FaultKind>(found - names.begin());
  const KindForm& form = form_of(rule.kind);
  rule.operations = form.operations & wanted;
  if (form.operations == 0 && wanted != every_operation) {
    return refuse(form, "a freeze concerns the whole server, not one operation");
  }
  if (form.operations != 0 && rule.operations == 0) {
    return refuse(form, fmt::format("{} cannot be done to {} (only to {})", kind, operations_text(wanted),
                                    operations_text(form.operations)));
  }
  return read_parameters(form, text.substr(end));
}

// "=VALUE,NAME=VALUE,NAME=VALUE"
Result<void> Reader::read_parameters(const KindForm& form, std::string_view text) {
  std::vector<const Parameter*> given;
  const bool has_value = text.starts_with('=');
  if (!has_value && !text.empty()) text.remove_prefix(1);
  for (bool first = has_value; !text.empty(); first = false) {
    const std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(item.size() + 1, text.size()));
    const std::size_t equals = item.find('=');
    const std::string_view parameter = item.substr(0, equals);
    if (equals == item.npos || (equals == 0 && !first)) {
      return refuse(form, fmt::format("'{}' is no PARAMETER=VALUE", item));
    }
    const auto found = std::ranges::find(form.parameters, parameter, &Parameter::name);
    if (found == form.parameters.end()) {
      return refuse(form, parameter.empty() ? fmt::format("{} takes no value", form.name)
                                            : fmt::format("{} has no parameter '{}'", form.name, parameter));
    }
    if (std::ranges::find(given, &*found) != given.end()) {
      return refuse(form, fmt::format("'{}' is given twice", item));
    }
    given.push_back(&*found);
    if (const Problem problem = found->set(item.substr(equals + 1), rule); !problem.empty()) {
      return refuse(form, problem);
    }
  }
  for (const Parameter& p : form.parameters) {
    if (p.required && std::ranges::find(given, &p) == given.end()) {
      return refuse(form, fmt::format("{} needs a value", form.name));
    }
  }
  return {};
}

Result<void> Reader::read_frequency(std::string_view text) {
  const KindForm& form = form_of(rule.kind);
  if (rule.operations == 0) return refuse(form, "a freeze follows the clock, not the requests");
  const std::size_t equals = std::min(text.find('='), text.size());
  const std::string_view frequency = text.substr(0, equals);
  const std::string_view value = text.substr(std::min(equals + 1, text.size()));
  if (frequency == "p") {
    if (parse_number(value, rule.probability) && rule.probability >= 0 && rule.probability <= 1) return {};
    return refuse(form, fmt::format("'{}' is no probability from 0 to 1", value));
  }
  if (frequency == "every") {
    if (parse_number(value, rule.every) && rule.every > 0) return {};
    return refuse(form, fmt::format("'{}' is no whole number above 0", value));
  }
  return refuse(form, fmt::format("'{}' says not how often (p=PROBABILITY or every=N)", text));
}

}  // namespace

std::string_view name(FaultKind kind) {
  return form_of(kind).name;
}

Result<FaultRule> parse_fault(std::string_view spec) {
  Reader reader{.spec = spec, .rule = {.spec = std::string(spec)}};
  std::vector<std::string_view> fields;
  for (std::string_view rest = spec;;) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    fields.push_back(rest.substr(0, end));
    if (end == rest.size()) break;
    rest.remove_prefix(end + 1);
  }
  if (const auto read = reader.read_operation(fields[0]); !read) return std::unexpected(read.error());
  if (fields.size() < 2) return reader.refuse("it has to name an operation and a fault");
  if (const auto read = reader.read_kind(fields[1]); !read) return std::unexpected(read.error());
  if (fields.size() > 3) return reader.refuse(form_of(reader.rule.kind), "it says how often more than once");
  if (fields.size() == 3) {
    if (const auto read = reader.read_frequency(fields[2]); !read) return std::unexpected(read.error());
  }
  return std::move(reader.rule);
}

std::string describe_faults() {
  std::string out;
  for (const KindForm& form : forms()) {
    const std::string operations = form.operations == every_operation ? "any operation"
                                   : form.operations == 0             ? "*"
                                                                      : operations_text(form.operations);
    const std::string pattern = pattern_of("", form);
    out += fmt::format("  {} ({})\n      {}\n", pattern.substr(1), operations, form.meaning);
  }
  return out;
}

}  // namespace s3lt::server
