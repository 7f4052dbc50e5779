// SPDX-License-Identifier: Apache-2.0
#include "web/layout.h"
#include "web/pages.h"

namespace bowsprit::web {
namespace {

Markup option(std::string_view value, std::string_view chosen, std::string_view words) {
  if (value == chosen) return markup("<option value=\"{}\" selected>{}</option>", value, words);
  return markup("<option value=\"{}\">{}</option>", value, words);
}

Markup filter_form(const store::RunFilter& filter) {
  const std::string_view chosen = filter.state        ? sched::to_string(*filter.state)
                                  : filter.unfinished ? "unfinished"
                                                      : "";
  Markup states = option("", chosen, "any state");
  for (const auto& [value, words] :
       {std::pair{"unfinished", "waiting or running"}, std::pair{"triggered", "waiting"},
        std::pair{"pending", "running"}, std::pair{"success", "success"}, std::pair{"failure", "failure"},
        std::pair{"error", "infrastructure error"}, std::pair{"aborted", "aborted"}})
    states += option(value, chosen, words);
  return markup(
      "<form class=\"filter\" method=\"get\" action=\"/\" role=\"search\">"
      "<label>Search <input name=\"q\" type=\"search\" size=\"24\" value=\"{}\"></label>"
      "<label>Change <input name=\"change\" inputmode=\"numeric\" size=\"7\" value=\"{}\"></label>"
      "<label>Job <input name=\"job\" size=\"16\" value=\"{}\"></label>"
      "<label>State <select name=\"state\">{}</select></label>"
      "<button>Filter</button></form>\n",
      filter.words, filter.change ? fmt::to_string(*filter.change) : "", filter.job, states);
}

Markup decisions_section(const std::vector<store::Decision>& decisions) {
  if (decisions.empty()) return {};
  Markup rows;
  for (auto it = decisions.rbegin(); it != decisions.rend(); ++it)
    rows += markup("<tr><td>{}</td><td>{}{}</td><td>{}</td><td>{}</td></tr>\n", it->patchset, it->job,
                   it->type == "presubmit" ? "" : " (" + it->type + ")", it->run ? "ran" : "did not run", it->reason);
  return markup(
      "<details class=\"decisions\"><summary>Why jobs ran or not</summary>\n<table><thead><tr><th>Patch set</th>"
      "<th>Job</th><th></th><th>Reason</th></tr></thead>\n<tbody>\n{}</tbody></table></details>\n",
      rows);
}

bool anything_unfinished(const std::vector<store::Run>& runs) {
  return std::ranges::any_of(runs, [](const store::Run& run) { return !sched::is_final(run.state); });
}

}  // namespace

std::string runs_url(const store::RunFilter& filter, std::int64_t before) {
  std::string url = "/?";
  const auto add = [&url](std::string_view name, std::string_view value) {
    if (!value.empty()) url += fmt::format("{}{}={}", url.ends_with('?') ? "" : "&", name, url_encode(value));
  };
  add("q", filter.words);
  add("change", filter.change ? fmt::to_string(*filter.change) : "");
  add("job", filter.job);
  add("author", filter.author);
  add("verdict", filter.verdict);
  add("state", filter.state ? sched::to_string(*filter.state) : filter.unfinished ? "unfinished" : "");
  add("before", before > 0 ? fmt::to_string(before) : "");
  return url;
}

std::string runs_page(const RunsView& view) {
  Markup rows;
  for (const auto& run : view.runs) rows += run_entry(run, view.now, true);
  Markup body = markup("<h1>Runs</h1>\n{}", filter_form(view.filter));
  if (view.runs.empty())
    body += markup(
        "<p class=\"empty\">No such run. One starts when a change is pushed for which a job is configured.</p>\n");
  else
    body += markup("<ol class=\"runs\">\n{}</ol>\n", rows);
  if (view.next_before > 0)
    body += markup("<p class=\"pager\"><a rel=\"next\" href=\"{}\">Older runs</a></p>\n",
                   runs_url(view.filter, view.next_before));
  return render({.title = "Runs - bowsprit",
                 .body = std::move(body),
                 .live = view.filter.before_id == 0,
                 .events = "/api/v1/events"});
}

std::string change_page(const ChangeView& view) {
  Markup body;
  if (view.runs.empty()) {
    body = markup("<h1>Change {}</h1>\n<p class=\"empty\">No job has run.</p>\n", view.change);
  } else {
    const store::Run& newest = view.runs.front();
    body = markup("<h1>{}</h1>\n<p class=\"sub\"><a href=\"{}\">Change {} in Gerrit</a> · {} · {}{}</p>\n",
                  newest.subject, safe_url(gerrit_change_url(newest)), view.change, newest.project, newest.branch,
                  newest.author.empty() ? "" : " · " + newest.author);
  }
  for (auto run = view.runs.begin(); run != view.runs.end();) {
    Markup rows;
    const int patchset = run->patchset;
    const std::string revision = run->revision.substr(0, 12);
    for (; run != view.runs.end() && run->patchset == patchset; ++run) rows += run_entry(*run, view.now, false);
    body += markup("<h2>Patch set {} <code>{}</code></h2>\n<ol class=\"runs\">\n{}</ol>\n", patchset, revision, rows);
  }
  body += decisions_section(view.decisions);
  return render({.title = fmt::format("Change {} - bowsprit", view.change),
                 .crumbs = markup(" / change {}", view.change),
                 .body = std::move(body),
                 .live = anything_unfinished(view.runs),
                 .events = fmt::format("/api/v1/events?change={}", view.change)});
}

}  // namespace bowsprit::web
