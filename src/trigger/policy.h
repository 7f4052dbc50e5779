// SPDX-License-Identifier: Apache-2.0
/// Who may start jobs. Prow has no such question: there every account that can comment can start every job.
///
///   anyone   patch sets of all accounts run by themselves, and commands of all accounts are heeded (as Prow; the default)
///   owner    patch sets of all accounts run by themselves; commands are heeded from the change's owner, from who uploaded the
///            patch set, and from trusted accounts
///   group    patch sets that a trusted account uploaded run by themselves; others wait until a trusted account writes
///            /ok-to-test, which holds for the rest of the change's life. Commands are heeded from trusted accounts, after
///            /ok-to-test also from owner and uploader
///
/// Trusted are the members of a Gerrit group and accounts that the operator names; whoever asks has turned both into ids.
/// Pure. Does not: know groups or names. Threads: values.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "gerrit/change.h"

namespace bowsprit::trigger {

enum class Who { anyone, owner, group };
std::string_view to_string(Who who);
std::optional<Who> who_from_string(std::string_view word);

struct Policy {
  Who who = Who::anyone;
  std::set<int> trusted;  ///< account ids
};

/// Why this patch set does not run by itself; nullopt where it does. `approved`: somebody trusted wrote /ok-to-test.
std::optional<std::string> why_it_waits(const Policy& policy, const gerrit::Change& change, bool approved);

/// Why commands of this account are not heeded; nullopt where they are.
std::optional<std::string> why_not_heeded(const Policy& policy, const gerrit::Change& change, bool approved,
                                          int account);

/// Whether this account's /ok-to-test counts.
bool may_approve(const Policy& policy, int account);

}  // namespace bowsprit::trigger
