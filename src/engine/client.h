// A client: one logical user of the storage, with one operation in flight and one random stream. A
// coroutine on its thread's loop that decides what to do and when; its performer does it. Nothing on this
// path locks, logs or reads a file.
#pragma once

#include <optional>

#include "base/random.h"
#include "engine/load_thread.h"
#include "engine/performer.h"

namespace s3lt {

class Client {
 public:
  Client(LoadThread& thread, PatternShare& share, std::uint64_t index);

  // Operations until the thread stops or the budget is spent.
  Task<void> run();
  // PUTs, one after another, while the share has prefill left; not recorded.
  Task<void> prefill();

  void wake();  // ends a pause between operations
  void cut();   // ends whatever waits here, once the thread is cut

 private:
  // When (client_pace.cc).
  Task<bool> await_turn();
  bool is_over() const;
  Task<bool> await_intended_start();
  void enter_phase(TimePoint t);
  Task<void> await_keys();
  Task<void> pause(TimePoint until);

  // What.
  Task<void> work();
  std::optional<Step> next();
  Step put_step(std::uint32_t size_class, std::uint64_t suffix, bool seeded);
  Task<Outcome> perform(const Step& step);
  void settle(const Step& step, const Performed& done);
  void uncertain(const Step& step);
  Task<void> trim();
  // Deleting page by page (client_sweep.cc).
  Task<void> sweep();
  Task<bool> list_next_page(Sweep& sweep, std::vector<std::string>& keys);
  Task<Outcome> delete_page(std::vector<std::string>& keys);
  void note_all(KeyFate fate, std::span<const std::string_view> keys);
  // Where a storage takes no more (client_pace.cc).
  void hold_writes();
  Task<bool> make_way(Step& step);

  LoadThread& thread_;
  PatternShare& share_;
  Random choices_;  // what to do: the same number of draws for every operation, so that --seed fixes them
  Random filling_;  // of the prefill
  Performer performer_;
  Timer timer_;
  bool pausing_ = false;  // between operations
  Phase phase_;
  TimePoint phase_end_{};                // none is known yet
  const WeightedChoice* mix_ = nullptr;  // of the phase
  TimePoint next_start_{};               // of a paced client
  TimePoint intended_{};                 // of the operation that begins, in an open loop
  Duration key_wait_{};
  std::string token_;                          // of the next page of its own listing
  std::optional<std::uint64_t> pass_done_in_;  // the cycle in which that listing came to its end
  Backoff list_backoff_;
  // A storage that is full, or lets nothing be deleted, gets no write before this time; {}: no such time.
  TimePoint writes_held_until_{};
  Backoff write_backoff_;
  unsigned refused_trims_ = 0;  // in a row
};

}  // namespace s3lt
