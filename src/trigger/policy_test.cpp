// SPDX-License-Identifier: Apache-2.0
#include "trigger/policy.h"

#include <gtest/gtest.h>

namespace bowsprit::trigger {
namespace {

gerrit::Change by(int owner, int uploader) {
  gerrit::Change change;
  change.owner.id = owner;
  change.uploader.id = uploader;
  return change;
}

TEST(Policy, WordsAreReadBack) {
  for (const Who who : {Who::anyone, Who::owner, Who::group}) EXPECT_EQ(who_from_string(to_string(who)), who);
  EXPECT_FALSE(who_from_string("everybody"));
}

TEST(Policy, OnlyThePatchSetsOfUntrustedUploadersWaitAndOnlyByGroup) {
  struct Case {
    Who who;
    int owner, uploader;
    bool approved, waits;
  };
  for (const Case& one :
       std::vector<Case>{{Who::anyone, 1, 1, false, false},
                         {Who::owner, 1, 1, false, false},
                         {Who::group, 1, 1, false, true},
                         {Who::group, 1, 1, true, false},
                         {Who::group, 9, 1, false, true},   // somebody else's patch set on a trusted change
                         {Who::group, 1, 9, false, false},  // a trusted account rebased it, having seen it
                         {Who::group, 9, 0, false, false},
                         {Who::group, 0, 0, false, true}})
    EXPECT_EQ(why_it_waits({.who = one.who, .trusted = {9}}, by(one.owner, one.uploader), one.approved).has_value(),
              one.waits)
        << to_string(one.who) << " " << one.owner << " " << one.uploader << " " << one.approved;
}

TEST(Policy, AMessageWithoutAuthorIsNobodys) {
  EXPECT_TRUE(why_not_heeded({.who = Who::owner, .trusted = {0}}, by(0, 0), true, 0));
  EXPECT_FALSE(may_approve({.who = Who::group, .trusted = {0}}, 0));
}

TEST(Policy, OwnerAndUploaderAreHeededAfterTheOk) {
  const Policy policy{.who = Who::group, .trusted = {9}};
  for (const int account : {1, 2}) {
    EXPECT_TRUE(why_not_heeded(policy, by(1, 2), false, account));
    EXPECT_FALSE(why_not_heeded(policy, by(1, 2), true, account));
  }
  EXPECT_TRUE(why_not_heeded(policy, by(1, 2), true, 3));
}

}  // namespace
}  // namespace bowsprit::trigger
