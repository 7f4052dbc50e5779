// SPDX-License-Identifier: Apache-2.0
/// Copies of files without secrets, as they are uploaded: the job may still write to the originals.
///
/// Without secrets there is nothing to take out, and the originals themselves are uploaded. Fails closed: what can't be
/// copied or censored is withheld. Does not: upload. Threads: one owner.
#pragma once

#include "podutils/archive_censor.h"
#include "podutils/upload.h"

namespace bowsprit::podutils {

class Staging {
 public:
  /// @param options  nullopt: no censoring was asked for
  static Result<Staging> create(const std::optional<CensoringOptions>& options);

  /// Whether the secrets could be read; else everything is withheld.
  [[nodiscard]] bool censor_works() const { return why_not_.empty(); }
  [[nodiscard]] const std::string& why_not() const { return why_not_; }

  /// What to upload as a log: also a sentence that says why it is not there.
  Content take_log(const fs::path& file);
  /// What to upload for an artifact; an empty path: withheld. `items` are the folders that globs are relative to.
  fs::path take_artifact(const fs::path& file, const std::vector<std::string>& items);
  /// The text of a small file, censored.
  Result<std::string> read(const std::string& file) const;
  /// Our own text, which may quote the job.
  [[nodiscard]] std::string censored(std::string text) const;

  /// "name: why" of each that was.
  [[nodiscard]] const std::vector<std::string>& withheld() const { return withheld_; }

 private:
  Staging(CensoringOptions options, TempDir folder) : options_(std::move(options)), folder_(std::move(folder)) {}
  Result<fs::path> copy(const fs::path& file);

  CensoringOptions options_;
  TempDir folder_;
  Censor censor_;
  std::string why_not_;
  std::vector<std::string> withheld_;
  int count_ = 0;
};

}  // namespace bowsprit::podutils
