// SPDX-License-Identifier: Apache-2.0
#include "web/event_feed.h"

#include "base/log.h"
#include "web/api.h"

namespace bowsprit::web {
namespace {
constexpr milliseconds kPause{250};
constexpr int kBatch = 500;
}  // namespace

std::vector<EventFeed::Step> EventFeed::steps_after(std::int64_t id) {
  std::vector<Step> steps;
  const auto events = store_.events_after(id, kBatch);
  if (!events) {
    log_warn("web", "read events: {}", events.error().text());
    return steps;
  }
  for (const auto& event : *events) {
    auto run = store_.run(event.run);
    if (!run || !*run) continue;
    steps.push_back({std::move(**run), event.id, ""});
    steps.back().text = dump_json(event_json(event, steps.back().run));
  }
  return steps;
}

void EventFeed::add(net::EventStream stream, Filter filter, std::optional<std::int64_t> seen) {
  if (listeners_.empty()) last_ = store_.last_event().value_or(last_);
  while (seen && *seen < last_) {
    const auto steps = steps_after(*seen);
    if (steps.empty()) break;
    for (const auto& step : steps) {
      seen = step.id;
      if (step.id <= last_ && filter.wants(step.run)) stream.send("run", step.text, fmt::to_string(step.id));
    }
  }
  stream.send("hello", fmt::format("{{\"last\":{}}}", last_), fmt::to_string(last_));
  listeners_.push_back({std::move(stream), filter});
  if (!polling_) {
    polling_ = true;
    server_.post([this] { poll(); }, kPause);
  }
}

void EventFeed::poll() {
  listeners_.remove_if([](const Listener& listener) { return !listener.stream.is_open(); });
  if (listeners_.empty()) {
    polling_ = false;
    return;
  }
  for (const auto& step : steps_after(last_)) {
    last_ = step.id;
    for (const auto& listener : listeners_)
      if (listener.filter.wants(step.run)) listener.stream.send("run", step.text, fmt::to_string(step.id));
  }
  server_.post([this] { poll(); }, kPause);
}

}  // namespace bowsprit::web
