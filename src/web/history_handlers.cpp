// SPDX-License-Identifier: Apache-2.0
#include "web/history_handlers.h"

#include <algorithm>

#include "base/strings.h"
#include "web/answers.h"
#include "web/history_view.h"

namespace bowsprit::web {
namespace {

using net::Request;
using net::Response;

constexpr std::size_t kMaxName = 4000;  ///< of an address; the store cuts names far shorter

Result<TestView> read_test(store::Store& store, const Request& request, const std::string& name) {
  if (name.empty() || name.size() > kMaxName)
    return fail(ErrorKind::bad_data, "name: a test's name of at most {} bytes is needed", kMaxName);
  store::TestHistory history(store);
  TestView view{.test = name, .now = SystemClock::now()};
  TRY_ASSIGN(view.limit, query_limit(request, 100, 500));
  TRY_ASSIGN(const auto before, query_number(request, "before"));
  TRY_ASSIGN(view.jobs, history.jobs_of(name));
  view.job = request.query_value("job").value_or("");
  if (view.jobs.empty()) return fail(ErrorKind::not_found, "no run has a test '{}'", shorten(printable(name), 200));
  if (view.job.empty()) view.job = view.jobs.front();
  if (std::ranges::find(view.jobs, view.job) == view.jobs.end())
    return fail(ErrorKind::not_found, "no run of job '{}' has a test '{}'", shorten(printable(view.job), 100),
                shorten(printable(name), 200));
  TRY_ASSIGN(view.history, history.of_test(name, view.job, before.value_or(0), view.limit));
  view.trend = trend_of(view.history.entries);
  return view;
}

Result<TestsView> read_tests(store::Store& store, const Request& request) {
  TestsView view;
  TRY_ASSIGN(view.limit, query_limit(request, 50, 500));
  view.words = shorten(trim(request.query_value("q").value_or("")), 200);
  TRY_ASSIGN(view.tests,
             store::TestHistory(store).search(view.words, request.query_value("after").value_or(""), view.limit + 1));
  view.more = view.tests.size() > static_cast<std::size_t>(view.limit);
  if (view.more) view.tests.pop_back();
  return view;
}

Result<JobHistoryView> read_job(store::Store& store, const Request& request, std::string_view address) {
  // Deck's address names the bucket and the folder too; a job's name has no slash.
  while (address.ends_with('/')) address.remove_suffix(1);
  JobHistoryView view{.job = std::string(address.substr(address.rfind('/') + 1)), .now = SystemClock::now()};
  TRY_ASSIGN(view.limit, query_limit(request, 20, 50));
  TRY_ASSIGN(auto before, query_number(request, "before"));
  // Deck's: this build and older ones.
  TRY_ASSIGN(const auto build, query_number(request, "buildId"));
  if (build && !before) before = *build + 1;
  view.all = request.query_value("tests").value_or("") == "all";
  view.before = before.value_or(0);
  TRY_ASSIGN(const auto after, query_number(request, "after"));
  TRY_ASSIGN(view.grid,
             store::TestHistory(store).of_job(view.job, view.before, view.limit, view.all, after.value_or(0)));
  if (view.grid.runs.empty())
    return fail(ErrorKind::not_found, "no {}run of a job '{}' is known here", before ? "older " : "",
                shorten(printable(view.job), 100));
  return view;
}

}  // namespace

void add_history_routes(net::Router& routes, store::Store& store) {
  routes.add("GET", "/test", [&store](const Request& request) {
    const auto view = read_test(store, request, request.query_value("name").value_or(""));
    return view ? Response::html(test_page(*view)) : page_error(view.error());
  });
  routes.add("GET", "/tests", [&store](const Request& request) {
    const auto view = read_tests(store, request);
    return view ? Response::html(tests_page(*view)) : page_error(view.error());
  });
  routes.add("GET", "/job-history/{name...}", [&store](const Request& request) {
    const auto view = read_job(store, request, request.param("name"));
    return view ? Response::html(job_history_page(*view)) : page_error(view.error());
  });
  routes.add("GET", "/api/v1/tests", [&store](const Request& request) {
    const auto view = read_tests(store, request);
    return view ? json_response(tests_json(*view)) : json_error(view.error());
  });
  routes.add("GET", "/api/v1/tests/{name}/history", [&store](const Request& request) {
    const auto view = read_test(store, request, request.param("name"));
    return view ? json_response(test_history_json(*view)) : json_error(view.error());
  });
  routes.add("GET", "/api/v1/jobs/{name}/history", [&store](const Request& request) {
    const auto view = read_job(store, request, request.param("name"));
    return view ? json_response(job_history_json(*view)) : json_error(view.error());
  });
}

}  // namespace bowsprit::web
