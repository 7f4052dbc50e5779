// SPDX-License-Identifier: Apache-2.0
#include "gerrit/event_stream.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <random>

#include "base/json.h"
#include "base/log.h"
#include "base/strings.h"
#include "os/process.h"

namespace bowsprit::gerrit {
namespace {

constexpr std::size_t kLineLimit = 4U << 20U;  // a commit message and an approval list fit many times over

std::vector<std::string> ssh_command(const StreamOptions& options) {
  std::vector<std::string> argv{"ssh",
                                "-T",
                                "-x",
                                "-o",
                                "BatchMode=yes",
                                "-o",
                                "ServerAliveInterval=15",
                                "-o",
                                "ServerAliveCountMax=3",
                                "-o",
                                "ConnectTimeout=10",
                                "-p",
                                std::to_string(options.port)};
  if (!options.key_file.empty()) argv.insert(argv.end(), {"-i", options.key_file.string(), "-o", "IdentitiesOnly=yes"});
  if (!options.known_hosts.empty())
    argv.insert(argv.end(), {"-o", "UserKnownHostsFile=" + options.known_hosts.string()});
  argv.push_back("--");
  argv.push_back(options.user.empty() ? options.host : options.user + "@" + options.host);
  argv.insert(argv.end(), {"gerrit", "stream-events"});
  return argv;
}

}  // namespace

std::optional<Event> parse_event(std::string_view line) {
  const auto json = parse_json(line);
  if (!json || json_string(*json, "type").empty()) return std::nullopt;
  Event event;
  event.type = json_string(*json, "type");
  const Json& change = json_get(*json, "change");
  event.project = json_string(change, "project");
  if (event.project.empty()) event.project = json_string(json_get(*json, "refUpdate"), "project");
  event.change = static_cast<int>(json_int(change, "number"));
  return event;
}

EventStream::EventStream(StreamOptions options, Wake wake) : options_(std::move(options)), wake_(std::move(wake)) {
  if (auto pipe = Pipe::create()) {
    stop_ = std::move(*pipe);
    thread_ = std::thread([this] { loop(); });
  } else {
    log_error("gerrit", "event stream: {}", pipe.error().text());
  }
}

EventStream::~EventStream() {
  stop_.writer.reset();  // readable end of file: stop
  if (thread_.joinable()) thread_.join();
}

bool EventStream::pause(milliseconds time) {
  pollfd entry{stop_.reader.get(), POLLIN, 0};
  return ::poll(&entry, 1, static_cast<int>(time.count())) == 0;
}

void EventStream::loop() {
  std::mt19937 random{std::random_device{}()};
  std::string told;
  int failures = 0;
  while (true) {
    const std::string complaint = listen();
    failures = connected_.exchange(false) ? 1 : failures + 1;
    const bool refused = complaint.find("stream events not permitted") != std::string::npos;
    if (!complaint.empty() && complaint != told) {
      told = complaint;
      log_warn("gerrit", "event stream of {}: {}{}", options_.host, complaint,
               refused ? "; give the account the global capability Stream Events; until then only the poll sees changes"
                       : "");
    }
    milliseconds wait = refused ? options_.longest_retry : options_.first_retry * (1 << std::min(failures - 1, 6));
    wait = std::min(wait, options_.longest_retry);
    wait += milliseconds(std::uniform_int_distribution<std::int64_t>(0, wait.count() / 4)(random));
    if (!pause(wait)) return;
  }
}

std::string EventStream::listen() {
  auto out = Pipe::create();
  auto err = Pipe::create();
  if (!out || !err) return "no more file descriptors";
  auto child = ChildProcess::spawn(
      {.argv = ssh_command(options_), .stdout_fd = out->writer.get(), .stderr_fd = err->writer.get()});
  if (!child) return child.error().text();
  out->writer.reset();
  err->writer.reset();
  std::string line;
  std::string complaint;
  bool skipping = false;  // the rest of a line over the limit
  std::array<char, 65536> buffer{};
  // Gerrit says nothing when the stream begins, so a while without an end counts as connected; then what was missed is polled.
  bool greeted = false;
  while (true) {
    std::array<pollfd, 3> entries{pollfd{stop_.reader.get(), POLLIN, 0}, pollfd{out->reader.get(), POLLIN, 0},
                                  pollfd{err->reader.get(), POLLIN, 0}};
    const int ready = ::poll(entries.data(), entries.size(), greeted ? -1 : 1500);
    if (entries[0].revents != 0) return {};
    if (ready == 0 || (ready > 0 && entries[1].revents == POLLIN && !greeted)) {
      greeted = true;
      connected_ = true;
      log_info("gerrit", "event stream of {} is open", options_.host);
      wake_({});
    }
    if (ready <= 0) continue;
    if (entries[2].revents != 0) {
      const auto count = err->reader.read(buffer.data(), buffer.size());
      if (!count || *count == 0) {
        err->reader.reset();
      } else if (complaint.size() < 2000) {
        complaint += printable({buffer.data(), *count});
      }
    }
    if (entries[1].revents == 0) continue;
    const auto count = out->reader.read(buffer.data(), buffer.size());
    if (!count || *count == 0) break;
    std::string_view bytes(buffer.data(), *count);
    while (!bytes.empty()) {
      const auto end = bytes.find('\n');
      if (!skipping) line += bytes.substr(0, end);
      if (line.size() > kLineLimit) {
        line.clear();
        skipping = true;
      }
      if (end == std::string_view::npos) break;
      if (!skipping)
        if (const auto event = parse_event(line)) wake_(*event);
      line.clear();
      skipping = false;
      bytes.remove_prefix(end + 1);
    }
  }
  // The reason may come after the end of the output.
  while (err->reader) {
    const auto count = err->reader.read(buffer.data(), buffer.size());
    if (!count || *count == 0) break;
    if (complaint.size() < 2000) complaint += printable({buffer.data(), *count});
  }
  const auto status = child->wait_for(milliseconds(2000));
  const std::string_view text = trim(complaint);
  const std::string_view last = text.substr(text.rfind('\n') == std::string_view::npos ? 0 : text.rfind('\n') + 1);
  if (!last.empty()) return std::string(last);
  return status && *status ? "the connection ended, " + (*status)->text() : "the connection ended";
}

}  // namespace bowsprit::gerrit
