// SPDX-License-Identifier: Apache-2.0
/// An ObjectStore in a folder of this machine, in which other programs may look at the files too.
///
/// Objects are written to a temp file beside their place, synced and renamed: complete or absent, also after a crash.
/// The content comes from code under test, so nothing of it is trusted: names are checked, symbolic links are not
/// followed anywhere below the root (openat2 with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS), only plain files are
/// objects. Does not: expire, or keep attributes. Threads: any.
#pragma once

#include <functional>

#include "artifact/object_store.h"
#include "os/fd.h"

namespace bowsprit::artifact {

class FolderStore final : public ObjectStore {
 public:
  /// Creates the folder where it is absent.
  static Result<FolderStore> open(const std::filesystem::path& root);

  using ObjectStore::put;
  using ObjectStore::put_file;
  Result<> put(const std::string& name, std::string_view bytes, const Attributes& attributes) override;
  Result<> put_file(const std::string& name, const std::filesystem::path& file, const Attributes& attributes) override;
  Result<std::string> get(const std::string& name, std::uint64_t offset = 0,
                          std::optional<std::uint64_t> length = std::nullopt) override;
  Result<ObjectInfo> stat(const std::string& name) override;
  Result<std::vector<ObjectInfo>> list(const std::string& prefix, std::size_t limit = 10000) override;
  Result<> remove(const std::string& name) override;

 private:
  struct Draft;
  explicit FolderStore(std::filesystem::path path, Fd root) : path_(std::move(path)), root_(std::move(root)) {}
  Result<Fd> open_below(const std::string& name, int flags) const;
  Result<Fd> make_folder_of(const std::string& name) const;
  Result<> write_once(const std::string& name, const std::function<Result<>(const Fd&)>& fill) const;
  Result<> write(const std::string& name, const std::function<Result<>(const Fd&)>& fill) const;

  std::filesystem::path path_;
  Fd root_;
};

}  // namespace bowsprit::artifact
