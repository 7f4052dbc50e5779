// SPDX-License-Identifier: Apache-2.0
#include "app/clean_up.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "os/files.h"

namespace bowsprit::app {
namespace {

Result<> remove_rows(store::Store& store, const std::vector<PeriodicHere>& periodics, const CleanUp& what,
                     milliseconds age, SystemTime now) {
  std::vector<std::int64_t> keep;
  for (const auto& periodic : periodics) {
    TRY_ASSIGN(const auto last, store.latest_periodic(what.gerrit, periodic.job.name));
    if (last) keep.push_back(last->id);
  }
  std::size_t count = 0;
  while (true) {
    TRY_ASSIGN(const auto removed, store.remove_runs(now - age, keep));
    count += removed.size();
    if (removed.empty()) break;
  }
  if (count > 0) log_info("engine", "{} runs that ended more than {} ago are removed", count, format_duration(age));
  return {};
}

Result<> remove_folders(store::Store& store, const CleanUp& what, SystemTime now) {
  TRY_ASSIGN(const auto unfinished, store.unfinished_runs());
  std::error_code code;
  for (fs::directory_iterator it(what.work, code), end; !code && it != end; it.increment(code)) {
    struct stat info{};
    if (::stat(it->path().c_str(), &info) != 0) continue;
    const bool old = SystemClock::from_time_t(info.st_mtime) < now - what.folders;
    const bool used = std::ranges::any_of(
        unfinished, [&](const store::Run& run) { return it->path().filename() == std::to_string(run.id); });
    if (!old || used) continue;
    if (auto removed = remove_tree(it->path()); !removed) log_warn("engine", "{}", removed.error().text());
  }
  return {};
}

}  // namespace

Result<> clean_up(store::Store& store, const std::vector<PeriodicHere>& periodics, const CleanUp& what,
                  SystemTime now) {
  if (what.runs) TRY(remove_rows(store, periodics, what, *what.runs, now));
  return remove_folders(store, what, now);
}

}  // namespace bowsprit::app
