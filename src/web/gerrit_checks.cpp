// SPDX-License-Identifier: Apache-2.0
#include "web/gerrit_checks.h"

#include <algorithm>
#include <map>

#include "base/strings.h"
#include "web/answers.h"
#include "web/history_view.h"
#include "web/layout.h"

namespace bowsprit::web {
namespace {

using net::Request;
using net::Response;
using sched::JobState;

constexpr std::size_t kMaxSummary = 80;  ///< what the tab shows of it without a click
constexpr std::size_t kMaxMessage = 4000;
constexpr std::size_t kMaxFailures = 50;
constexpr int kMaxRuns = 200;

/// Cut before it is cleaned as well: the tab waits 16 s, and a message may have megabytes.
std::string clean(std::string_view text, std::size_t limit) {
  return shorten(printable(shorten(text, 4 * limit)), limit);
}
std::string line_of(std::string_view text, std::size_t limit) {
  return replace_all(clean(trim(text), limit), "\n", " ");
}

Json link(const std::string& url, std::string_view tooltip, std::string_view icon, bool primary) {
  return {{"url", url}, {"tooltip", tooltip}, {"icon", icon}, {"primary", primary}};
}

/// Of one run, in the tab's words.
class Results {
 public:
  Results(const store::Run& run, const std::string& public_url) : run_(run), public_url_(public_url) {}

  Json of(const RunResult* result) {
    if (!sched::is_final(run_.state)) return Json::array();
    if (result != nullptr) {
      failures(result->failures);
      diagnostics(result->diagnostics);
      counts(result->tests);
    }
    // Nothing above would make the tab say "passed".
    const bool passed = run_.state == JobState::success;
    if (!passed && !tells_why_) {
      const bool blamed = run_.state == JobState::failure;
      add(blamed ? "ERROR" : "WARNING", headline_text(), run_.description, {});
    }
    if (passed && list_.empty()) add("SUCCESS", headline_text(), run_.description, {});
    return std::move(list_);
  }

 private:
  std::string headline_text() const {
    return line_of(run_.description.empty() ? headline(run_) : fmt::format("{}: {}", headline(run_), run_.description),
                   kMaxSummary);
  }

  void add(std::string_view category, std::string summary, std::string_view message, Json tags,
           Json links = Json::array()) {
    if (!public_url_.empty()) {
      const std::string page = fmt::format("{}/run/{}", public_url_, run_.id);
      links.insert(links.begin(), link(page, "the run", "external", true));
      links.push_back(link(page + "/log", "the log", "file_present", false));
    }
    Json entry{{"externalId", fmt::format("{}-{}", run_.id, list_.size())},
               {"category", category},
               {"summary", std::move(summary)}};
    if (!message.empty()) entry["message"] = clean(message, kMaxMessage);
    if (tags.is_array() && !tags.empty()) entry["tags"] = std::move(tags);
    if (!links.empty()) entry["links"] = std::move(links);
    list_.push_back(std::move(entry));
  }

  void failures(const std::vector<Failure>& failures) {
    std::size_t shown = 0;
    for (const auto& failure : failures) {
      if (++shown > kMaxFailures) break;
      const bool own = failure.origin == Origin::new_failure || failure.origin == Origin::unknown;
      tells_why_ = tells_why_ || own;
      Json tags = Json::array();
      const auto tag = [&tags](std::string_view name, std::string_view colour) {
        tags.push_back({{"name", name}, {"color", colour}});
      };
      switch (failure.status) {
        case ktap::TestStatus::crashed: tag("CRASH", "pink"); break;
        case ktap::TestStatus::timed_out: tag("TIMEOUT", "pink"); break;
        case ktap::TestStatus::missing: tag("MISSING", "pink"); break;
        case ktap::TestStatus::failed: tag("FAIL", "pink"); break;
        case ktap::TestStatus::passed:
        case ktap::TestStatus::skipped:
        case ktap::TestStatus::expected_failure: break;
      }
      if (failure.origin == Origin::new_failure) tag("NEW", "purple");
      if (failure.origin == Origin::also_on_base) tag("ALSO_ON_BASE", "gray");
      if (failure.origin == Origin::flaky) tag("FLAKY", "yellow");
      Json links = Json::array();
      if (!failure.file.empty())
        links.push_back(link(gerrit_line_url(run_, failure.file, failure.line),
                             line_of(fmt::format("{}:{}", failure.file, failure.line), 200), "code", false));
      if (!public_url_.empty())
        links.push_back(link(public_url_ + test_url(failure.test, run_.job), "history of the test", "history", false));
      add(own ? "ERROR" : "WARNING", line_of(failure.test, kMaxSummary), failure.message, std::move(tags),
          std::move(links));
    }
    if (failures.size() > kMaxFailures)
      add("INFO", fmt::format("{} more failures are on the run's page", failures.size() - kMaxFailures), "", {});
  }

  void diagnostics(const std::vector<Diagnostic>& diagnostics) {
    std::size_t shown = 0;
    for (const auto& diagnostic : diagnostics) {
      if (++shown > kMaxFailures) break;
      const bool mild = diagnostic.kind == Diagnostic::Kind::warning || !diagnostic.counts ||
                        diagnostic.origin == Origin::also_on_base || diagnostic.origin == Origin::flaky;
      tells_why_ = tells_why_ || !mild;
      Json links = Json::array();
      if (!diagnostic.file.empty())
        links.push_back(link(gerrit_line_url(run_, diagnostic.file, diagnostic.line),
                             line_of(fmt::format("{}:{}", diagnostic.file, diagnostic.line), 200), "code", false));
      add(mild ? "WARNING" : "ERROR", line_of(diagnostic.message, kMaxSummary), diagnostic.message, {},
          std::move(links));
    }
  }

  void counts(const TestCounts& tests) {
    std::vector<std::string> parts;
    if (tests.passed > 0) parts.push_back(fmt::format("{} passed", tests.passed));
    if (tests.skipped > 0) parts.push_back(fmt::format("{} skipped", tests.skipped));
    // Beside failures this is no success, only a number.
    if (!parts.empty()) add(run_.state == JobState::success ? "SUCCESS" : "INFO", join(parts, ", "), "", {});
  }

  const store::Run& run_;
  const std::string& public_url_;
  Json list_ = Json::array();
  bool tells_why_ = false;  ///< an ERROR is there
};

std::string_view status_of(JobState state) {
  switch (state) {
    case JobState::triggered: return "SCHEDULED";
    case JobState::pending: return "RUNNING";
    case JobState::success:
    case JobState::failure:
    case JobState::aborted:
    case JobState::error: return "COMPLETED";
  }
  return "COMPLETED";
}

/// "https://host:port" of a URL.
std::string origin_of(std::string_view url) {
  const auto host = url.find("://");
  if (host == std::string_view::npos) return {};
  return std::string(url.substr(0, url.find('/', host + 3)));
}

Result<Json> runs_of(const ChecksParts& parts, const Request& request) {
  TRY_ASSIGN(const auto change, query_number(request, "change"));
  TRY_ASSIGN(const auto patchset, query_number(request, "patchset"));
  if (!change) return fail(ErrorKind::bad_data, "change: the number of a change is needed");
  store::RunFilter filter{.change = static_cast<int>(*change), .gerrit = parts.gerrit_url, .limit = kMaxRuns};
  if (patchset) filter.patchset = static_cast<int>(*patchset);
  TRY_ASSIGN(auto runs, parts.store.runs(filter));
  std::ranges::reverse(runs);  // oldest first, so that attempts can be counted
  std::map<std::pair<int, std::string>, std::int64_t> latest;
  for (const auto& run : runs) latest[{run.patchset, run.job}] = run.id;
  std::map<std::pair<int, std::string>, int> attempts;
  std::map<std::string, std::optional<double>> forecasts;
  Json list = Json::array();
  for (const auto& run : runs) {
    std::shared_ptr<const RunResult> result;
    // The tab shows the last attempt; an older one tells its verdict.
    if (sched::is_final(run.state) && latest.at({run.patchset, run.job}) == run.id)
      if (auto read = parts.reader.result(run)) result = *read;
    std::optional<double> forecast;
    if (run.state == JobState::pending) {
      auto [known, first] = forecasts.try_emplace(run.job);
      if (first) {
        TRY_ASSIGN(const auto before, parts.store.runs({.job = run.job, .limit = 30}));
        known->second = stats_of(before).median_seconds;
      }
      forecast = known->second;
    }
    list.push_back(check_run(run, ++attempts[{run.patchset, run.job}], result.get(), forecast, parts.public_url));
  }
  return Json{{"runs", std::move(list)}};
}

}  // namespace

Json check_run(const store::Run& run, int attempt, const RunResult* result, std::optional<double> forecast,
               const std::string& public_url) {
  Json json{{"change", run.change},          {"patchset", run.patchset}, {"attempt", attempt},
            {"externalId", run.prow_job_id}, {"checkName", run.job},     {"checkDescription", line_of(run.reason, 200)},
            {"status", status_of(run.state)}};
  if (!public_url.empty()) {
    json["checkLink"] = public_url + job_url(run.job);
    json["statusLink"] = fmt::format("{}/run/{}", public_url, run.id);
  }
  if (!run.report_label.empty() && !run.optional) json["labelName"] = run.report_label;
  const std::string words = line_of(
      run.state == JobState::pending && !run.phase.empty() ? run.phase : std::string(headline(run)), kMaxSummary);
  json["statusDescription"] = words;
  json["statusDesciption"] = words;  // as the stock plugin spells it
  json["scheduledTimestamp"] = rfc3339(run.created);
  if (run.started) json["startedTimestamp"] = rfc3339(*run.started);
  if (run.finished) {
    json["finishedTimestamp"] = rfc3339(*run.finished);
  } else if (run.state == JobState::pending && run.started && forecast) {
    json["finishedTimestamp"] =
        rfc3339(*run.started + std::chrono::duration_cast<milliseconds>(std::chrono::duration<double>(*forecast)));
  }
  json["actions"] = Json::array();
  json["results"] = Results(run, public_url).of(result);
  return json;
}

void add_checks_routes(net::Router& routes, ChecksParts parts) {
  std::string site = origin_of(parts.gerrit_url);
  routes.add("GET", "/gerrit-checks/runs",
             [parts = std::move(parts), origin = std::move(site)](const Request& request) {
               const auto runs = runs_of(parts, request);
               Response response = runs ? json_response(*runs) : json_error(runs.error());
               response.headers.emplace_back("Vary", "Origin");
               if (!origin.empty() && request.header("Origin") == origin) {
                 response.headers.emplace_back("Access-Control-Allow-Origin", origin);
                 response.headers.emplace_back("Access-Control-Allow-Credentials", "true");
               }
               return response;
             });
}

}  // namespace bowsprit::web
