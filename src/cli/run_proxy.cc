#include "cli/run_proxy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/log.h"
#include "cli/console.h"
#include "cli/proxy_needs.h"
#include "cli/proxy_request.h"
#include "process/listening_process.h"
#include "process/process_use.h"
#include "process/s3pool_keeper.h"

namespace s3lt {
namespace {

constexpr auto look_every = std::chrono::milliseconds(200);
// Which process listens is told by all of /proc.
constexpr auto search_every = std::chrono::seconds(1);

bool is_loopback(const std::string& ip) {
  return ip.starts_with("127.") || ip == "::1";
}

// Ways to die, that are told: with a random name in each there is no end of them.
constexpr std::size_t most_reasons = 8;

// The time since `since`, which is over.
void add_to(double& seconds, std::optional<TimePoint>& since) {
  if (since) seconds += to_seconds(now() - *since);
  since.reset();
}

}  // namespace

Result<std::unique_ptr<RunProxy>> RunProxy::start(const Settings& settings, const RunFlags& flags) {
  const auto addresses = proxy_addresses(settings);
  if (!addresses) return std::unexpected(addresses.error());
  const std::string ip = ip_text(addresses->front()), address = address_text(ip, settings.proxy.port);
  if (flags.no_proxy) {
    std::unique_ptr<RunProxy> proxy(new RunProxy({}, address));
    proxy->record_ = {.address = address, .log = {}, .ours = false};
    proxy->ip_ = ip;
    proxy->port_ = settings.proxy.port;
    proxy->use_.pid = listening_process(ip, settings.proxy.port).pid;
    proxy->look();
    return proxy;
  }
  const auto program = s3pool_program(settings);
  if (!program) return std::unexpected(program.error());
  if (!is_loopback(ip)) {
    log_warning(fmt::format(
        "s3pool at {} asks nobody for a key: who reaches that address reaches the storage", address));
  }
  S3poolRequest request = s3pool_request(settings, flags, *program, ip);
  auto lease = S3poolLease::take(address, request, keeper_of(address));
  if (!lease) return std::unexpected(problem_with_s3pool(lease.error(), address, request));
  request.restart = false;  // of what follows
  log_info(fmt::format("s3pool at {}: process {}{}, log {}", address, lease->pid(),
                       lease->shared() ? ", started by another run" : "", lease->log().string()));
  std::unique_ptr<RunProxy> proxy(new RunProxy(std::move(request), address));
  proxy->adopt(std::move(*lease));
  std::set<std::string> endpoints;
  for (const Endpoint& endpoint : settings.endpoints) endpoints.insert(endpoint.url());
  proxy->endpoints_ = endpoints.size();
  proxy->look();
  return proxy;
}

RunProxy::~RunProxy() {
  end();
}

Result<void> RunProxy::first_questions(const std::function<Result<void>()>& ask) {
  if (stopped_at_) {
    return unavailable(fmt::format(
        "s3pool at {} (process {}) is stopped (state T: by SIGSTOP or a debugger); SIGCONT lets it go on",
        address_, use_.pid));
  }
  Result<void> ready = ask();
  catch_up();
  if (new_one_gave_up_all()) {
    log_warning("s3pool gave up every endpoint of the storage at the first questions; it is started anew");
    if (const auto started = start_anew(); !started) return started;
    ready = ask();
    catch_up();
    if (ready && new_one_gave_up_all()) {
      ready = unavailable(
          fmt::format("s3pool at {} reaches no endpoint of the storage (it gave up every one, and did so "
                      "again when it was started anew): {}; check that the storage runs, and S3_ENDPOINTS",
                      address_, fmt::join(gave_up_, ", ")));
    }
  }
  if (ready) watch_ = std::thread([this] { watch(); });
  return ready;
}

// All that has happened until now is known behind it.
void RunProxy::catch_up() {
  constexpr auto patience = std::chrono::seconds(2);
  if (!lease_) return;
  lease_->look();
  take_what_comes(now() + patience);
}

// One that others use is not ours to start anew.
bool RunProxy::new_one_gave_up_all() {
  const std::lock_guard lock(mutex_);
  return lease_ && !lease_->shared() && !others_ && gave_up_all();
}

Result<void> RunProxy::start_anew() {
  lease_->give_back();
  lease_.reset();
  auto lease = S3poolLease::take(address_, request_, keeper_of(address_));
  if (!lease) return std::unexpected(problem_with_s3pool(lease.error(), address_, request_));
  const std::lock_guard lock(mutex_);
  others_ = false;
  gave_up_.clear();
  news_.clear();
  adopt(std::move(*lease));
  return {};
}

void RunProxy::adopt(S3poolLease lease) {
  record_ = {.address = address_, .log = lease.log().string()};
  use_ = {.pid = lease.pid()};
  lease_.emplace(std::move(lease));
}

void RunProxy::begin() {
  look();
  const std::lock_guard lock(mutex_);
  cpu_before_ = 0;
  use_.at_first = use_.latest;
  record_.deaths = record_.starts = record_.own_answers = 0;
  record_.down_seconds = record_.stopped_seconds = 0;
  record_.stopped_pid = stopped_at_ ? use_.pid : 0;
  if (stopped_at_) stopped_at_ = now();
  // Of one that is away the last way of dying still says why.
  auto& died = record_.how_it_died;
  died.erase(died.begin(), down_at_ && !died.empty() ? died.end() - 1 : died.end());
  if (down_at_) down_at_ = now();
  record_.shared = others_;
  record_.gave_up = gave_up_;
  record_.gave_up_all = gave_up_all();
  if (measured_) measured_ = until_now();  // stopped in the warm-up: nothing was measured
}

void RunProxy::stop_counting() {
  look();
  const std::lock_guard lock(mutex_);
  if (measured_) return;
  measured_ = until_now();
  awaited_ = down_at_.has_value();
}

ProxyRecord RunProxy::until_now() const {
  ProxyRecord record = record_;
  if (down_at_) record.down_seconds += to_seconds(now() - *down_at_);
  if (stopped_at_) record.stopped_seconds += to_seconds(now() - *stopped_at_);
  record.cpu_seconds = cpu_before_ + use_.latest - use_.at_first;
  return record;
}

std::vector<std::string> RunProxy::take_news() {
  const std::lock_guard lock(mutex_);
  return std::exchange(news_, {});
}

ProxyRecord RunProxy::end() {
  over_ = true;
  if (watch_.joinable()) watch_.join();
  take_what_comes(now());
  stop_counting();
  if (lease_) lease_->give_back();
  lease_.reset();
  const std::lock_guard lock(mutex_);
  ProxyRecord record = *measured_;
  record.max_rss_bytes = record_.max_rss_bytes;
  record.gave_up = record_.gave_up;
  record.gave_up_all = record_.gave_up_all;
  return record;
}

void RunProxy::watch() {
  TimePoint next_search{};
  while (!over_) {
    if (lease_) {
      if (const auto event = lease_->next(now() + look_every)) take(*event);
    } else {
      std::this_thread::sleep_for(look_every);
      if (now() >= next_search) {
        find_another();
        next_search = now() + search_every;
      }
    }
    look();
  }
}

// One of others that ended may have been started again by them.
void RunProxy::find_another() {
  {
    const std::lock_guard lock(mutex_);
    if (!gone_) return;
  }
  const pid_t pid = listening_process(ip_, port_).pid;
  if (pid == 0) return;
  const std::lock_guard lock(mutex_);
  gone_ = false;
  cpu_before_ += use_.latest - use_.at_first;
  use_ = {.pid = pid};
  say(fmt::format("s3pool is there again: process {}", pid));
}

// Until the deadline, or the keeper has told all.
void RunProxy::take_what_comes(TimePoint deadline) {
  using Kind = S3poolLease::Event::Kind;
  while (lease_) {
    const auto event = lease_->next(deadline);
    if (!event && now() >= deadline) return;
    if (!event) continue;
    // That the keeper is gone comes again, to whom it matters.
    if (event->kind == Kind::looked || event->kind == Kind::keeper_gone) return;
    take(*event);
  }
}

void RunProxy::say(std::string news) {
  news_.push_back(std::move(news));
}

void RunProxy::take(const S3poolLease::Event& event) {
  using Kind = S3poolLease::Event::Kind;
  if (event.kind == Kind::keeper_gone) {
    {
      const std::lock_guard lock(mutex_);
      add_to(record_.stopped_seconds, stopped_at_);
      if (!down_at_) {
        ++record_.deaths;
        down_at_ = now();
        record_.how_it_died.emplace_back("went with its keeper, which was killed");
      }
      say("the keeper of s3pool was killed, and s3pool with it; both are started again");
    }
    return ask_again();
  }
  const std::lock_guard lock(mutex_);
  if (event.kind == Kind::users) {
    others_ = event.text != "1";
    record_.shared = record_.shared || others_;
  } else if (event.kind == Kind::gave_up) {
    if (std::ranges::find(gave_up_, event.text) != gave_up_.end()) return;
    gave_up_.push_back(event.text);
    record_.gave_up_all = record_.gave_up_all || gave_up_all();
    if (std::ranges::find(record_.gave_up, event.text) == record_.gave_up.end())
      record_.gave_up.push_back(event.text);
    say(fmt::format("s3pool takes {} for unhealthy, and may use it no more", event.text));
  } else if (event.kind == Kind::ended) {
    add_to(record_.stopped_seconds, stopped_at_);
    // It may end several times on its way back.
    if (!down_at_) {
      down_at_ = now();
      ++record_.deaths;
    }
    const bool is_new = std::ranges::find(record_.how_it_died, event.text) == record_.how_it_died.end();
    if (is_new && record_.how_it_died.size() < most_reasons) record_.how_it_died.push_back(event.text);
    const bool died = event.text.starts_with("was ") || event.text.starts_with("ended ");
    say(fmt::format("s3pool {}; {}", event.text, died ? "it is started again" : "that is tried again"));
  } else if (event.kind == Kind::ready) {
    ++record_.starts;
    if (std::exchange(awaited_, false)) ++measured_->starts;
    gave_up_.clear();
    add_to(record_.down_seconds, down_at_);
    cpu_before_ += use_.latest - use_.at_first;
    use_ = {.pid = lease_->pid()};
    say(fmt::format("s3pool is there again: process {}", lease_->pid()));
  }
}

// With a keeper anew, as often as it takes.
void RunProxy::ask_again() {
  std::string said;
  for (unsigned failures = 1; !over_; ++failures) {
    auto lease = S3poolLease::take(address_, request_, keeper_of(address_));
    if (lease) {
      lease_.emplace(std::move(*lease));
      return take({S3poolLease::Event::Kind::ready, {}});
    }
    if (std::string why = problem_with_s3pool(lease.error(), address_, request_).message; why != said) {
      const std::lock_guard lock(mutex_);
      say(fmt::format("no new s3pool yet: {}", said = std::move(why)));
    }
    const TimePoint again = now() + restart_delay(failures);
    while (!over_ && now() < again) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

void RunProxy::look() {
  const std::lock_guard lock(mutex_);
  const auto use = use_.pid > 0 ? use_of_process(use_.pid) : std::nullopt;
  if (!use || (use_.start_ticks != 0 && use->start_ticks != use_.start_ticks)) {
    add_to(record_.stopped_seconds, stopped_at_);
    if (!record_.ours && use_.start_ticks != 0 && !std::exchange(gone_, true))
      say(fmt::format("s3pool (process {}) has ended", use_.pid));
    return;
  }
  use_.start_ticks = use->start_ticks;
  record_.observed = true;
  if (use->stopped && !stopped_at_) {
    stopped_at_ = now();
    record_.stopped_pid = use_.pid;
    say(fmt::format("s3pool (process {}) is stopped (state T); SIGCONT lets it go on", use_.pid));
  } else if (!use->stopped && stopped_at_) {
    add_to(record_.stopped_seconds, stopped_at_);
    say(fmt::format("s3pool (process {}) goes on", use_.pid));
  }
  use_.latest = use->cpu_seconds;
  record_.max_rss_bytes = std::max(record_.max_rss_bytes, static_cast<double>(use->peak_rss_bytes));
}

int keep_s3pool_command(const std::vector<std::string>& words) {
  std::uint16_t port = 0;
  const std::size_t colon = words.size() == 1 ? words[0].rfind(':') : std::string::npos;
  if (colon == std::string::npos ||
      std::from_chars(words[0].data() + colon + 1, words[0].data() + words[0].size(), port).ec != std::errc())
    return fail_usage("keep-s3pool is for runs of backend proxy to start");
  std::string ip = words[0].substr(0, colon);
  if (ip.starts_with('[')) ip = ip.substr(1, ip.size() - 2);
  return keep_s3pool(ip, port);
}

}  // namespace s3lt
