// SPDX-License-Identifier: Apache-2.0
// How long the server takes to decide what starts, with many runs waiting: queue_bench [RUNS]. Median and worst of many decisions, each
// after one run more started and another came; and the memory of the process.
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>

#include "app/run_queue.h"
#include "base/json.h"
#include "os/files.h"

namespace bowsprit {
namespace {

/// About what a job of a real configuration takes.
std::string job_json() {
  Json env = Json::array();
  for (int i = 0; i < 12; ++i) env.push_back({{"name", fmt::format("SETTING_{}", i)}, {"value", std::string(60, 'x')}});
  const Json spec{{"containers", Json::array({Json{{"image", "kunit"}, {"command", {"/kunit.sh"}}, {"env", env}}})}};
  return dump_json({{"name", "kunit"}, {"max_concurrency", 50}, {"spec", spec}});
}

Result<std::int64_t> add(store::Store& store, int number, const std::string& job) {
  store::Run run;
  run.gerrit = "https://gerrit.example.org";
  run.project = "linux";
  run.branch = "master";
  run.change = number;
  run.patchset = 1;
  run.job = fmt::format("kunit-{}", number % 20);
  run.job_json = job;
  run.trigger_key = "patchset";
  TRY_ASSIGN(const auto id, store.add_run(run));
  return id.value_or(0);
}

Result<> run(int count) {
  TRY_ASSIGN(const auto dir, TempDir::create("queue-bench"));
  TRY_ASSIGN(auto store, store::Store::open(dir.path() / "db"));
  const auto job = job_json();
  {
    store::Store::Transaction transaction(store);
    for (int i = 0; i < count; ++i) TRY(add(store, i, job));
    TRY(transaction.commit());
  }
  app::RunQueue queue;
  std::vector<double> took;
  constexpr int kDecisions = 100;
  for (int i = 0; i <= kDecisions; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    TRY_ASSIGN(const auto look,
               queue.look(store, {.capacity = kDecisions + 2, .queues = {}}, [](std::int64_t) { return true; }));
    const std::chrono::duration<double, std::milli> seconds = std::chrono::steady_clock::now() - begin;
    if (i > 0) took.push_back(seconds.count());  // the first one, after the server's start, reads every job
    if (look.start.empty()) return fail(ErrorKind::bug, "nothing to start");
    TRY_ASSIGN(const auto first, store.run(look.start.front()));
    TRY(store.move_run(*first, sched::JobState::pending));
    TRY(add(store, count + i, job));
  }
  std::ranges::sort(took);
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  fmt::print("{}\n", dump_json({{"bench", "queue"},
                                {"runs", count},
                                {"median_ms", took[took.size() / 2]},
                                {"worst_ms", took.back()},
                                {"memory_mb", static_cast<double>(usage.ru_maxrss) / 1024}}));
  return {};
}

}  // namespace
}  // namespace bowsprit

int main(int argc, char** argv) {
  const auto done = bowsprit::run(argc > 1 ? std::atoi(argv[1]) : 10000);
  if (!done) fmt::print(stderr, "queue_bench: {}\n", done.error().text());
  return done ? 0 : 1;
}
