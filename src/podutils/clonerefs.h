// SPDX-License-Identifier: Apache-2.0
/// `clonerefs` checks out all repositories of a job, several at once, and writes down what it did (Prow's pkg/clonerefs).
///
/// Keys go into an ssh-agent that ends with us; host fingerprints, and the cookie file that submodules need too, into
/// files of ours that end with us: a person's ~/.ssh and ~/.gitconfig stay as they are.
/// Does not: report to anybody; initupload does. Threads: makes one for each repository, or as many as the options say.
#pragma once

#include "podutils/clone_record.h"
#include "podutils/options.h"

namespace bowsprit::podutils {

/// The set-up's record, then one for each of `options.refs` in their order; only the first where the set-up failed.
std::vector<CloneRecord> clone_all(const CloneOptions& options);

/// Clones and writes the log. @error conflict  something failed and `options.fail`
Result<> run_clonerefs(const CloneOptions& options);

}  // namespace bowsprit::podutils
