#include "engine/hash_queue.h"

#include <algorithm>
#include <tuple>

namespace s3lt {

void HashQueue::serve_soon() {
  if (serving_ || waiting_.empty()) return;
  serving_ = true;
  loop_.post([this] { serve(); });
}

std::vector<HashQueue::Waiting>::iterator HashQueue::next() {
  return std::ranges::min_element(waiting_, {}, [this](const Waiting& w) {
    const std::size_t patterns = by_age_.size();
    const std::size_t after_last = (w.pattern + patterns - last_pattern_ - 1) % patterns;
    return std::tuple(after_last, by_age_[w.pattern] ? w.arrival : w.left, w.arrival);
  });
}

void HashQueue::serve() {
  const auto chosen = next();
  const Waiting now_served = *chosen;
  *chosen = waiting_.back();
  waiting_.pop_back();
  last_pattern_ = now_served.pattern;
  by_age_[now_served.pattern].flip();
  serving_ = false;
  now_served.who.resume();
  serve_soon();
}

}  // namespace s3lt
