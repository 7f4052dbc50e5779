// SPDX-License-Identifier: Apache-2.0
/// Runs git for clonerefs and writes down each run as Prow's records have it: the command, stdout and stderr together, the
/// error and how long it took.
///
/// A token reaches git through a memory file that only its credential helper reads: it is in no URL, argument,
/// environment or file, and is replaced in what git prints. git asks nothing on a terminal.
/// Does not: decide what to run. Threads: one Git per thread; a Session may be shared.
#pragma once

#include <string>
#include <vector>

#include "base/secret.h"
#include "os/files.h"
#include "os/process.h"
#include "podutils/clone_record.h"

namespace bowsprit::podutils {

struct GitToken {
  std::string user;
  Secret password;
  std::string secret_text;  ///< what must not be shown, where that is not the password but the user
};

class GitRun {
 public:
  /// @param extra  added to the environment, and shown in the records (ssh-agent, known hosts)
  /// @param hidden  added to the environment, not shown
  GitRun(CloneRecord& record, std::string folder, Environment extra, Environment hidden, GitToken token)
      : record_(record),
        folder_(std::move(folder)),
        extra_(std::move(extra)),
        hidden_(std::move(hidden)),
        token_(std::move(token)) {}

  /// Adds the run to the record; false: it failed, and so has the record.
  bool command(std::vector<std::string> argv, const Environment& only_here = {});
  /// The same for what may fail without harm to the record. The output is that of the run.
  bool attempt(std::vector<std::string> argv, CloneCommand& out, const Environment& only_here = {}) const;
  /// `git ARGS` unrecorded; its stdout without the last newline, empty where it failed.
  [[nodiscard]] std::string ask(std::vector<std::string> args) const;
  void note(CloneCommand command, bool failed);

  /// Where credentials are valid: "https://host:port"; empty: there are none for this URL.
  void use_token_for(const std::string& url);

 private:
  [[nodiscard]] std::string censored(std::string text) const;
  CloneRecord& record_;
  std::string folder_;
  Environment extra_;
  Environment hidden_;
  GitToken token_;
  std::string origin_;
};

}  // namespace bowsprit::podutils
