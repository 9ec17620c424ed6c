// The key journals of all workers whose objects a command may delete: told of it, so that no run reads on
// what is gone. Used by one thread.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"
#include "engine/plan.h"
#include "journal/key_journal.h"

namespace s3lt {

class KeyJournals {
 public:
  // Joins those in the key directory that hold keys of this bucket under `prefix`. One that cannot be joined
  // is warned of. Where a process uses one, that is warned of too, and waited for until it knows.
  KeyJournals(const Settings& settings, const RunPlan& plan, const std::string& prefix);

  // These objects are gone.
  void deleted(std::span<const std::string> keys);
  // Nothing is left under the prefix but what is none of ours: what the journals still name is gone too.
  void all_deleted();
  bool in_use() const { return in_use_; }

 private:
  struct One {
    std::string stem;  // `{prefix}{worker}/`
    std::unique_ptr<KeyJournal> journal;
  };
  void append(One& one, std::span<const KeyEvent> events);
  KeyClasses classes_;
  std::vector<One> journals_;
  std::string prefix_;
  bool in_use_ = false;
};

}  // namespace s3lt
