// SPDX-License-Identifier: Apache-2.0
/// A queue of messages to one thread. The threads of the server share nothing else.
/// Threads: push from any; pop from the one that owns the loop.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace bowsprit {

template <class T>
class Channel {
 public:
  void push(T message) {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(message));
    }
    ready_.notify_one();
  }

  /// The oldest message, or nullopt when none came until `deadline`.
  std::optional<T> pop_until(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    if (!ready_.wait_until(lock, deadline, [&] { return !queue_.empty(); })) return std::nullopt;
    T message = std::move(queue_.front());
    queue_.pop_front();
    return message;
  }

 private:
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<T> queue_;
};

}  // namespace bowsprit
