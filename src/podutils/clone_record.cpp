// SPDX-License-Identifier: Apache-2.0
#include "podutils/clone_record.h"

#include "base/strings.h"
#include "podutils/options.h"
#include "prow/job_env.h"

namespace bowsprit::podutils {
namespace {

/// value / unit without trailing zeros.
std::string fraction(std::int64_t value, std::int64_t unit, int digits) {
  std::string out = fmt::format("{}.{:0{}}", value / unit, value % unit, digits);
  out.erase(out.find_last_not_of('0') + 1);
  if (out.ends_with('.')) out.pop_back();
  return out;
}

}  // namespace

std::string go_duration(std::chrono::nanoseconds duration) {
  const std::int64_t count = duration.count();
  if (count < 0) return "-" + go_duration(-duration);
  if (count == 0) return "0s";
  if (count < 1000) return fmt::format("{}ns", count);
  if (count < 1'000'000) return fraction(count, 1000, 3) + "µs";
  if (count < 1'000'000'000) return fraction(count, 1'000'000, 6) + "ms";
  const std::int64_t minutes = count / 60'000'000'000;
  std::string out;
  if (minutes >= 60) out += fmt::format("{}h", minutes / 60);
  if (minutes >= 1) out += fmt::format("{}m", minutes % 60);
  return out + fraction(count % 60'000'000'000, 1'000'000'000, 9) + "s";
}

Json to_json(const CloneRecord& record) {
  Json json{{"refs", prow::to_json(record.refs)}};
  for (const CloneCommand& command : record.commands) {
    Json item{{"command", command.command}};
    if (!command.output.empty()) item["output"] = command.output;
    if (!command.error.empty()) item["error"] = command.error;
    if (command.duration.count() != 0) item["duration"] = command.duration.count();
    json["commands"].push_back(std::move(item));
  }
  if (record.failed) json["failed"] = true;
  if (!record.final_sha.empty()) json["final_sha"] = record.final_sha;
  if (record.duration.count() != 0) json["duration"] = record.duration.count();
  return json;
}

Result<std::vector<CloneRecord>> read_clone_records(std::string_view json) {
  TRY_ASSIGN(const Json parsed, parse_json(json));
  if (!parsed.is_array()) return fail(ErrorKind::bad_data, "clone records: expected a list");
  std::vector<CloneRecord> out;
  for (const Json& item : parsed) {
    CloneRecord& record = out.emplace_back();
    TRY_ASSIGN(record.refs, read_refs(json_get(item, "refs")));
    for (const Json& command : json_get(item, "commands"))
      record.commands.push_back({json_string(command, "command"), json_string(command, "output"),
                                 json_string(command, "error"),
                                 std::chrono::nanoseconds(json_int(command, "duration"))});
    record.failed = json_bool(item, "failed");
    record.final_sha = json_string(item, "final_sha");
    record.duration = std::chrono::nanoseconds(json_int(item, "duration"));
  }
  return out;
}

std::string describe(const CloneRecord& record) {
  std::string out;
  if (record.failed) out += "# FAILED\n";
  out += record.refs.repo.empty()
             ? std::string("Environment setup")
             : fmt::format("# Cloning {}/{} at {}", record.refs.org, record.refs.repo, record.refs.base_ref);
  if (!record.refs.base_sha.empty()) out += fmt::format("({})", record.refs.base_sha);
  out += "\n";
  if (!record.refs.pulls.empty()) out += "# Checking out pulls:\n";
  for (const prow::Pull& pull : record.refs.pulls)
    out += fmt::format("#\t{}{}\n", pull.number, pull.sha.empty() ? "" : fmt::format("({})", pull.sha));
  for (const CloneCommand& command : record.commands) {
    out += fmt::format("$ {}", command.command);
    if (command.duration.count() != 0) out += fmt::format(" (runtime: {})", go_duration(command.duration));
    out += "\n" + command.output;
    if (!command.error.empty()) out += fmt::format("# Error: {}\n", command.error);
  }
  return out + fmt::format("# Final SHA: {}\n# Total runtime: {}\n", record.final_sha, go_duration(record.duration));
}

}  // namespace bowsprit::podutils
