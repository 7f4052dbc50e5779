// SPDX-License-Identifier: Apache-2.0
#include "trigger/changed_files.h"

#include "base/strings.h"
#include "prow/regex.h"

namespace bowsprit::trigger {

std::vector<std::string> changed_paths(const gerrit::Change& change) {
  std::vector<std::string> files;
  for (const gerrit::ChangedFile& file : change.files) {
    files.push_back(file.path);
    if (file.status == 'R' && !file.old_path.empty()) files.push_back(file.old_path);
  }
  return files;
}

std::optional<std::string> changed_files_say(const prow::ChangeJob& job, const std::vector<std::string>& files,
                                             std::string& why_not) {
  const bool wanted = !job.run_if_changed.empty();
  const std::string& pattern = wanted ? job.run_if_changed : job.skip_if_only_changed;
  for (const std::string& file : files)
    if (prow::regex_matches(pattern, file) == wanted)
      return wanted ? fmt::format("run_if_changed '{}' matches {}", pattern, file)
                    : fmt::format("skip_if_only_changed '{}' does not match {}", pattern, file);
  why_not = files.empty() ? "no file is changed"
            : wanted      ? fmt::format("run_if_changed '{}' matches no changed file", pattern)
                          : fmt::format("skip_if_only_changed '{}' matches every changed file", pattern);
  return std::nullopt;
}

}  // namespace bowsprit::trigger
