// SPDX-License-Identifier: Apache-2.0
#include "exec/local/job_plan.h"

#include "base/strings.h"
#include "prow/job_env.h"

namespace bowsprit::exec {
namespace {

bool plain_absolute(std::string_view path) {
  if (!path.starts_with('/') || path.size() > 1000 || path.find('\0') != std::string_view::npos) return false;
  const auto parts = split(path.substr(1), '/');
  return std::ranges::none_of(parts, [](const auto& part) { return part.empty() || part == "." || part == ".."; });
}

/// The folders of emptyDir volumes, by the container's volumeMounts.
Result<std::vector<std::string>> empty_folders(const Json& spec, const Json& container) {
  std::vector<std::string> out;
  for (const auto& item : json_get(container, "volumeMounts")) {
    const auto name = json_string(item, "name");
    const auto path = json_string(item, "mountPath");
    const Json* volume = nullptr;
    for (const auto& candidate : json_get(spec, "volumes"))
      if (json_string(candidate, "name") == name) volume = &candidate;
    if (volume == nullptr) return fail(ErrorKind::bad_config, "volumeMounts: no volume '{}'", name);
    if (!json_get(*volume, "emptyDir").is_object())
      return fail(ErrorKind::bad_config, "volume '{}': on one machine a job can have emptyDir volumes only", name);
    if (!plain_absolute(path))
      return fail(ErrorKind::bad_config, "volume '{}': mountPath '{}' is not a plain absolute path", name, path);
    if (path != "/dev/shm" && path != "/tmp" && path != "/logs") out.push_back(path);  // those it has anyway
  }
  return out;
}

Result<> add_variables(const Json& container, Environment& env) {
  for (const auto& item : json_get(container, "env")) {
    const auto name = json_string(item, "name");
    if (name.empty() || name.find('=') != std::string::npos)
      return fail(ErrorKind::bad_config, "env: '{}' is no name of a variable", name);
    if (item.contains("valueFrom"))
      return fail(ErrorKind::bad_config, "env {}: valueFrom has no meaning on one machine", name);
    env[name] = expand_variables(json_string(item, "value"), env);
  }
  if (!json_get(container, "envFrom").empty())
    return fail(ErrorKind::bad_config, "envFrom has no meaning on one machine");
  return {};
}

}  // namespace

std::string expand_variables(std::string_view text, const Environment& env) {
  std::string out;
  while (!text.empty()) {
    if (text.starts_with("$$")) {
      out += '$';
      text.remove_prefix(2);
      continue;
    }
    const auto close = text.starts_with("$(") ? text.find(')') : std::string_view::npos;
    const auto found = close == std::string_view::npos ? env.end() : env.find(std::string(text.substr(2, close - 2)));
    if (found == env.end()) {
      out += text.front();
      text.remove_prefix(1);
      continue;
    }
    out += found->second;
    text.remove_prefix(close + 1);
  }
  return out;
}

std::optional<std::uint64_t> parse_quantity(std::string_view text) {
  const auto end = text.find_first_not_of("0123456789");
  const auto number = parse_int(text.substr(0, end));
  if (!number || *number < 0 || *number > (1LL << 40)) return std::nullopt;
  const std::string_view unit = end == std::string_view::npos ? "" : text.substr(end);
  constexpr std::pair<std::string_view, std::uint64_t> kUnits[] = {{"", 1},
                                                                   {"k", 1000},
                                                                   {"M", 1000'000},
                                                                   {"G", 1000'000'000},
                                                                   {"Ki", 1ULL << 10U},
                                                                   {"Mi", 1ULL << 20U},
                                                                   {"Gi", 1ULL << 30U}};
  for (const auto& [name, factor] : kUnits)
    if (name == unit) return static_cast<std::uint64_t>(*number) * factor;
  return std::nullopt;
}

Result<JobPlan> plan_job(const RunRequest& request, const MergedSource& source, const Environment& env) {
  const auto& containers = json_get(request.job.spec, "containers");
  if (!containers.is_array() || containers.size() != 1)
    return fail(ErrorKind::bad_config, "job '{}': its spec must have one container", request.job.name);
  const bool periodic = request.type == prow::JobType::periodic;
  const std::size_t sources = periodic ? 1 : 0;  // those of extra_refs that it may have
  if (!json_get(request.job.spec, "initContainers").empty() || request.job.extra_refs.size() > sources)
    return fail(ErrorKind::bad_config, "job '{}': init containers and {} need the Kubernetes executor",
                request.job.name, periodic ? "more than one of extra_refs" : "extra_refs");
  const Json& container = containers[0];
  prow::JobRun run{.type = request.type,
                   .job = request.job.name,
                   .build_id = request.id,
                   .prow_job_id = request.prow_job_id,
                   .refs = periodic ? prow::Refs{} : request.refs,
                   .extra_refs = request.job.extra_refs,
                   .decoration_config = request.job.decoration_config,
                   .decorated = request.job.decorate};
  if (!periodic) run.refs.base_sha = source.base_sha;
  JobPlan plan{.source_path = prow::local_clone_path(request.refs)};
  if (!plain_absolute(plan.source_path))
    return fail(ErrorKind::bad_config, "job '{}': its source can't be at '{}'", request.job.name, plan.source_path);
  plan.env = {{"HOME", "/tmp"}, {"TMPDIR", "/tmp"},  {"LANG", "C.UTF-8"},
              {"USER", "root"}, {"LOGNAME", "root"}, {"TERM", "dumb"}};
  for (const auto& [name, value] : env) plan.env[name] = value;
  for (const auto& [name, value] : prow::job_environment(run)) plan.env[name] = value;
  plan.env["ARTIFACTS"] = prow::kArtifactsPath;
  plan.env["BOWSPRIT_BUILD_DIR"] = kBuildPath;
  if (const auto policy = request.job.annotations.find("bowsprit/policy"); policy != request.job.annotations.end()) {
    if (policy->second != "fair" && policy->second != "strict")
      return fail(ErrorKind::bad_config, "job '{}': annotation bowsprit/policy: expected fair or strict, not '{}'",
                  request.job.name, policy->second);
    plan.env["BOWSPRIT_POLICY"] = policy->second;
  }
  plan.env["BOWSPRIT_BUILD_KEPT"] = "no";
  if (auto done = add_variables(container, plan.env); !done)
    return std::unexpected(std::move(done).error().with("job '{}'", request.job.name));
  for (const char* list : {"command", "args"})
    for (const auto& word : json_get(container, list))
      if (word.is_string()) plan.argv.push_back(expand_variables(word.get_ref<const std::string&>(), plan.env));
  if (plan.argv.empty() || plan.argv[0].empty())
    return fail(ErrorKind::bad_config, "job '{}': its container names no command", request.job.name);
  plan.cwd = json_string(container, "workingDir", plan.source_path);
  plan.image = json_string(container, "image", "");
  if (!plain_absolute(plan.cwd))
    return fail(ErrorKind::bad_config, "job '{}': workingDir '{}' is not a plain absolute path", request.job.name,
                plan.cwd);
  TRY_ASSIGN(plan.empty_folders, empty_folders(request.job.spec, container));
  if (const auto memory = json_string(json_get(json_get(container, "resources"), "limits"), "memory");
      !memory.empty()) {
    plan.memory = parse_quantity(memory);
    if (!plan.memory)
      return fail(ErrorKind::bad_config, "job '{}': resources.limits.memory '{}' is not a quantity", request.job.name,
                  memory);
  }
  plan.timeout = request.job.decoration_config.timeout.value_or(plan.timeout);
  plan.grace = request.job.decoration_config.grace_period.value_or(plan.grace);
  return plan;
}

}  // namespace bowsprit::exec
