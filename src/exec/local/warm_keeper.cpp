// SPDX-License-Identifier: Apache-2.0
#include "exec/local/warm_keeper.h"

#include <algorithm>

#include "base/json.h"
#include "base/log.h"
#include "base/strings.h"

namespace bowsprit::exec {
namespace {

SteadyTime now() { return std::chrono::steady_clock::now(); }

}  // namespace

WarmKeeper::WarmKeeper(Hooks hooks, Times times)
    : hooks_(std::move(hooks)), times_(times), thread_([this] { loop(); }) {}

WarmKeeper::~WarmKeeper() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

std::string WarmKeeper::name_of(const RunRequest& request) {
  const auto& refs = request.refs;
  return join({refs.clone_uri, refs.org, refs.repo, refs.base_ref, refs.path_alias, dump_json(request.job.spec)}, "\n");
}

void WarmKeeper::want(std::vector<RunRequest> requests) {
  const std::scoped_lock lock(mutex_);
  std::map<std::string, Target> wanted;
  std::vector<std::string> order;
  for (auto& request : requests) {
    const auto name = name_of(request);
    if (wanted.contains(name)) continue;
    const auto known = targets_.find(name);
    Target target = known == targets_.end() ? Target{.due = now()} : std::move(known->second);
    target.request = std::move(request);
    target.listed = true;
    wanted.emplace(name, std::move(target));
    order.push_back(name);
  }
  for (const auto& name : order_)
    if (const auto known = targets_.find(name);
        known != targets_.end() && !known->second.listed && !wanted.contains(name)) {
      wanted.emplace(name, std::move(known->second));
      order.push_back(name);
    }
  targets_ = std::move(wanted);
  order_ = std::move(order);
  changed_.notify_all();
}

void WarmKeeper::want_also(RunRequest request) {
  request.refs.pulls.clear();
  request.refs.base_sha.clear();
  const std::scoped_lock lock(mutex_);
  const auto name = name_of(request);
  if (targets_.contains(name)) return;
  targets_.emplace(name, Target{.request = std::move(request), .listed = false, .due = now() + times_.recheck});
  order_.push_back(name);
}

void WarmKeeper::branch_moved(const std::string& repository, const std::string& branch) {
  const std::scoped_lock lock(mutex_);
  for (auto& [name, target] : targets_) {
    const auto& refs = target.request.refs;
    // An empty branch of a target is HEAD, whatever that is.
    if (refs.repo != repository || (!branch.empty() && !refs.base_ref.empty() && refs.base_ref != branch)) continue;
    target.due = now();
    target.moved = true;
  }
  changed_.notify_all();
}

void WarmKeeper::loop() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    const auto next =
        std::ranges::min_element(order_, {}, [&](const std::string& name) { return targets_.at(name).due; });
    if (next == order_.end()) {
      changed_.wait(lock);
      continue;
    }
    // A copy, since order_ may change while the lock is let go below.
    const std::string name = *next;  // NOLINT(performance-unnecessary-copy-initialization)
    if (const auto due = targets_.at(name).due; due > now()) {
      changed_.wait_until(lock, due);
      continue;
    }
    auto& target = targets_.at(name);
    target.moved = false;
    const RunRequest request = target.request;
    lock.unlock();
    const bool may = hooks_.may_start();
    const auto done = may ? hooks_.bring_to_tip(request) : Result<>{};
    if (may && !done && done.error().kind != ErrorKind::cancelled)
      log_warn("exec", "keep {} {} warm: {}", request.refs.repo, request.refs.base_ref, done.error().text());
    lock.lock();
    if (!may) {
      changed_.wait_for(lock, times_.look, [&] { return stop_; });
      continue;
    }
    const auto again = targets_.find(name);
    if (again == targets_.end() || again->second.moved) continue;
    auto& pause = again->second.pause;
    pause = done ? milliseconds(0) : std::clamp(pause * 2, times_.first_retry, times_.longest_retry);
    again->second.due = now() + (done ? times_.recheck : pause);
  }
}

}  // namespace bowsprit::exec
