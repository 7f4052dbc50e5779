// SPDX-License-Identifier: Apache-2.0
#include "trigger/policy.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/strings.h"

namespace bowsprit::trigger {
namespace {

constexpr std::array kWords{std::pair{Who::anyone, std::string_view("anyone")},
                            std::pair{Who::owner, std::string_view("owner")},
                            std::pair{Who::group, std::string_view("group")}};

/// Gerrit leaves the uploader out where it is not asked for; then it is the owner.
const gerrit::Account& uploader_of(const gerrit::Change& change) {
  return change.uploader.id != 0 ? change.uploader : change.owner;
}

bool is_trusted(const Policy& policy, int account) { return account != 0 && policy.trusted.contains(account); }

std::string name_of(const gerrit::Account& account) {
  const std::string name = account.username.empty() ? account.name : account.username;
  return name.empty() ? fmt::format("account {}", account.id) : printable(shorten(name, 60));
}

}  // namespace

std::string_view to_string(Who who) {
  const auto* it = std::ranges::find(kWords, who, &decltype(kWords)::value_type::first);
  return it == kWords.end() ? "?" : it->second;
}

std::optional<Who> who_from_string(std::string_view word) {
  const auto* it = std::ranges::find(kWords, word, &decltype(kWords)::value_type::second);
  return it == kWords.end() ? std::nullopt : std::optional(it->first);
}

std::optional<std::string> why_it_waits(const Policy& policy, const gerrit::Change& change, bool approved) {
  if (policy.who != Who::group || approved || is_trusted(policy, uploader_of(change).id)) return std::nullopt;
  return fmt::format("waits for /ok-to-test by a trusted account, as {} is none", name_of(uploader_of(change)));
}

std::optional<std::string> why_not_heeded(const Policy& policy, const gerrit::Change& change, bool approved,
                                          int account) {
  if (policy.who == Who::anyone || is_trusted(policy, account)) return std::nullopt;
  const bool own = account != 0 && (account == change.owner.id || account == change.uploader.id);
  if (own && (policy.who == Who::owner || approved)) return std::nullopt;
  return fmt::format(
      "a command of account {} is not heeded: {}", account,
      own ? "the change waits for /ok-to-test by a trusted account" : "it is neither trusted nor the owner");
}

bool may_approve(const Policy& policy, int account) { return is_trusted(policy, account); }

}  // namespace bowsprit::trigger
