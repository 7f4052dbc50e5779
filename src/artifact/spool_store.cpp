// SPDX-License-Identifier: Apache-2.0
#include "artifact/spool_store.h"

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"

namespace bowsprit::artifact {
namespace {

constexpr std::size_t kEverything = 10'000'000;

/// Names of queue files sort as their numbers do.
std::string file_of(std::uint64_t number) { return fmt::format("{:020}", number); }

/// Whether the fault is the object's: others may still be taken.
bool of_one_object(ErrorKind kind) {
  return kind == ErrorKind::bad_data || kind == ErrorKind::conflict || kind == ErrorKind::not_found;
}

}  // namespace

SpoolStore::SpoolStore(Options options, FolderStore objects, FolderStore queue, std::unique_ptr<ObjectStore> remote)
    : options_(std::move(options)),
      objects_(std::move(objects)),
      queue_(std::move(queue)),
      remote_(std::move(remote)) {}

Result<std::unique_ptr<SpoolStore>> SpoolStore::open(Options options, std::unique_ptr<ObjectStore> remote) {
  TRY_ASSIGN(auto objects, FolderStore::open(options.folder / "objects"));
  TRY_ASSIGN(auto queue, FolderStore::open(options.folder / "queue"));
  std::unique_ptr<SpoolStore> spool(
      new SpoolStore(std::move(options), std::move(objects), std::move(queue), std::move(remote)));
  TRY(spool->take_up());
  spool->thread_ = std::thread([store = spool.get()] { store->work(); });
  return spool;
}

SpoolStore::~SpoolStore() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  remote_->cancel();
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Result<> SpoolStore::take_up() {
  TRY_ASSIGN(const auto files, queue_.list("", kEverything));
  for (const auto& file : files) {
    TRY_ASSIGN(const std::string name, queue_.get(file.name));
    const auto number = parse_int(file.name);
    if (!number || !objects_.stat(name)) {
      TRY(queue_.remove(file.name));
      continue;
    }
    const auto key = static_cast<std::uint64_t>(*number);
    waiting_.push_back({key, name});
    newest_[name] = key;
    next_ = key + 1;
  }
  // What has no entry went, or was being written when the program died and was never said to be safe.
  TRY_ASSIGN(const auto objects, objects_.list("", kEverything));
  for (const auto& object : objects)
    if (!newest_.contains(object.name)) TRY(objects_.remove(object.name));
  if (!waiting_.empty()) log_info("spool", "{} objects of an earlier process wait for the store", waiting_.size());
  return {};
}

Result<> SpoolStore::enqueue(const std::string& name, const std::function<Result<>()>& write) {
  std::uint64_t number = 0;
  {
    const std::scoped_lock lock(mutex_);
    number = next_++;
    newest_[name] = number;  // first, so that what is under way now does not count as the last one
    const auto cached = std::ranges::find(cached_, name, &ObjectInfo::name);
    if (cached != cached_.end()) {
      cached_bytes_ -= cached->size;
      cached_.erase(cached);
    }
  }
  Result<> done = write();
  if (done) done = queue_.put(file_of(number), name);
  // Where it failed there may be an older one of that name, which still has to go.
  const bool is_there = done || objects_.stat(name);
  {
    const std::scoped_lock lock(mutex_);
    if (is_there)
      waiting_.push_back({number, name});
    else if (newest_[name] == number)
      newest_.erase(name);
  }
  changed_.notify_all();
  return done;
}

Result<> SpoolStore::put(const std::string& name, std::string_view bytes, const Attributes& /*attributes*/) {
  return enqueue(name, [&] { return objects_.put(name, bytes); });
}

Result<> SpoolStore::put_file(const std::string& name, const std::filesystem::path& file,
                              const Attributes& /*attributes*/) {
  return enqueue(name, [&] { return objects_.put_file(name, file); });
}

template <class T>
Result<T> SpoolStore::ask(const std::function<Result<T>()>& read) {
  {
    const std::scoped_lock lock(mutex_);
    if (std::chrono::steady_clock::now() < quiet_until_)
      return fail(ErrorKind::unavailable, "the object store did not answer a moment ago");
  }
  auto answer = read();
  if (!answer && answer.error().retryable()) {
    const std::scoped_lock lock(mutex_);
    quiet_until_ = std::chrono::steady_clock::now() + options_.read_pause;
  }
  return answer;
}

Result<std::string> SpoolStore::get(const std::string& name, std::uint64_t offset,
                                    std::optional<std::uint64_t> length) {
  auto here = objects_.get(name, offset, length);
  if (here || here.error().kind != ErrorKind::not_found) return here;
  return ask<std::string>([&] { return remote_->get(name, offset, length); });
}

Result<ObjectInfo> SpoolStore::stat(const std::string& name) {
  auto here = objects_.stat(name);
  if (here || here.error().kind != ErrorKind::not_found) return here;
  return ask<ObjectInfo>([&] { return remote_->stat(name); });
}

Result<std::vector<ObjectInfo>> SpoolStore::list(const std::string& prefix, std::size_t limit) {
  TRY_ASSIGN(auto found, objects_.list(prefix, limit));
  auto there = ask<std::vector<ObjectInfo>>([&] { return remote_->list(prefix, limit); });
  if (!there) {
    if (found.empty()) return there;
    return found;
  }
  const auto here_end = static_cast<std::ptrdiff_t>(found.size());
  for (auto& object : *there)
    if (!std::ranges::binary_search(found.begin(), found.begin() + here_end, object.name, {}, &ObjectInfo::name))
      found.push_back(std::move(object));
  std::ranges::sort(found, {}, &ObjectInfo::name);
  if (found.size() > limit) found.resize(limit);
  return found;
}

Result<> SpoolStore::remove(const std::string& name) {
  {
    const std::scoped_lock lock(mutex_);
    newest_.erase(name);  // its entries in the queue lead nowhere now
  }
  TRY(objects_.remove(name));
  return remote_->remove(name);
}

Result<std::string> SpoolStore::signed_url(const std::string& name, seconds lifetime) {
  {
    const std::scoped_lock lock(mutex_);
    if (newest_.contains(name)) return fail(ErrorKind::unavailable, "'{}' waits for the store", printable(name));
  }
  return remote_->signed_url(name, lifetime);
}

SpoolStore::State SpoolStore::state() const {
  const std::scoped_lock lock(mutex_);
  State state = state_;
  state.waiting = newest_.size();
  return state;
}

void SpoolStore::sent(const Entry& entry) {
  if (const auto removed = queue_.remove(file_of(entry.number)); !removed)
    log_warn("spool", "{}", removed.error().text());
  const auto newest = newest_.find(entry.name);
  if (newest == newest_.end() || newest->second != entry.number) return;
  newest_.erase(newest);
  if (auto info = objects_.stat(entry.name)) {
    cached_bytes_ += info->size;
    cached_.push_back(std::move(*info));
  }
  evict();
}

void SpoolStore::evict() {
  while (cached_bytes_ > options_.cache && !cached_.empty()) {
    if (const auto removed = objects_.remove(cached_.front().name); !removed)
      log_warn("spool", "{}", removed.error().text());
    cached_bytes_ -= cached_.front().size;
    cached_.pop_front();
  }
}

void SpoolStore::work() {
  std::unique_lock lock(mutex_);
  milliseconds pause = options_.first_pause;
  while (true) {
    changed_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
    if (stop_) return;
    const Entry entry = waiting_.front();
    const auto newest = newest_.find(entry.name);
    Result<> done;
    if (newest != newest_.end() && newest->second == entry.number) {
      lock.unlock();
      done = remote_->put_file(entry.name, options_.folder / "objects" / entry.name);
      if (!done && !objects_.stat(entry.name)) {
        log_error("spool", "'{}' is gone from this machine before it went to the store", printable(entry.name));
        done = {};
      }
      lock.lock();
    }
    if (stop_) {
      if (done) sent(entry);
      return;
    }
    if (done) {
      waiting_.pop_front();
      sent(entry);
      if (state_.failing_since) log_info("spool", "the store takes objects again; {} wait", newest_.size());
      state_ = {};
      quiet_until_ = {};
      pause = options_.first_pause;
      continue;
    }
    if (!state_.failing_since) state_.failing_since = SystemClock::now();
    state_.problem = done.error().text();
    if (done.error().kind != ErrorKind::cancelled)
      log_warn("spool", "{} objects wait, the next try is in {}: {}", newest_.size(), format_duration(pause),
               state_.problem);
    if (of_one_object(done.error().kind)) {
      waiting_.push_back(entry);
      waiting_.pop_front();
    }
    changed_.wait_for(lock, pause, [this] { return stop_; });
    pause = std::min(pause * 2, options_.longest_pause);
  }
}

}  // namespace bowsprit::artifact
