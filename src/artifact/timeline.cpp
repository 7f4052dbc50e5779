// SPDX-License-Identifier: Apache-2.0
#include "artifact/timeline.h"

#include "base/json.h"

namespace bowsprit::artifact {
namespace {

std::int64_t micros(SteadyTime from, SteadyTime to) {
  return std::chrono::duration_cast<std::chrono::microseconds>(to - from).count();
}

}  // namespace

void Timeline::add(Event event) {
  if (counts_[static_cast<std::size_t>(event.track)]++ < kMaxEvents) events_.push_back(std::move(event));
}

void Timeline::phase(std::string_view name, SteadyTime begin, SteadyTime end, std::string_view note) {
  add({Track::phases, std::string(name), std::string(note), begin, end});
}

void Timeline::step(std::string_view object, SteadyTime at) {
  end_steps(at);
  const auto before = events_.size();
  add({Track::steps, std::string(object), {}, at, at});
  step_open_ = events_.size() > before;
  open_step_ = before;
}

void Timeline::end_steps(SteadyTime at) {
  if (step_open_) events_[open_step_].end = at;
  step_open_ = false;
}

void Timeline::test(std::string_view name, std::string_view status, SteadyTime at) {
  add({Track::tests, std::string(name), std::string(status), at, at});
}

std::string Timeline::json() const {
  Json list = Json::array();
  for (const auto& [track, name] :
       {std::pair{Track::phases, "phases"}, {Track::steps, "build steps"}, {Track::tests, "tests"}})
    list.push_back({{"ph", "M"},
                    {"name", "thread_name"},
                    {"pid", 1},
                    {"tid", static_cast<int>(track)},
                    {"args", {{"name", name}}}});
  for (const auto& event : events_) {
    Json one{
        {"name", event.name}, {"pid", 1}, {"tid", static_cast<int>(event.track)}, {"ts", micros(start_, event.begin)}};
    if (event.track == Track::tests) {
      one["ph"] = "i";
      one["s"] = "t";
    } else {
      one["ph"] = "X";
      one["dur"] = micros(event.begin, event.end);
    }
    if (!event.note.empty()) one["args"] = {{"note", event.note}};
    list.push_back(std::move(one));
  }
  return dump_json({{"displayTimeUnit", "ms"}, {"traceEvents", std::move(list)}}) + "\n";
}

}  // namespace bowsprit::artifact
