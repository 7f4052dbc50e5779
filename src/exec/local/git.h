// SPDX-License-Identifier: Apache-2.0
/// The git program on one bare repository, shut off from the machine's and the person's git configuration.
///
/// Every name that comes from Gerrit or a configuration is checked before it becomes an argument (`safe_ref`,
/// `is_object_id`), and only the transports https, http, ssh, git and file are allowed. Credentials reach git through
/// a pipe that only its credential helper reads: they are in no argument, environment or file.
/// Does not: keep a work tree, ask questions on a terminal, retry.
/// Threads: any; git's own lock files guard a repository's refs.
/// Source: gitcredentials(7), git-config(1) GIT_CONFIG_COUNT, git-check-ref-format(1).
#pragma once

#include <string>
#include <vector>

#include "base/secret.h"
#include "os/files.h"
#include "os/process.h"

namespace bowsprit::exec {

/// How the server proves itself to the git server; all empty: anonymous.
struct GitCredentials {
  std::string user;
  Secret password;
  std::string cookie_file;  ///< as http.cookieFile; not read by us
};

/// A full object name, 40 or 64 lower-case hex digits.
bool is_object_id(std::string_view text);
/// What git-check-ref-format allows, and no leading "-".
bool safe_ref(std::string_view name);

class Git {
 public:
  /// `stop_fd`: readable ends every command at once, with the error cancelled.
  explicit Git(fs::path repository, int stop_fd = -1) : repository_(std::move(repository)), stop_fd_(stop_fd) {}

  /// Runs `git ARGS` to its end, with `extra` added to its environment.
  Result<CommandOutput> run(std::vector<std::string> args, const Environment& extra = {},
                            std::string_view input = {}) const;
  /// The same where any exit code but 0 is an error; gives stdout.
  Result<std::string> checked(std::vector<std::string> args, const Environment& extra = {},
                              std::string_view input = {}) const;
  /// Fetches refspecs from `url`. @error unavailable  the server or the network failed; not_found  a ref is not there;
  /// denied  the server refused our credentials
  Result<> fetch(const std::string& url, const std::vector<std::string>& refspecs, const GitCredentials& credentials,
                 milliseconds limit) const;
  /// What `git ls-remote --symref URL HEAD` prints. Errors as of `fetch`.
  Result<std::string> remote_head(const std::string& url, const GitCredentials& credentials) const;

  [[nodiscard]] const fs::path& repository() const { return repository_; }
  [[nodiscard]] int stop_fd() const { return stop_fd_; }

 private:
  Result<CommandOutput> run_remote(std::vector<std::string> args, const std::string& url,
                                   const std::vector<std::string>& refs, const GitCredentials& credentials,
                                   milliseconds limit) const;
  fs::path repository_;
  int stop_fd_;
};

}  // namespace bowsprit::exec
