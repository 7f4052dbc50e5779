// SPDX-License-Identifier: Apache-2.0
/// An ObjectStore elsewhere, behind a folder of this machine: what is put is safe on disk when `put` returns, and goes on
/// in the order in which it came, by a thread of its own. A store that is away for a while loses nothing and holds up
/// nobody; what waits goes when it is back, also after a restart of this program.
///
/// Readers get what this machine still has - all that waits, and the files that went last, up to `cache` - and ask the
/// store for the rest; after a failure they are told so at once for a while, since the web server's one thread reads
/// here. Where the store refuses one object for good, the others go on and that one is tried again behind
/// them; while it refuses all (wrong key, no such bucket) everything waits.
/// Does not: keep attributes, or give up. Threads: any; one of its own.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "artifact/folder_store.h"

namespace bowsprit::artifact {

class SpoolStore final : public ObjectStore {
 public:
  struct Options {
    std::filesystem::path folder;
    std::uint64_t cache = 1ULL << 30U;  ///< bytes of files that stay here after they went
    milliseconds first_pause{1000};     ///< after a failure; doubled each time
    milliseconds longest_pause{30'000};
    milliseconds read_pause{10'000};  ///< after a read that the store did not answer
  };
  /// Takes up what an earlier process left.
  static Result<std::unique_ptr<SpoolStore>> open(Options options, std::unique_ptr<ObjectStore> remote);
  ~SpoolStore() override;
  SpoolStore(const SpoolStore&) = delete;
  SpoolStore& operator=(const SpoolStore&) = delete;

  using ObjectStore::put;
  using ObjectStore::put_file;
  Result<> put(const std::string& name, std::string_view bytes, const Attributes& attributes) override;
  Result<> put_file(const std::string& name, const std::filesystem::path& file, const Attributes& attributes) override;
  Result<std::string> get(const std::string& name, std::uint64_t offset = 0,
                          std::optional<std::uint64_t> length = std::nullopt) override;
  Result<ObjectInfo> stat(const std::string& name) override;
  /// What is here and, if it can be asked, what is there.
  Result<std::vector<ObjectInfo>> list(const std::string& prefix, std::size_t limit = 10000) override;
  Result<> remove(const std::string& name) override;
  /// @error unavailable  the object has not gone yet
  Result<std::string> signed_url(const std::string& name, seconds lifetime) override;
  void cancel() override { remote_->cancel(); }

  /// What is on this machine alone, for readers who may not wait for the network.
  [[nodiscard]] ObjectStore& here() { return objects_; }

  struct State {
    std::size_t waiting = 0;                  ///< objects
    std::string problem;                      ///< of the last attempt; empty: it went well
    std::optional<SystemTime> failing_since;  ///< since when no attempt went well
  };
  [[nodiscard]] State state() const;

 private:
  struct Entry {
    std::uint64_t number;
    std::string name;
  };
  SpoolStore(Options options, FolderStore objects, FolderStore queue, std::unique_ptr<ObjectStore> remote);
  Result<> take_up();
  Result<> enqueue(const std::string& name, const std::function<Result<>()>& write);
  /// Asks the store, unless it did not answer a moment ago.
  template <class T>
  Result<T> ask(const std::function<Result<T>()>& read);
  void work();
  void sent(const Entry& entry);
  void evict();

  Options options_;
  FolderStore objects_;
  FolderStore queue_;
  std::unique_ptr<ObjectStore> remote_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;
  std::uint64_t next_ = 1;
  std::deque<Entry> waiting_;
  std::map<std::string, std::uint64_t> newest_;  ///< number of the last put of each name that has not gone
  std::deque<ObjectInfo> cached_;                ///< gone and still here, the oldest first
  std::uint64_t cached_bytes_ = 0;
  State state_;
  SteadyTime quiet_until_;
  std::thread thread_;
};

}  // namespace bowsprit::artifact
