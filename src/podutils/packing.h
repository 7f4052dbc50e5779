// SPDX-License-Identifier: Apache-2.0
/// What a bucket is told of a file beside its bytes, and gzip on the way there: the rules of Prow's uploads
/// (pkg/pod-utils/gcs/upload.go, metadata.go; `mediaTypes` and `compress_file_types` of the configuration).
///
/// Files above 1 KiB of the named types are packed, unless they are already; a file that came packed is said to be. Unlike
/// in Prow both go by the bytes too: a "x.gz" that is none would be unreadable. Threads: any.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "artifact/object_store.h"

namespace bowsprit::podutils {

/// The bytes themselves, or the file that holds them.
using Content = std::variant<std::string, std::filesystem::path>;

/// "build-log.txt" of "build-log.txt.gz": the packing is an attribute of the object, not a part of its name. An archive
/// "x.tar.gz" stays what it is.
std::string name_without_packing(std::string name);

struct Packing {
  std::map<std::string, std::string> media_types;  ///< by extension, without the dot
  std::vector<std::string> compress_types;         ///< likewise; "*": all
};
struct Packed {
  Content content;
  artifact::Attributes attributes;
};
/// @param scratch  an empty file name for the packed bytes, which must live until they are uploaded
Result<Packed> pack(const std::string& name, const Content& content, const Packing& packing,
                    const std::filesystem::path& scratch);

}  // namespace bowsprit::podutils
