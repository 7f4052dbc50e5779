// SPDX-License-Identifier: Apache-2.0
/// The commands in one message (Prow: pkg/pjutil/filter.go and help.go). Inside trigger/ only.
#pragma once

#include <string>
#include <vector>

#include "gerrit/change.h"

namespace bowsprit::trigger {

struct Commands {
  std::string
      text;  ///< what may hold a job's own trigger: the message without quoted lines; empty for posts of programs
  bool test_all = false;
  bool retest = false;
  bool retest_required = false;
  bool test_manual_required = false;
  bool ready = false;              ///< the change left "work in progress"
  bool ok_to_test = false;         ///< "/ok-to-test": bowsprit's own on Gerrit, named as Prow's on GitHub
  bool abort_all = false;          ///< "/abort", bowsprit's own
  std::vector<std::string> abort;  ///< "/abort x y": names of jobs

  // What deserves an answer.
  bool asks_help = false;          ///< "/test ?"
  bool test_without_name = false;  ///< "/test"
  bool retest_with_name = false;   ///< "/retest x"
  std::string named;               ///< "/test x y": "x y", for the answer that there is no such job

  /// True where it asks for anything but a job's own trigger, which only the job knows.
  [[nodiscard]] bool any() const {
    return test_all || retest || retest_required || test_manual_required || ready || ok_to_test || abort_all ||
           !abort.empty() || asks_help || test_without_name || retest_with_name || !named.empty();
  }
};

Commands commands_in(const gerrit::Message& message);

}  // namespace bowsprit::trigger
