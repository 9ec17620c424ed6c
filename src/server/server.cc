#include "server/server.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <random>
#include <thread>

#include "net/stream.h"
#include "server/freezer.h"
#include "server/worker.h"

namespace s3lt::server {
namespace {

constexpr auto stop_grace = std::chrono::seconds(2);

bool asks_for_former(const std::vector<FaultRule>& faults) {
  return std::ranges::find(faults, FaultKind::stale, &FaultRule::kind) != faults.end();
}

}  // namespace

struct Server::Impl {
  explicit Impl(ServerOptions options)
      : shared{.credentials = options.credentials,
               .region = options.region,
               .store = ObjectStore(options.capacity, asks_for_former(options.faults)),
               .pool = options.pool,
               .faults = FaultPlan(std::move(options.faults), options.fault_seed),
               .tls = {},
               .record = {},
               .tallies = {}} {}

  Task<void> accept_all(std::optional<Listener>& listener);
  void run(Worker& worker);

  Shared shared;
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<ListenAddress> addresses;
  std::deque<std::optional<Listener>> listeners;  // of the first worker's loop
  std::size_t accepting = 0;                      // listeners
  std::uint64_t accepted = 0;
  std::optional<Freezer> freezer;
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::condition_variable ended;
  std::size_t running = 0;
};

// Hands connections to the threads in turn, so that few of them spread evenly.
Task<void> Server::Impl::accept_all(std::optional<Listener>& listener) {
  for (;;) {
    const int fd = co_await listener->accept();
    if (fd < 0) break;
    Worker& worker = *workers[accepted++ % workers.size()];
    worker.loop.post([&worker, fd, number = accepted] {
      if (worker.stopping) {
        ::close(fd);
      } else {
        worker.serve(fd, number);
      }
    });
  }
  // Closed, the port refuses; open, it would keep whoever connects waiting.
  listener.reset();
  if (--accepting > 0) co_return;
  // Only now may the loops end: this one still held the coroutines that wait for connections.
  for (auto& worker : workers) worker->loop.post([w = worker.get()] { w->begin_stop(); });
}

void Server::Impl::run(Worker& worker) {
  worker.loop.run();
  const std::lock_guard lock(mutex);
  --running;
  ended.notify_all();
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() {
  stop();
}

Result<std::unique_ptr<Server>> Server::start(ServerOptions options) {
  for (const std::string& bucket : options.buckets) {
    if (!is_bucket_name(bucket)) {
      return usage_error(
          fmt::format("bucket '{}' is no valid name: use 3 to 63 of a-z, 0-9, '.' and '-', beginning and "
                      "ending with a letter "
                      "or digit",
                      bucket));
    }
  }
  if (!options.pool) options.pool = std::make_shared<const ContentPool>(ContentPool::full_size);
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  const unsigned threads = options.threads == 0 ? cores : options.threads;
  const ServerOptions given = options;
  auto impl = std::make_unique<Impl>(std::move(options));
  if (given.tls_certificate.empty() != given.tls_key.empty()) {
    return usage_error("--tls-cert and --tls-key go together: give both, or neither for plain HTTP");
  }
  if (!given.tls_certificate.empty()) {
    auto tls = TlsServer::create(given.tls_certificate, given.tls_key);
    if (!tls) return usage_error(fmt::format("cannot serve TLS: {}", tls.error()));
    impl->shared.tls = std::move(*tls);
  }
  if (!given.record.empty()) {
    auto record = RecordFile::open(given.record);
    if (!record) return std::unexpected(record.error());
    impl->shared.record = std::move(*record);
  }
  const std::int64_t created =
      std::chrono::floor<std::chrono::seconds>(wall_now()).time_since_epoch().count();
  for (const std::string& bucket : given.buckets) impl->shared.store.create(bucket, created);

  std::random_device entropy;
  for (unsigned i = 0; i < threads; ++i) {
    impl->shared.tallies.push_back(std::make_unique<Tallies>());
    const std::uint64_t seed = static_cast<std::uint64_t>(entropy()) << 32 | entropy();
    impl->workers.push_back(std::make_unique<Worker>(impl->shared, *impl->shared.tallies.back(), seed));
  }
  for (const auto& [host, port] : given.listen) {
    auto listener = Listener::open(impl->workers[0]->loop, host, port, given.send_buffer);
    if (!listener) {
      return unavailable(
          fmt::format("cannot listen on {}:{}: {}; choose another --listen HOST:PORT (port 0 finds a "
                      "free one)",
                      host, port, listener.error()));
    }
    impl->addresses.push_back({host, listener->port()});
    impl->listeners.emplace_back(std::move(*listener));
  }
  impl->accepting = impl->listeners.size();
  impl->running = threads;
  Impl* const self = impl.get();
  std::vector<Loop*> loops;
  for (auto& worker : impl->workers) loops.push_back(&worker->loop);
  impl->freezer.emplace(std::move(loops), impl->shared.faults);
  impl->workers[0]->loop.post([self] {
    for (auto& listener : self->listeners) spawn(self->accept_all(listener));
  });
  for (auto& worker : impl->workers) impl->threads.emplace_back([self, w = worker.get()] { self->run(*w); });
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

void Server::stop() {
  if (impl_->threads.empty()) return;
  impl_->freezer->stop();
  impl_->workers[0]->loop.post([this] {
    for (auto& listener : impl_->listeners) {
      if (listener) listener->cancel();
    }
  });
  {
    std::unique_lock lock(impl_->mutex);
    if (!impl_->ended.wait_for(lock, stop_grace, [this] { return impl_->running == 0; })) {
      for (auto& worker : impl_->workers) worker->loop.post([w = worker.get()] { w->cut(); });
    }
  }
  for (std::thread& thread : impl_->threads) thread.join();
  impl_->threads.clear();
}

std::uint16_t Server::port() const {
  return impl_->addresses.front().port;
}
std::vector<std::string> Server::endpoints() const {
  std::vector<std::string> urls;
  for (const auto& [host, port] : impl_->addresses) {
    const bool v6 = host.find(':') != std::string::npos;
    urls.push_back(fmt::format("{}://{}{}{}:{}", impl_->shared.tls ? "https" : "http", v6 ? "[" : "", host,
                               v6 ? "]" : "", port));
  }
  return urls;
}
ServerStats Server::stats() const {
  return impl_->shared.stats();
}
Result<void> Server::recorded() const {
  return impl_->shared.record ? impl_->shared.record->result() : Result<void>();
}
std::vector<FaultPlan::Count> Server::faults() const {
  return impl_->shared.faults.counts();
}

}  // namespace s3lt::server
