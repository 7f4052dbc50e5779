// SPDX-License-Identifier: Apache-2.0
#include "podutils/initupload.h"

#include "os/files.h"
#include "podutils/upload.h"

namespace bowsprit::podutils {

Result<> run_initupload(const InitUploadOptions& options, const JobSpec& spec, SystemTime now) {
  Targets targets;
  std::vector<CloneRecord> records;
  if (!options.log.empty()) {
    TRY_ASSIGN(const std::string text, read_file(options.log, 1U << 30U));
    auto read = read_clone_records(text);
    if (!read) return std::unexpected(std::move(read).error().with("read clone records '{}'", options.log));
    records = std::move(*read);
    targets["clone-records.json"] = text;
  }
  const bool failed = std::ranges::any_of(records, &CloneRecord::failed);
  if (!options.log.empty()) {
    std::string log;
    for (const CloneRecord& record : records) log += describe(record);
    if (failed) {
      targets["build-log.txt"] = log;
      const Json finished{{"timestamp", unix_seconds(now)}, {"passed", false}, {"result", "FAILURE"}};
      targets["finished.json"] = dump_json(finished);
    }
    targets["clone-log.txt"] = std::move(log);
  }
  targets["started.json"] = dump_json(started_json(spec, records, now));
  TRY(upload(options.upload, spec, artifact_targets(options.upload, spec), targets));
  if (failed) return fail(ErrorKind::conflict, "cloning failed; clone-log.txt says how");
  return {};
}

}  // namespace bowsprit::podutils
