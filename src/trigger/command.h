// SPDX-License-Identifier: Apache-2.0
/// The commands in one message (Prow: pkg/pjutil/filter.go and help.go). Inside trigger/ only.
#pragma once

#include <string>

#include "gerrit/change.h"

namespace bowsprit::trigger {

struct Commands {
  std::string
      text;  ///< what may hold a job's own trigger: the message without quoted lines; empty for posts of programs
  bool test_all = false;
  bool retest = false;
  bool retest_required = false;
  bool test_manual_required = false;
  bool ready = false;  ///< the change left "work in progress"

  // What deserves an answer.
  bool asks_help = false;          ///< "/test ?"
  bool test_without_name = false;  ///< "/test"
  bool retest_with_name = false;   ///< "/retest x"
  std::string named;               ///< "/test x y": "x y", for the answer that there is no such job
};

Commands commands_in(const gerrit::Message& message);

}  // namespace bowsprit::trigger
