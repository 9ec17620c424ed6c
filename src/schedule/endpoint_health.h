// Which addresses of an endpoint answer, as the clients of one thread find out. An address whose connection
// was refused, reset or never came about is suspect for a growing while: clients go round it. Then one of
// them tries it, a probe, and the others go on round it until that one has an answer. One that nobody knows
// yet is tried by one client alone, too: a node that swallows what it is sent holds one client of a thread,
// and not all of them. Time comes in as an argument. Belongs to its thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "schedule/retry.h"

namespace s3lt {

class EndpointHealth {
 public:
  explicit EndpointHealth(std::size_t addresses) : addresses_(addresses) {}

  std::size_t addresses() const { return addresses_.size(); }
  bool is_fine(std::size_t address) const { return addresses_[address].state == State::fine; }
  // Whether an operation should go there now.
  bool takes(TimePoint t) const;
  // It takes no operation only because the first that it was ever sent is still under way.
  bool is_first_met() const;
  // No address is left to try for now: all are suspect, and none is due for a probe.
  bool is_hopeless(TimePoint t) const;
  // Where to connect: to `preferred`, or to the next address that takes a connection; where none does, to
  // `preferred` all the same.
  std::size_t choose(std::size_t preferred, TimePoint t) const;

  // An attempt, with or without a connect, begins there now …
  void tries(std::size_t address, TimePoint t);
  // … and got an answer, whatever it said: the address is as good as any;
  void answered(std::size_t address, TimePoint t) {
    if (!is_fine(address)) recover(addresses_[address], t);
  }
  // … or got none, or no connection. `began` is when it began: what took long to fail is left alone for
  // longer.
  void failed(std::size_t address, TimePoint began, TimePoint t);
  // … or was given up before it told anything.
  void withdrew(std::size_t address) { addresses_[address].tried = false; }

  struct Figures {
    std::uint64_t suspicions = 0;  // how often the last of its addresses became suspect
    std::uint64_t probes = 0;      // attempts at a suspect address
    Duration suspect{};            // how long all of them were
    bool operator==(const Figures&) const = default;
  };
  // Since the last call.
  Figures take(TimePoint t);
  // The same of one address, whatever the others do.
  Figures take_of(std::size_t address, TimePoint t);

  static constexpr Duration longest_while = std::chrono::seconds(30);

 private:
  enum class State : std::uint8_t { unknown, fine, suspect };
  struct Address {
    State state = State::unknown;
    bool tried = false;  // by the one client that may, while it is unknown or suspect
    TimePoint until{};   // suspect: the end of its while
    Backoff backoff;
    std::optional<TimePoint> since;  // suspect; counted up to here
    Figures figures;
    bool takes(TimePoint t) const {
      return state == State::fine || (!tried && (state == State::unknown || t >= until));
    }
  };
  static Figures take(Figures& figures, std::optional<TimePoint>& since, TimePoint t);
  void recover(Address& address, TimePoint t);

  std::vector<Address> addresses_;
  std::optional<TimePoint> suspect_since_;  // all addresses are; counted up to here
  Figures figures_;
};

}  // namespace s3lt
