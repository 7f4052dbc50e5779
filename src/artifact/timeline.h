// SPDX-License-Identifier: Apache-2.0
/// timeline.json: where a run's time went, in the trace format that ui.perfetto.dev and chrome://tracing open.
///
/// Three tracks: phases; steps of the build, each from when it was announced until the next one was (make announces
/// starts only, so with several compilers at once a step's length is a hint); tests, as moments.
/// Does not: read a clock. Memory is bounded: the first kMaxEvents of each track are kept. Threads: one owner.
/// Source: the Trace Event Format of Chromium's catapult.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"

namespace bowsprit::artifact {

class Timeline {
 public:
  static constexpr std::size_t kMaxEvents = 20'000;

  explicit Timeline(SteadyTime start) : start_(start) {}

  void phase(std::string_view name, SteadyTime begin, SteadyTime end, std::string_view note);
  /// A step of the build is announced; it ends the one before.
  void step(std::string_view object, SteadyTime at);
  /// The build is over, and with it its last step.
  void end_steps(SteadyTime at);
  void test(std::string_view name, std::string_view status, SteadyTime at);

  [[nodiscard]] std::string json() const;

 private:
  enum class Track { phases = 1, steps, tests };
  struct Event {
    Track track;
    std::string name;
    std::string note;
    SteadyTime begin;
    SteadyTime end;
  };
  void add(Event event);

  SteadyTime start_;
  std::vector<Event> events_;
  std::size_t counts_[4]{};
  bool step_open_ = false;
  std::size_t open_step_ = 0;
};

}  // namespace bowsprit::artifact
