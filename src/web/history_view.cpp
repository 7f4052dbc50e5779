// SPDX-License-Identifier: Apache-2.0
#include "web/history_view.h"

#include <algorithm>

#include "base/strings.h"
#include "web/api.h"

namespace bowsprit::web {
namespace {

Json outcome_json(const store::TestOutcome& outcome) {
  return {{"status", ktap::to_string(outcome.status)},
          {"origin", outcome.origin == Origin::unknown ? "" : to_string(outcome.origin)},
          {"seconds", outcome.seconds ? Json(*outcome.seconds) : Json(nullptr)}};
}

Json run_or_null(const TestView& view, std::optional<std::int64_t> run) {
  const auto* entry = entry_of(view, run);
  return entry == nullptr ? Json(nullptr) : run_json(entry->run, view.now);
}

}  // namespace

TestTrend trend_of(const std::vector<store::TestRun>& newest_first) {
  std::vector<HistoricOutcome> outcomes;
  outcomes.reserve(newest_first.size());
  for (const auto& [run, outcome] : newest_first)
    outcomes.push_back({run.id, run.change, run.patchset, run.base_sha, outcome.status, outcome.origin});
  return bowsprit::trend_of(outcomes);
}

const store::TestRun* entry_of(const TestView& view, std::optional<std::int64_t> run) {
  if (!run) return nullptr;
  const auto found =
      std::ranges::find_if(view.history.entries, [&](const auto& entry) { return entry.run.id == *run; });
  return found == view.history.entries.end() ? nullptr : &*found;
}

RowCounts counts_of(const store::JobGrid::Row& row) {
  RowCounts counts;
  for (const auto& outcome : row.outcomes) {
    if (!outcome || outcome->status == ktap::TestStatus::skipped) continue;
    ++counts.ran;
    counts.bad += is_good(outcome->status) ? 0 : 1;
    counts.flaky += outcome->origin == Origin::flaky ? 1 : 0;
  }
  return counts;
}

std::string test_url(std::string_view test, std::string_view job) {
  return fmt::format("/test?name={}{}{}", url_encode(test), job.empty() ? "" : "&job=", url_encode(job));
}

std::string job_history_url(std::string_view job) { return "/job-history/" + url_encode(job); }

std::string gerrit_log_url(const store::Run& older, const store::Run& newer) {
  if (older.base_sha.empty() || newer.base_sha.empty() || older.base_sha == newer.base_sha) return {};
  if (older.project != newer.project || older.branch != newer.branch || older.gerrit != newer.gerrit) return {};
  return fmt::format("{}/plugins/gitiles/{}/+log/{}..{}", newer.gerrit,
                     replace_all(url_encode(newer.project), "%2F", "/"), url_encode(older.base_sha),
                     url_encode(newer.base_sha));
}

Json test_history_json(const TestView& view) {
  Json results = Json::array();
  for (const auto& [run, outcome] : view.history.entries) {
    Json entry = outcome_json(outcome);
    entry["run"] = run.id;
    entry["change"] = run.change;
    entry["patchset"] = run.patchset;
    entry["attempt"] = run.attempt;
    entry["branch"] = run.branch;
    entry["base_sha"] = run.base_sha;
    entry["created"] = rfc3339(run.created);
    entry["page"] = fmt::format("/run/{}", run.id);
    results.push_back(std::move(entry));
  }
  const TestTrend& trend = view.trend;
  const auto* bad = entry_of(view, trend.first_bad);
  const auto* good = entry_of(view, trend.last_good);
  const std::string commits = bad != nullptr && good != nullptr ? gerrit_log_url(good->run, bad->run) : "";
  const auto next = view.history.next_before;
  return {{"test", view.test},
          {"job", view.job},
          {"jobs", view.jobs},
          {"page", test_url(view.test, view.job)},
          {"trend",
           {{"ran", trend.ran},
            {"failed", trend.failed},
            {"flaky", trend.flaky},
            {"caused", trend.caused},
            {"flake_rate", trend.rate},
            {"base_broken", trend.base_broken},
            {"first_bad", run_or_null(view, trend.first_bad)},
            {"last_good", run_or_null(view, trend.last_good)},
            {"commits_between", commits}}},
          {"results", std::move(results)},
          {"next", next == 0 ? Json(nullptr)
                             : Json(fmt::format("/api/v1/tests/{}/history?job={}&limit={}&before={}",
                                                url_encode(view.test), url_encode(view.job), view.limit, next))}};
}

Json tests_json(const TestsView& view) {
  Json tests = Json::array();
  for (const auto& test : view.tests)
    tests.push_back({{"test", test},
                     {"page", test_url(test, "")},
                     {"history", fmt::format("/api/v1/tests/{}/history", url_encode(test))}});
  return {{"tests", std::move(tests)},
          {"next", view.more ? Json(fmt::format("/api/v1/tests?q={}&limit={}&after={}", url_encode(view.words),
                                                view.limit, url_encode(view.tests.back())))
                             : Json(nullptr)}};
}

Json job_history_json(const JobHistoryView& view) {
  Json runs = Json::array();
  for (const auto& run : view.grid.runs) runs.push_back(run_json(run, view.now));
  Json tests = Json::array();
  for (const auto& row : view.grid.rows) {
    const RowCounts counts = counts_of(row);
    Json outcomes = Json::array();
    for (const auto& outcome : row.outcomes) outcomes.push_back(outcome ? outcome_json(*outcome) : Json(nullptr));
    tests.push_back({{"test", row.test},
                     {"page", test_url(row.test, view.job)},
                     {"ran", counts.ran},
                     {"failed", counts.bad},
                     {"flaky", counts.flaky},
                     {"outcomes", std::move(outcomes)}});
  }
  const auto next = view.grid.next_before;
  const auto part = [&](std::int64_t before) {
    return fmt::format("/api/v1/jobs/{}/history?limit={}&before={}{}", url_encode(view.job), view.limit, before,
                       view.all ? "&tests=all" : "");
  };
  const auto more = view.grid.next_test;
  return {{"job", view.job},
          {"page", job_history_url(view.job)},
          {"runs", std::move(runs)},
          {"tests", std::move(tests)},
          {"good_tests_left_out", view.grid.left_out},
          {"next_tests", more == 0 ? Json(nullptr) : Json(fmt::format("{}&after={}", part(view.before), more))},
          {"next", next == 0 ? Json(nullptr) : Json(part(next))}};
}

}  // namespace bowsprit::web
