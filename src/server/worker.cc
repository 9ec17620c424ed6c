#include "server/worker.h"

#include "server/connection.h"

namespace s3lt::server {

ServerStats Shared::stats() const {
  ServerStats sum;
  for (const auto& t : tallies) sum.add(*t);
  for (const auto& bucket : store.buckets()) {
    const Bucket::Totals totals = bucket->totals();
    sum.objects += totals.objects;
    sum.recognised += totals.recognised;
    sum.uploads += totals.uploads;
  }
  sum.bytes_kept = store.capacity().used();
  sum.capacity = store.capacity().limit();
  return sum;
}

Worker::Worker(Shared& shared_state, Tallies& own, std::uint64_t seed)
    : shared(shared_state),
      tallies(own),
      context(seed),
      authenticator(shared.credentials, shared.region),
      buckets(shared.store),
      scratch(scratch_size),
      pieces(ContentGather::max_pieces + 2) {}

Task<void> Worker::run(int fd, std::uint64_t number) {
  {
    Connection connection(*this, fd, number);
    connections.insert(&connection);
    tallies.accepted.add(1);
    co_await connection.run();
    connections.erase(&connection);
    tallies.closed.add(1);
  }
  stop_if_idle();
}

void Worker::serve(int fd, std::uint64_t number) {
  spawn(run(fd, number));
}

void Worker::begin_stop() {
  stopping = true;
  for (Connection* c : connections) c->finish();
  stop_if_idle();
}

void Worker::cut() {
  for (Connection* c : connections) c->cancel();
}

void Worker::stop_if_idle() {
  if (stopping && connections.empty()) loop.stop();
}

}  // namespace s3lt::server
