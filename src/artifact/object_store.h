// SPDX-License-Identifier: Apache-2.0
/// Where artifacts go: names to bytes. The folder of one machine today, S3 and GCS by the same seam.
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

#include "base/result.h"

namespace bowsprit::artifact {

struct ObjectInfo {
  std::string name;
  std::uint64_t size = 0;
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  virtual Result<> put(const std::string& name, std::string_view bytes) = 0;
  virtual Result<> put_file(const std::string& name, const std::filesystem::path& file) = 0;
  /// Bytes [offset, offset + length) or to the end. @error not_found
  virtual Result<std::string> get(const std::string& name, std::uint64_t offset = 0,
                                  std::optional<std::uint64_t> length = std::nullopt) = 0;
  virtual Result<ObjectInfo> stat(const std::string& name) = 0;
  /// All objects below a prefix, sorted, at most `limit`.
  virtual Result<std::vector<ObjectInfo>> list(const std::string& prefix, std::size_t limit = 10000) = 0;
};

}  // namespace bowsprit::artifact
