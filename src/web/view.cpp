// SPDX-License-Identifier: Apache-2.0
#include "web/view.h"

#include <cmath>
#include <map>
#include <set>

#include "base/strings.h"

namespace bowsprit::web {
namespace {

/// Each part encoded, the slashes between them kept: a project or a file is a path in Gerrit's addresses.
std::string encode_path(std::string_view path) {
  std::vector<std::string> parts = split(path, '/');
  for (auto& part : parts) part = url_encode(part);
  return join(parts, "/");
}

}  // namespace

std::optional<double> run_seconds(const store::Run& run, SystemTime now) {
  if (!run.started) return std::nullopt;
  return std::chrono::duration<double>(run.finished.value_or(now) - *run.started).count();
}

JobStats stats_of(const std::vector<store::Run>& runs) {
  JobStats stats;
  std::vector<double> times;
  std::map<std::pair<int, int>, std::set<sched::JobState>> outcomes;
  for (const auto& run : runs) {
    const bool passed = run.state == sched::JobState::success;
    const bool failed = run.state == sched::JobState::failure;
    stats.passed += passed ? 1 : 0;
    stats.failed += failed ? 1 : 0;
    stats.no_verdict += sched::is_final(run.state) && !passed && !failed ? 1 : 0;
    if (!passed && !failed) continue;
    outcomes[{run.change, run.patchset}].insert(run.state);
    if (const auto seconds = run_seconds(run, SystemTime{}); seconds && run.finished) times.push_back(*seconds);
  }
  stats.wavering =
      static_cast<int>(std::ranges::count_if(outcomes, [](const auto& entry) { return entry.second.size() > 1; }));
  std::ranges::sort(times);
  if (!times.empty()) {
    stats.median_seconds = times[times.size() / 2];
    stats.slow_seconds = times[times.size() * 9 / 10];
  }
  return stats;
}

std::string human_seconds(double seconds) {
  if (seconds < 0) return "0 s";
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::string human_age(SystemTime time, SystemTime now) {
  const auto age = std::chrono::duration_cast<seconds>(now - time).count();
  if (age < 10) return "just now";
  if (age < 60) return fmt::format("{} s ago", age);
  if (age < 3600) return fmt::format("{} min ago", age / 60);
  if (age < 86400) return fmt::format("{} h ago", age / 3600);
  return age < 2 * 86400 ? "1 day ago" : fmt::format("{} days ago", age / 86400);
}

std::string human_size(std::uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double size = static_cast<double>(bytes) / 1000;
  std::string_view unit = "kB";
  for (const std::string_view bigger : {"MB", "GB", "TB"}) {
    if (size < 999.95) break;
    size /= 1000;
    unit = bigger;
  }
  return fmt::format("{:.1f} {}", size, unit);
}

std::string file_url(std::int64_t run, std::string_view name) {
  constexpr std::string_view kArtifacts = "artifacts/";
  const bool artifact = name.starts_with(kArtifacts);
  return fmt::format("/run/{}/{}/{}", run, artifact ? "artifacts" : "files",
                     encode_path(artifact ? name.substr(kArtifacts.size()) : name));
}

std::string gerrit_change_url(const store::Run& run) {
  return fmt::format("{}/c/{}/+/{}", run.gerrit, encode_path(run.project), run.change);
}
std::string gerrit_patchset_url(const store::Run& run) {
  return fmt::format("{}/{}", gerrit_change_url(run), run.patchset);
}
std::string gerrit_line_url(const store::Run& run, std::string_view file, int line) {
  const std::string url = fmt::format("{}/{}", gerrit_patchset_url(run), encode_path(file));
  return line > 0 ? fmt::format("{}#{}", url, line) : url;
}

}  // namespace bowsprit::web
