// SPDX-License-Identifier: Apache-2.0
/// Where artifacts go: names to bytes. A folder (folder_store.h), S3 (s3_store.h), Google's GCS (gcs_store.h), or one of
/// the latter two behind a folder on this machine that outlasts its absence (spool_store.h).
///
/// An object is complete or absent, never half. Names are relative, '/'-separated, without "." and ".." parts; others
/// are refused. Threads: any.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace bowsprit::artifact {

/// Whether `name` is a name of an object: relative, '/'-separated parts of at most 255 bytes, none empty, "." or "..",
/// none like our temp files, no NUL; at most 1024 bytes in all, as S3 has it.
bool is_object_name(std::string_view name);

inline constexpr std::string_view kDraftPrefix = ".draft-";  ///< of a FolderStore's temp files

struct ObjectInfo {
  std::string name;
  std::uint64_t size = 0;
};

/// What HTTP says of an object beside its bytes. A folder keeps none of it.
struct Attributes {
  std::string content_type;      ///< empty: by name and content (content_type.h)
  std::string content_encoding;  ///< "gzip" where the bytes are packed
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  virtual Result<> put(const std::string& name, std::string_view bytes, const Attributes& attributes) = 0;
  virtual Result<> put_file(const std::string& name, const std::filesystem::path& file,
                            const Attributes& attributes) = 0;
  Result<> put(const std::string& name, std::string_view bytes) { return put(name, bytes, {}); }
  Result<> put_file(const std::string& name, const std::filesystem::path& file) { return put_file(name, file, {}); }
  /// Bytes [offset, offset + length) or to the end. @error not_found
  virtual Result<std::string> get(const std::string& name, std::uint64_t offset = 0,
                                  std::optional<std::uint64_t> length = std::nullopt) = 0;
  virtual Result<ObjectInfo> stat(const std::string& name) = 0;
  /// All objects below a prefix, sorted, at most `limit`.
  virtual Result<std::vector<ObjectInfo>> list(const std::string& prefix, std::size_t limit = 10000) = 0;
  /// That there is none is fine.
  virtual Result<> remove(const std::string& name) = 0;
  /// A URL by which anybody may read the object until `lifetime` is over. Whether there is one is not looked at.
  /// @error bad_config  this store, or what it knows of credentials, can't do that
  virtual Result<std::string> signed_url(const std::string& name, seconds lifetime);
  /// For the end of the program: requests under way and all later ones fail soon, as cancelled.
  virtual void cancel() {}
};

}  // namespace bowsprit::artifact
