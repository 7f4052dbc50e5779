// SPDX-License-Identifier: Apache-2.0
#include "prow/prow_job.h"

#include <array>

#include "prow/job_fields.h"

namespace bowsprit::prow {

namespace {

using yaml::Cursor;

/// Fills what is there and passes over what is not ours to read: a resource of a newer Prow is as good.
template <class T>
void take(const Cursor& cursor, std::string_view key, T& out) {
  if (const auto found = cursor.find(key)) yaml::read(*found, out);
}

void take_time(const Cursor& cursor, std::string_view key, std::optional<SystemTime>& out) {
  if (const auto found = cursor.find(key)) {
    out = parse_time(found->node().text());
    if (!out) found->expected("a time such as 2026-11-24T08:31:06Z");
  }
}

void read_type(const Cursor& spec, JobType& out) {
  const auto type = spec.find("type");
  if (!type) return spec.error("expected the field \"type\"");
  for (const JobType candidate : {JobType::presubmit, JobType::postsubmit, JobType::periodic, JobType::batch})
    if (type->node().text() == to_string(candidate)) {
      out = candidate;
      return;
    }
  type->expected("presubmit, postsubmit, periodic or batch");
}

void read_spec(const Cursor& spec, ProwJob& job) {
  if (!spec.is_map()) return;
  read_type(spec, job.type);
  take(spec, "agent", job.agent);
  take(spec, "cluster", job.cluster);
  take(spec, "job", job.job);
  take(spec, "context", job.context);
  take(spec, "rerun_command", job.rerun_command);
  take(spec, "report", job.report);
  take(spec, "refs", job.refs);
  take(spec, "extra_refs", job.extra_refs);
  take(spec, "decoration_config", job.decoration_config);
  take(spec, "pod_spec", job.pod_spec);
  if (job.type != JobType::periodic && !job.refs)
    spec.error(fmt::format("expected the field \"refs\" for a {}", to_string(job.type)));
  if (job.type == JobType::presubmit && job.refs && job.refs->pulls.empty())
    spec.find("refs")->error("expected a pull for a presubmit");
}

}  // namespace

Result<ProwJob> read_prow_job(std::string file, std::string_view text) {
  const auto tree = yaml::Tree::parse(std::move(file), text);
  yaml::Problems problems = tree.problems();
  ProwJob job;
  if (tree.documents().size() == 1) {
    const Cursor cursor(tree.documents()[0], tree.file(), problems);
    if (cursor.is_map()) {
      if (const auto kind = cursor.find("kind"); kind && kind->node().text() != "ProwJob")
        kind->expected("\"ProwJob\"");
      if (const auto metadata = cursor.find("metadata")) {
        take(*metadata, "name", job.name);
        take(*metadata, "labels", job.labels);
        take(*metadata, "annotations", job.annotations);
        take_time(*metadata, "creationTimestamp", job.created);
      }
      if (const auto spec = cursor.find("spec"))
        read_spec(*spec, job);
      else
        cursor.error("expected the field \"spec\"");
      if (const auto status = cursor.find("status")) {
        take(*status, "state", job.state);
        take(*status, "description", job.description);
        take(*status, "url", job.url);
        take(*status, "build_id", job.build_id);
        take_time(*status, "completionTime", job.completed);
      }
    }
  } else if (!yaml::has_errors(problems)) {
    problems.push_back({yaml::Severity::error,
                        {tree.file(), 1, 1},
                        {},
                        fmt::format("expected one ProwJob, got {} documents", tree.documents().size()),
                        {}});
  }
  if (yaml::has_errors(problems)) return std::unexpected(yaml::to_error(problems));
  return job;
}

}  // namespace bowsprit::prow
