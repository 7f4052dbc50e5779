// SPDX-License-Identifier: Apache-2.0
#include "exec/local/local_executor.h"

#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/strings.h"
#include "exec/local/source_layer.h"

namespace bowsprit::exec {
namespace {

constexpr const char* kCcachePath = "/ccache";
constexpr const char* kCcacheSize = "5G";
/// Nothing that a stopped making would still write is wanted, and the end of the server waits for it.
constexpr milliseconds kMakerGrace{500};

double seconds_since(SteadyTime begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Changes when a tool that a build folder depends on is another one. make itself notices a new compiler version; this
/// also notices the linker, make, and an image that was replaced.
std::string toolchain_text(const fs::path& image_root) {
  std::string out = image_root.string();
  for (const char* tool : {"usr/bin/cc", "usr/bin/ld", "usr/bin/make", "usr/bin/clang"}) {
    std::error_code code;
    const auto real = fs::canonical(image_root / tool, code);
    struct stat info{};
    if (!code && ::stat(real.c_str(), &info) == 0)
      out += fmt::format(" {}:{}:{}", real.string(), info.st_size, info.st_mtime);
  }
  return out;
}

std::string fingerprint(const JobPlan& plan, const Json& spec, const fs::path& image_root) {
  return fmt::format("{}\n{}\n{}\n{}", plan.source_path, plan.cwd, dump_json(json_get(spec, "containers")),
                     toolchain_text(image_root));
}

void take_end(const SandboxEnd& end, RunOutcome& outcome) {
  switch (end.how) {
    case SandboxEnd::How::exited: outcome.state = RunState::exited; break;
    case SandboxEnd::How::timed_out: outcome.state = RunState::timed_out; break;
    case SandboxEnd::How::stopped: outcome.state = RunState::aborted; break;
    case SandboxEnd::How::over_limit: outcome.state = RunState::over_limit; break;
  }
  outcome.exit_code = end.exit_code;
  outcome.reason = end.reason;
  outcome.sandbox_seconds = end.seconds;
}

void add_change_diff(SandboxJob& job, const Git& git, const MergedSource& source) {
  auto diff = git.checked({"diff", "--no-ext-diff", "--no-textconv", "--no-color", "-U0", source.base_sha,
                           source.merged_sha, "--", "*.c", "*.h"});
  if (!diff) return log_warn("exec", "run {}: {}", job.id, diff.error().text());  // the job says that it misses it
  job.files[kChangeDiffPath] = *std::move(diff);
  job.env["BOWSPRIT_CHANGE_DIFF"] = kChangeDiffPath;
}

/// The same job on the branch itself, without any change.
RunRequest base_request(const RunRequest& request, const std::string& base_sha) {
  RunRequest base = request;
  base.refs.pulls.clear();
  base.refs.base_sha = base_sha;
  return base;
}

}  // namespace

LocalExecutor::LocalExecutor(LocalOptions options, Sandbox sandbox)
    : options_(std::move(options)),
      sandbox_(std::move(sandbox)),
      trees_(options_.work / "warm"),
      keeper_({.may_start = [this] { return has_free_slot(); },
               .bring_to_tip = [this](const RunRequest& request) { return keep(request); }},
              options_.warm_times) {}

Result<std::unique_ptr<LocalExecutor>> LocalExecutor::create(LocalOptions options) {
  std::error_code code;
  if (options.bowsprit.empty()) options.bowsprit = fs::read_symlink("/proc/self/exe", code);
  TRY(make_dirs(options.work));
  options.work = fs::canonical(options.work, code);
  // What a job writes is memory, too; a limit above what there is would let it take the machine down.
  const auto physical =
      static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  options.limits.memory = std::min(options.limits.memory, physical / 4 * 3);
  for (const char* folder : {"mirrors", "warm", "layers"}) TRY(make_dirs(options.work / folder));
  if (::chmod((options.work / "mirrors").c_str(), 0700) != 0) return fail_errno("close the mirrors' folder to others");
  TRY_ASSIGN(auto sandbox, Sandbox::create({.work = options.work,
                                            .bowsprit = options.bowsprit,
                                            .runc = options.runc,
                                            .image_root = options.image_root,
                                            .job_uid = options.job_uid,
                                            .artifact_limits = options.artifact_limits}));
  if (!fs::exists(options.work / "ccache", code)) {
    TRY(make_dirs(options.work / "ccache"));
    TRY(sandbox.give_to_job(options.work / "ccache"));
  }
  return std::unique_ptr<LocalExecutor>(new LocalExecutor(std::move(options), std::move(sandbox)));
}

LocalExecutor::~LocalExecutor() {
  std::vector<std::thread> threads;
  {
    const std::scoped_lock lock(mutex_);
    for (auto& [id, run] : runs_) {
      run->stop.set();
      threads.push_back(std::move(run->thread));
    }
    stop_makers_.set();  // and all of git
    for (auto& [key, making] : makings_) threads.push_back(std::move(making->thread));
    threads.push_back(std::move(tidier_));
    changed_.notify_all();
  }
  for (auto& thread : threads)
    if (thread.joinable()) thread.join();
}

Result<> LocalExecutor::recover() {
  TRY(sandbox_.recover());
  TRY(remove_tree(options_.work / "layers"));
  TRY(make_dirs(options_.work / "layers"));
  const std::scoped_lock lock(mutex_);
  recovered_ = true;
  // A tree that was cut off in the making is gigabytes; no job waits until it is gone.
  if (!tidier_.joinable())
    tidier_ = std::thread([this] {
      trees_.tidy(stop_makers_.fd());
      limit_disk();
    });
  return {};
}

void LocalExecutor::reap() {
  for (auto it = runs_.begin(); it != runs_.end();) {
    if (!it->second->finished) {
      ++it;
      continue;
    }
    it->second->thread.join();
    it = runs_.erase(it);
  }
}

void LocalExecutor::start(RunRequest request, RunObserver& observer) {
  const std::scoped_lock lock(mutex_);
  reap();
  auto active = std::make_shared<ActiveRun>();
  const std::string id = request.id;
  active->thread = std::thread([this, active, &observer, request = std::move(request)] {
    auto outcome = run(request, observer, active->stop);
    observer.on_finished(request.id, std::move(outcome));
    const std::scoped_lock done(mutex_);
    active->finished = true;
  });
  runs_[id] = std::move(active);
}

void LocalExecutor::abort(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  if (const auto found = runs_.find(id); found != runs_.end()) found->second->stop.set();
  changed_.notify_all();
}

std::string LocalExecutor::url_of(const prow::Refs& refs) const {
  if (options_.repository_url) return options_.repository_url(refs);
  return refs.clone_uri.empty() ? refs.org + "/" + refs.repo : refs.clone_uri;
}

Result<std::shared_ptr<Mirror>> LocalExecutor::mirror_of(const prow::Refs& refs) {
  const auto url = url_of(refs);
  const std::scoped_lock lock(mutex_);
  auto& mirror = mirrors_[url];
  if (!mirror) {
    TRY_ASSIGN(mirror, Mirror::open(options_.work / "mirrors" / sha256_hex(url).substr(0, 16), url,
                                    options_.credentials, stop_makers_.fd()));
  }
  return mirror;
}

WarmTreeInfo LocalExecutor::wanted_tree(const RunRequest& request, const JobPlan& plan,
                                        const std::string& commit) const {
  const auto url = url_of(request.refs);
  return {.key = WarmTrees::key(url, request.refs.base_ref, fingerprint(plan, request.job.spec, image_root_of(plan))),
          .repository = url,
          .branch = request.refs.base_ref,
          .job = request.job.name,
          .commit = commit};
}

const fs::path& LocalExecutor::image_root_of(const JobPlan& plan) const {
  const auto found = options_.images.find(plan.image);
  return found == options_.images.end() ? options_.image_root : found->second;
}

SandboxJob LocalExecutor::sandbox_job(const RunRequest& request, const JobPlan& plan) const {
  SandboxJob job{.id = request.id,
                 .argv = plan.argv,
                 .env = plan.env,
                 .cwd = plan.cwd,
                 .image_root = image_root_of(plan),
                 .files = options_.job_files,
                 .limits = options_.limits,
                 .timeout = plan.timeout,
                 .grace = plan.grace};
  if (plan.memory) job.limits.memory = std::min(job.limits.memory, *plan.memory);
  for (const auto& folder : plan.empty_folders) job.folders.push_back({.inside = folder});
  return job;
}

Result<WarmLease> LocalExecutor::make_tree(const RunRequest& request, const std::shared_ptr<Mirror>& mirror,
                                           const WarmTreeInfo& wanted) {
  const RunRequest base = base_request(request, wanted.commit);
  TRY_ASSIGN(const auto plan,
             plan_job(base, {.base_sha = wanted.commit, .merged_sha = wanted.commit}, options_.job_env));
  log_info("exec", "making the warm tree of job {} on {} {} at {}", wanted.job, wanted.repository, wanted.branch,
           wanted.commit);
  auto lease = trees_.make(
      wanted, *mirror, [&](const fs::path& folder) { return sandbox_.give_to_job(folder); },
      [&](const WarmTreeInfo& tree) -> Result<WarmBuild> {
        auto job = sandbox_job(base, plan);
        job.id = "warm-" + tree.key;
        job.env.erase("BOWSPRIT_BUILD_KEPT");
        job.grace = std::min(job.grace, kMakerGrace);
        // Objects of merged code may serve the next cold build. No job of a change sees this folder.
        job.folders.push_back({.inside = kCcachePath, .writable = options_.work / "ccache"});
        job.env.insert({{"CCACHE_DIR", kCcachePath}, {"CCACHE_MAXSIZE", kCcacheSize}});
        job.folders.push_back({.inside = plan.source_path, .layers = {tree.source()}});
        job.folders.push_back({.inside = kBuildPath, .writable = tree.build()});
        job.artifacts = tree.base();
        TRY_ASSIGN(const Fd log, Fd::open((tree.base() / "build-log.txt").string(), O_WRONLY | O_CREAT | O_TRUNC));
        const auto keep = [&](std::string_view bytes) { [[maybe_unused]] const auto written = log.write_all(bytes); };
        TRY_ASSIGN(const auto end, sandbox_.run(job, keep, stop_makers_));
        if (end.how == SandboxEnd::How::stopped) return fail(ErrorKind::cancelled, "the server ends");
        if (!end.reason.empty())
          log_warn("exec", "the job {} on {} itself: {}; its warm tree starts without objects", wanted.job,
                   wanted.branch, end.reason);
        return WarmBuild{end.how == SandboxEnd::How::exited, end.exit_code};
      });
  if (!lease) return lease;
  log_info("exec", "warm tree {} made in {:.1f} s", lease->tree().key, lease->tree().seconds);
  return lease;
}

/// Removes trees over the limit, and lets git forget their commits.
void LocalExecutor::limit_disk() {
  if (options_.warm_disk == 0) return;
  for (const auto& tree : trees_.keep_within(options_.warm_disk, stop_makers_.fd())) {
    log_info("exec", "removed warm tree {} of {} {}, the least used: the disk limit is reached", tree.key,
             tree.repository, tree.branch);
    std::shared_ptr<Mirror> mirror;
    {
      const std::scoped_lock lock(mutex_);
      if (const auto known = mirrors_.find(tree.repository); known != mirrors_.end()) mirror = known->second;
    }
    if (!mirror) continue;  // its repository is not watched any more; then the name keeps a commit, and no more
    if (const auto unpinned = mirror->pin(tree.key, ""); !unpinned) log_warn("exec", "{}", unpinned.error().text());
  }
}

/// Makes a tree on a thread of its own, unless that goes on already; null where it failed before. Call with the mutex held.
std::shared_ptr<LocalExecutor::Making> LocalExecutor::begin_making(const RunRequest& request,
                                                                   const std::shared_ptr<Mirror>& mirror,
                                                                   const WarmTreeInfo& wanted, bool in_the_background) {
  if (const auto failed = unmakeable_.find(wanted.key); failed != unmakeable_.end() && failed->second == wanted.commit)
    return nullptr;
  auto& making = makings_[wanted.key];
  if (making && !making->done) return making;
  if (making && making->thread.joinable()) making->thread.join();
  making = std::make_shared<Making>();
  making->thread = std::thread([this, request, mirror, wanted, in_the_background, making] {
    // All that this thread starts inherits it. A failure only means that it is not as polite.
    const sched_param none{};
    if (in_the_background && ::sched_setscheduler(0, SCHED_IDLE, &none) != 0)
      log_warn("exec", "warm trees are made at the priority of jobs: sched_setscheduler is refused");
    const auto lease = make_tree(request, mirror, wanted);
    if (!lease && lease.error().kind != ErrorKind::cancelled) log_warn("exec", "{}", lease.error().text());
    const std::scoped_lock done(mutex_);
    may_be_over_limit_ = true;
    if (lease)
      unmakeable_.erase(wanted.key);
    else if (lease.error().kind != ErrorKind::cancelled)
      unmakeable_[wanted.key] = wanted.commit;
    making->done = true;
    changed_.notify_all();
  });
  return making;
}

bool LocalExecutor::has_free_slot() {
  const std::scoped_lock lock(mutex_);
  if (!recovered_) return false;
  const auto running = std::ranges::count_if(runs_, [](const auto& entry) { return !entry.second->finished; });
  return running < options_.capacity;
}

/// What WarmKeeper calls: the tree of a job as of the branch's tip now. Removal is here too, as no job waits for it.
Result<> LocalExecutor::keep(const RunRequest& request) {
  auto done = bring_to_tip(request);
  std::unique_lock lock(mutex_);
  const bool grew = std::exchange(may_be_over_limit_, false);
  lock.unlock();
  if (grew) limit_disk();
  return done;
}

Result<> LocalExecutor::bring_to_tip(RunRequest request) {
  request.id = "warm";
  TRY_ASSIGN(const auto mirror, mirror_of(request.refs));
  if (request.refs.base_ref.empty()) {
    TRY_ASSIGN(request.refs.base_ref, mirror->head_branch());
  }
  TRY_ASSIGN(const auto tip, mirror->fetch_branch(request.refs.base_ref));
  TRY_ASSIGN(const auto plan,
             plan_job(base_request(request, tip), {.base_sha = tip, .merged_sha = tip}, options_.job_env));
  const auto wanted = wanted_tree(request, plan, tip);
  bool is_first = true;
  if (const auto lease = trees_.newest(wanted.key)) {
    if (lease->tree().commit == tip) return {};
    is_first = false;
  }
  std::unique_lock lock(mutex_);
  if (stop_makers_.is_set()) return fail(ErrorKind::cancelled, "the server ends");
  // Without a tree the next job has to wait for this one: it must not starve beside what else the machine does.
  const auto making = begin_making(request, mirror, wanted, /*in_the_background=*/!is_first);
  if (!making) return {};
  changed_.wait(lock, [&] { return making->done || stop_makers_.is_set(); });
  return {};
}

/// The tree of the key that is the fewest commits away from what the change is merged into.
std::optional<WarmLease> LocalExecutor::nearest_tree(const std::shared_ptr<Mirror>& mirror,
                                                     const WarmTreeInfo& wanted) const {
  return trees_.nearest(wanted.key, [&](const std::string& commit) -> std::optional<std::int64_t> {
    const auto counted = mirror->git().checked({"rev-list", "--count", commit + "..." + wanted.commit});
    return counted ? parse_int(trim(*counted)) : std::nullopt;
  });
}

/// The job's warm tree, made first where there is none; nullopt where it can't be made of this commit or the run is
/// aborted.
Result<std::optional<WarmLease>> LocalExecutor::warm_lease(const RunRequest& request,
                                                           const std::shared_ptr<Mirror>& mirror,
                                                           const WarmTreeInfo& wanted, RunObserver& observer,
                                                           const StopSwitch& stop) {
  if (auto lease = nearest_tree(mirror, wanted)) return lease;
  std::unique_lock lock(mutex_);
  if (stop.is_set()) return std::nullopt;  // also: nothing begins that the end of the server would not wait for
  const auto making = begin_making(request, mirror, wanted, /*in_the_background=*/false);
  if (!making) return std::nullopt;
  lock.unlock();
  keeper_.want_also(request);
  observer.on_phase(request.id, "warm");
  lock.lock();
  changed_.wait(lock, [&] { return making->done || stop.is_set(); });
  lock.unlock();
  return nearest_tree(mirror, wanted);
}

Result<WarmTreeInfo> LocalExecutor::refresh(const RunRequest& request) {
  TRY_ASSIGN(const auto mirror, mirror_of(request.refs));
  TRY_ASSIGN(const auto tip, mirror->fetch_branch(request.refs.base_ref));
  TRY_ASSIGN(const auto plan,
             plan_job(base_request(request, tip), {.base_sha = tip, .merged_sha = tip}, options_.job_env));
  TRY_ASSIGN(const auto lease, make_tree(request, mirror, wanted_tree(request, plan, tip)));
  limit_disk();
  return lease.tree();
}

RunOutcome LocalExecutor::run(const RunRequest& request, RunObserver& observer, const StopSwitch& stop) {
  auto outcome = run_and_refresh(request, observer, stop);
  const auto layer = options_.work / "layers" / request.id;
  if (auto done = remove_tree(layer); !done) log_warn("exec", "{}", done.error().text());
  if (outcome) return std::move(*outcome);
  RunOutcome failed;
  if (stop.is_set()) {
    failed.state = RunState::aborted;
    failed.reason = "it was aborted";
    return failed;
  }
  // A change that can't be merged at all (no common history) is the change's, everything else here is not.
  failed.state = outcome.error().blame == Blame::change ? RunState::merge_conflict : RunState::infra_error;
  failed.reason = outcome.error().text();
  return failed;
}

Result<RunOutcome> LocalExecutor::run_and_refresh(const RunRequest& request, RunObserver& observer,
                                                  const StopSwitch& stop) {
  std::optional<Refresh> refresh;
  auto outcome = run_steps(request, observer, stop, refresh);
  if (!refresh || stop.is_set()) return outcome;
  const bool misses_base = outcome && outcome->state == RunState::exited && outcome->exit_code != 0 &&
                           options_.misses_base && options_.misses_base(request.artifacts);
  std::unique_lock lock(mutex_);
  if (stop_makers_.is_set()) return outcome;
  const auto making = begin_making(request, refresh->mirror, refresh->wanted, /*in_the_background=*/!misses_base);
  lock.unlock();
  if (!making || !misses_base) return outcome;
  observer.on_output(request.id,
                     "[bowsprit: the branch has moved since its kept kernel was built; that is built anew, and the job "
                     "runs again to tell old failures from new ones]\n");
  observer.on_phase(request.id, "warm");
  lock.lock();
  changed_.wait(lock, [&] { return making->done || stop.is_set(); });
  lock.unlock();
  if (stop.is_set()) return fail(ErrorKind::cancelled, "it was aborted");
  const auto tree = trees_.newest(refresh->wanted.key);
  if (!tree || tree->tree().commit != refresh->wanted.commit) return outcome;
  TRY(remove_tree(request.artifacts));
  TRY(make_dirs(request.artifacts));
  RunRequest again = request;
  again.refs.base_sha = outcome->base_sha;  // the branch may have moved once more
  const double before = outcome->source_seconds;
  outcome = run_steps(again, observer, stop, refresh);
  if (outcome) outcome->source_seconds += before;
  return outcome;
}

Result<RunOutcome> LocalExecutor::run_steps(const RunRequest& request, RunObserver& observer, const StopSwitch& stop,
                                            std::optional<Refresh>& refresh) {
  RunOutcome outcome;
  observer.on_phase(request.id, "source");
  const auto begin = std::chrono::steady_clock::now();
  TRY_ASSIGN(const auto mirror, mirror_of(request.refs));
  TRY_ASSIGN(const auto source, mirror->merge(request.refs));
  outcome.base_sha = source.base_sha;
  outcome.merged_sha = source.merged_sha;
  if (!source.conflicts.empty()) {
    outcome.state = RunState::merge_conflict;
    outcome.conflicts = source.conflicts;
    outcome.reason = fmt::format("it does not merge with {}", request.refs.base_ref);
    outcome.source_seconds = seconds_since(begin);
    return outcome;
  }
  TRY_ASSIGN(const auto plan, plan_job(request, source, options_.job_env));
  outcome.source_seconds = seconds_since(begin);

  const auto wanted = wanted_tree(request, plan, source.base_sha);
  TRY_ASSIGN(const auto lease, warm_lease(request, mirror, wanted, observer, stop));
  if (lease && lease->tree().commit != source.base_sha) refresh = Refresh{mirror, wanted};
  if (stop.is_set()) return fail(ErrorKind::cancelled, "it was aborted");
  const auto layer_begin = std::chrono::steady_clock::now();
  const auto layer = options_.work / "layers" / request.id;
  TRY(remove_tree(layer));
  TRY(make_dirs(layer));
  auto job = sandbox_job(request, plan);
  job.artifacts = request.artifacts;
  if (!request.refs.pulls.empty()) add_change_diff(job, mirror->git(), source);
  if (lease) {
    {
      const std::scoped_lock lock(mutex_);
      trees_.note_use(lease->tree().key);
    }
    TRY(write_layer(mirror->git(), lease->tree().commit, source.merged_sha, layer));
    job.folders.push_back({.inside = plan.source_path, .layers = {layer, lease->tree().source()}});
    job.folders.push_back({.inside = kBuildPath, .layers = {lease->tree().build()}});
  } else {
    TRY(check_out(mirror->git(), source.merged_sha, layer));
    job.folders.push_back({.inside = plan.source_path, .layers = {layer}});
    job.folders.push_back({.inside = kBuildPath});
  }
  TRY(sandbox_.give_to_job(layer));
  outcome.warm = lease && lease->tree().built;
  outcome.source_seconds += seconds_since(layer_begin);
  if (stop.is_set()) return fail(ErrorKind::cancelled, "it was aborted");

  observer.on_phase(request.id, "run");
  TRY_ASSIGN(const auto end,
             sandbox_.run(job, [&](std::string_view bytes) { observer.on_output(request.id, bytes); }, stop));
  take_end(end, outcome);
  for (const auto& left_out : end.artifacts_left_out)
    log_warn("exec", "run {}: artifact left out: {}", request.id, left_out);
  return outcome;
}

}  // namespace bowsprit::exec
