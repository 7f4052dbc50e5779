// SPDX-License-Identifier: Apache-2.0
/// The frame of every page and the small marks that several pages share. Pure. Threads: any.
#pragma once

#include "web/html.h"
#include "web/view.h"

namespace bowsprit::web {

struct PageFrame {
  std::string title;
  Markup crumbs;  ///< after the program's name in the header
  Markup body;
  bool live = false;   ///< reloads while something runs: by events with JavaScript, by itself every 10 s without
  std::string events;  ///< address of the events that a live page follows
};
/// A whole document.
std::string render(const PageFrame& frame);
std::string error_page(int status, std::string_view text);

/// How a state looks: the class of its colour and a sign that does not rely on colour.
struct Tone {
  std::string_view name;  ///< "good", "bad", "warn", "busy", "calm"
  std::string_view sign;
};
Tone tone_of(const store::Run& run);
Tone tone_of(ktap::TestStatus status);

/// "Failed", "Does not build", "Running": of a run's verdict or, without one, its state.
std::string_view headline(const store::Run& run);
/// The address of a job's page.
std::string job_url(std::string_view job);
/// The words of a verdict as a person says it; the word itself where it is unknown.
std::string_view verdict_words(std::string_view verdict);

/// A coloured mark with words.
Markup chip(std::string_view tone, std::string_view words);
/// <time> with the age as text and the exact time behind it.
Markup age(SystemTime time, SystemTime now);
/// One entry of a list of runs.
Markup run_entry(const store::Run& run, SystemTime now, bool with_change);

}  // namespace bowsprit::web
