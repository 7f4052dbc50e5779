// SPDX-License-Identifier: Apache-2.0
/// Sends the steps of runs to whoever listens (/api/v1/events). It reads them from the store's event table a few times
/// a second, only while somebody listens: so it sees what any thread or process wrote, in order, and a listener that
/// was away gets what it missed by its Last-Event-ID. Threads: the web server's own.
///
/// Events: "hello" at the start, with the id from which to go on; then "run", one per step, as event_json has it.
#pragma once

#include <list>

#include "net/http_server.h"
#include "store/store.h"

namespace bowsprit::web {

class EventFeed {
 public:
  /// What a listener wants; nothing set: all.
  struct Filter {
    std::optional<std::int64_t> run;
    std::optional<std::int64_t> change;
    [[nodiscard]] bool wants(const store::Run& of) const {
      return (!run || *run == of.id) && (!change || *change == of.change);
    }
  };

  EventFeed(store::Store& store, net::HttpServer& server) : store_(store), server_(server) {}
  /// `seen`: id of the last event that the listener has.
  void add(net::EventStream stream, Filter filter, std::optional<std::int64_t> seen);
  [[nodiscard]] std::size_t listeners() const { return listeners_.size(); }

 private:
  struct Listener {
    net::EventStream stream;
    Filter filter;
  };
  void poll();
  /// The next events after an id with their texts, run by run.
  struct Step {
    store::Run run;
    std::int64_t id;
    std::string text;
  };
  std::vector<Step> steps_after(std::int64_t id);

  store::Store& store_;
  net::HttpServer& server_;
  std::list<Listener> listeners_;
  std::int64_t last_ = 0;
  bool polling_ = false;
};

}  // namespace bowsprit::web
