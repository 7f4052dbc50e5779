// SPDX-License-Identifier: Apache-2.0
/// `gerrit stream-events` over the system's ssh program (Documentation/cmd-stream-events): a wake-up, never the truth.
///
/// Gerrit replays nothing after a reconnect, so whatever an event says is read again by a poll. After each connect one wake with an
/// empty project is given, for what was missed. A connection that ends is tried again, later and later; each new reason is logged once.
/// An account without the capability Stream Events is asked again at the longest interval only.
/// Does not: keep events. Threads: one of its own, which calls `wake`; stop() and the destructor join it.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "os/fd.h"

namespace bowsprit::gerrit {

struct StreamOptions {
  std::string host;
  int port = 29418;
  std::string user;
  std::filesystem::path key_file;     ///< empty: what ssh finds by itself
  std::filesystem::path known_hosts;  ///< empty: the user's own
  std::string ssh_program = "ssh";
  milliseconds first_retry{1'000};
  milliseconds longest_retry{60'000};
};

struct Event {
  std::string type;  ///< "patchset-created", "comment-added", ...; empty: connected again
  std::string project;
  std::string branch;
  std::string ref;  ///< refs/changes/01/1/2, or the ref that was updated
  int change = 0;
};
/// An event's line; nullopt where it is no JSON object with a type.
std::optional<Event> parse_event(std::string_view line);

class EventStream {
 public:
  using Wake = std::function<void(const Event&)>;
  EventStream(StreamOptions options, Wake wake);
  ~EventStream();
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;
  [[nodiscard]] bool connected() const { return connected_; }

 private:
  void loop();
  /// One connection, to its end; the last line that ssh said on stderr.
  std::string listen();
  void take(std::string_view line);
  bool pause(milliseconds time);  ///< false: stop

  StreamOptions options_;
  Wake wake_;
  Pipe stop_;
  std::atomic<bool> connected_{false};
  std::thread thread_;
};

}  // namespace bowsprit::gerrit
