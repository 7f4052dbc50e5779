// SPDX-License-Identifier: Apache-2.0
/// Secrets out of files before they are uploaded (Prow's pkg/sidecar/censor.go, pkg/secretutil).
///
/// As Prow: the text of each secret file, its trimmed form and base64 of both, the passwords of container registries' files
/// and the values of INI files are overwritten by as many "X". Better than there: it fails closed. What can't be read as a
/// whole - a damaged or encrypted archive, one within too many others - is an error of that file, which is then not
/// uploaded. Archives (archive_censor.h) are read in all formats of libarchive.
/// Does not: know other encodings of a secret, or guess what a secret is. Threads: a Censor is immutable; any.
#pragma once

#include <string>
#include <vector>

#include "os/files.h"
#include "podutils/options.h"

namespace bowsprit::podutils {

class Censor {
 public:
  Censor() = default;
  /// @param minimum_length  shorter ones are no secrets; "true" and "false" never are
  Censor(const std::vector<std::string>& secrets, std::int64_t minimum_length);

  /// Reads all files of the secret directories.
  /// @error a file can't be read, or not as what its name says; then nothing may be uploaded
  static Result<Censor> load(const CensoringOptions& options);

  [[nodiscard]] bool empty() const { return needles_.empty(); }
  [[nodiscard]] std::size_t longest() const { return longest_; }

  /// Overwrites every secret in `text`; whether there was one.
  bool mask(std::string& text) const;
  /// The same in a file, in place, in constant memory.
  [[nodiscard]] Result<bool> mask_file(const fs::path& file) const;

 private:
  friend class MaskStream;
  std::vector<std::string> needles_;
  std::size_t longest_ = 0;
};

/// Whether a secret is in bytes that come piece by piece.
class MaskStream {
 public:
  explicit MaskStream(const Censor& censor) : censor_(censor) {}
  void feed(std::string_view bytes);
  [[nodiscard]] bool found() const { return found_; }

 private:
  const Censor& censor_;
  std::string window_;
  bool found_ = false;
};

/// Whether a path is to be censored: not excluded, and included where anything is.
bool is_censored(const CensoringOptions& options, std::string_view path);

/// "*" within a folder, "**" across folders, "?", "[abc]", "{a,b}".
bool glob_matches(std::string_view pattern, std::string_view path);

}  // namespace bowsprit::podutils
