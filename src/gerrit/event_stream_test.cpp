// SPDX-License-Identifier: Apache-2.0
#include "gerrit/event_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/channel.h"
#include "base/strings.h"
#include "os/files.h"

namespace bowsprit::gerrit {
namespace {

/// A stand-in for ssh: a shell script, called with ssh's arguments.
class FakeSsh {
 public:
  explicit FakeSsh(const std::string& script) : folder_(*TempDir::create("ssh")) {
    const auto program = folder_.path() / "ssh";
    EXPECT_TRUE(write_file(program, "#!/bin/sh\ncd " + folder_.path().string() + "\n" + script, 0755));
    fs::permissions(program, fs::perms::owner_all);
    options.ssh_program = program.string();
    options.host = "gerrit.example";
    options.user = "ci";
    options.key_file = "/keys/id";
    options.known_hosts = "/keys/known_hosts";
    options.first_retry = milliseconds(10);
    options.longest_retry = milliseconds(50);
  }
  [[nodiscard]] std::string file(const std::string& name) const {
    return read_file(folder_.path() / name).value_or("");
  }

  StreamOptions options;

 private:
  TempDir folder_;
};

/// Event types as they come; "" after a connect.
class Events {
 public:
  EventStream::Wake wake() {
    return [this](const Event& event) { channel_.push(event); };
  }
  Event next() {
    auto event = channel_.pop_until(std::chrono::steady_clock::now() + seconds(20));
    EXPECT_TRUE(event) << "no event came";
    return event.value_or(Event{.type = "none"});
  }

 private:
  Channel<Event> channel_;
};

TEST(EventStream, WakesAfterEachConnectAndForEachEvent) {
  FakeSsh ssh(R"(
echo "$@" > arguments
echo bowsprit-connected
echo '{"type":"patchset-created","change":{"project":"linux","branch":"master","number":7},"patchSet":{"ref":"refs/changes/07/7/1"}}'
echo 'not json'
echo '{"type":"ref-updated","refUpdate":{"project":"linux","refName":"refs/heads/master"}}'
exec sleep 60)");
  Events events;
  EventStream stream(ssh.options, events.wake());
  EXPECT_EQ(events.next().type, "");
  EXPECT_TRUE(stream.connected());
  const auto created = events.next();
  EXPECT_EQ(created.type, "patchset-created");
  EXPECT_EQ(created.project, "linux");
  EXPECT_EQ(created.change, 7);
  EXPECT_EQ(created.ref, "refs/changes/07/7/1");
  const auto updated = events.next();
  EXPECT_EQ(updated.type, "ref-updated");
  EXPECT_EQ(updated.ref, "refs/heads/master");
  const std::string words = ssh.file("arguments");
  EXPECT_THAT(words, testing::HasSubstr("BatchMode=yes"));
  EXPECT_THAT(words, testing::HasSubstr("UserKnownHostsFile=/keys/known_hosts"));
  EXPECT_THAT(words, testing::EndsWith("-- ci@gerrit.example gerrit stream-events\n"));
}

TEST(EventStream, ConnectsAgainWhenTheConnectionEnds) {
  FakeSsh ssh("echo bowsprit-connected; echo '{\"type\":\"x\"}'; echo broken pipe >&2; exit 255");
  Events events;
  EventStream stream(ssh.options, events.wake());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(events.next().type, "");
    EXPECT_EQ(events.next().type, "x");
  }
}

TEST(EventStream, IsNotConnectedWhereGerritDoesNotPermitIt) {
  FakeSsh ssh("echo tried >> tries; echo 'fatal: stream events not permitted' >&2; exit 1");
  Events events;
  ssh.options.longest_retry = std::chrono::hours(1);
  {
    EventStream stream(ssh.options, events.wake());
    const auto end = std::chrono::steady_clock::now() + seconds(20);
    while (ssh.file("tries").empty() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    EXPECT_FALSE(stream.connected());
  }
  EXPECT_EQ(ssh.file("tries"), "tried\n") << "asked again at once";
}

TEST(EventStream, DropsALineWithoutEnd) {
  FakeSsh ssh(
      "echo bowsprit-connected; head -c 20000000 /dev/zero | tr '\\0' x; echo; echo '{\"type\":\"after\"}'; exec sleep "
      "60");
  Events events;
  EventStream stream(ssh.options, events.wake());
  EXPECT_EQ(events.next().type, "");
  EXPECT_EQ(events.next().type, "after");
}

TEST(EventStream, StopsAtOnceWhateverSshDoes) {
  FakeSsh ssh("trap '' TERM; echo bowsprit-connected; sleep 60; sleep 60");
  Events events;
  auto begin = std::chrono::steady_clock::now();
  {
    EventStream stream(ssh.options, events.wake());
    events.next();
    begin = std::chrono::steady_clock::now();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5));
}

TEST(ParseEvent, TakesForeignTextAsItIs) {
  EXPECT_FALSE(parse_event(""));
  EXPECT_FALSE(parse_event("[]"));
  EXPECT_FALSE(parse_event(R"({"type": 3})"));
  const auto strange = parse_event(R"({"type":"x","change":[1],"refUpdate":"y","patchSet":null})");
  ASSERT_TRUE(strange);
  EXPECT_EQ(strange->change, 0);
  EXPECT_EQ(parse_event(R"({"type":"x","change":{"number":99999999999}})")->change, 0);
}

}  // namespace
}  // namespace bowsprit::gerrit
