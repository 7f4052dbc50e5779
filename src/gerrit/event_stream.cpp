// SPDX-License-Identifier: Apache-2.0
#include "gerrit/event_stream.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <limits>
#include <random>

#include "base/json.h"
#include "base/log.h"
#include "base/strings.h"
#include "os/process.h"

namespace bowsprit::gerrit {
namespace {

constexpr std::size_t kLineLimit = 4U << 20U;  // a commit message and an approval list fit many times over

/// Bytes to lines; one over the limit is dropped as a whole.
class Lines {
 public:
  template <class Take>
  void add(std::string_view bytes, Take take) {
    while (!bytes.empty()) {
      const auto end = bytes.find('\n');
      if (!too_long_) line_ += bytes.substr(0, end);
      if (line_.size() > kLineLimit) {
        too_long_ = true;
        line_.clear();
      }
      if (end == std::string_view::npos) return;
      if (!too_long_) take(std::string_view(line_));
      line_.clear();
      too_long_ = false;
      bytes.remove_prefix(end + 1);
    }
  }

 private:
  std::string line_;
  bool too_long_ = false;
};

/// What ssh itself prints once it is logged in; Gerrit says nothing when a stream begins.
constexpr std::string_view kConnected = "bowsprit-connected";
/// A connection that ends sooner counts as one more failure, so that the next try waits longer.
constexpr seconds kStable{30};

std::vector<std::string> ssh_command(const StreamOptions& options) {
  std::vector<std::string> argv{options.ssh_program, "-T", "-x", "-p", std::to_string(options.port)};
  const auto option = [&argv](std::string text) { argv.insert(argv.end(), {"-o", std::move(text)}); };
  option("BatchMode=yes");  // no question, so an unknown host key is an error
  option("ServerAliveInterval=15");
  option("ServerAliveCountMax=3");
  option("ConnectTimeout=10");
  option("ControlMaster=no");  // a connection of our own
  option("ControlPath=none");
  option("PermitLocalCommand=yes");
  option(fmt::format("LocalCommand=echo {}", kConnected));
  if (!options.key_file.empty()) {
    argv.insert(argv.end(), {"-i", options.key_file.string()});
    option("IdentitiesOnly=yes");
  }
  if (!options.known_hosts.empty()) option("UserKnownHostsFile=" + options.known_hosts.string());
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
  const Json& update = json_get(*json, "refUpdate");
  event.project = json_string(change, "project");
  event.branch = json_string(change, "branch");
  event.ref = json_string(json_get(*json, "patchSet"), "ref");
  if (update.is_object()) {
    event.project = json_string(update, "project");
    event.ref = json_string(update, "refName");
  }
  const std::int64_t number = json_int(change, "number");
  if (number > 0 && number <= std::numeric_limits<int>::max()) event.change = static_cast<int>(number);
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
    const auto begin = std::chrono::steady_clock::now();
    const std::string complaint = listen();
    const bool stable = connected_.exchange(false) && std::chrono::steady_clock::now() - begin > kStable;
    failures = stable ? 1 : failures + 1;
    const bool refused = complaint.find("stream events not permitted") != std::string::npos;
    if (!complaint.empty() && complaint != told) {
      told = complaint;
      log_warn("gerrit", "event stream of {}: {}{}", options_.host, complaint,
               refused ? "; give the account the global capability Stream Events; until then only the poll sees changes"
                       : "; connecting again");
    }
    milliseconds wait = refused ? options_.longest_retry : options_.first_retry * (1 << std::min(failures - 1, 6));
    wait = std::min(wait, options_.longest_retry);
    wait += milliseconds(std::uniform_int_distribution<std::int64_t>(0, wait.count() / 4)(random));
    if (!pause(wait)) return;
  }
}

void EventStream::take(std::string_view line) {
  if (line == kConnected) {
    connected_ = true;
    log_info("gerrit", "event stream of {} is open", options_.host);
    wake_({});
  } else if (const auto event = parse_event(line)) {
    wake_(*event);
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
  Lines lines;
  std::string complaint;
  std::array<char, 65536> buffer{};
  while (out->reader || err->reader) {
    std::array<pollfd, 3> entries{pollfd{stop_.reader.get(), POLLIN, 0}, pollfd{out->reader.get(), POLLIN, 0},
                                  pollfd{err->reader.get(), POLLIN, 0}};  // poll ignores a closed one, -1
    if (::poll(entries.data(), entries.size(), -1) < 0) continue;         // EINTR
    if (entries[0].revents != 0) return {};
    if (entries[1].revents != 0) {
      const auto count = out->reader.read(buffer.data(), buffer.size());
      if (!count || *count == 0)
        out->reader.reset();
      else
        lines.add({buffer.data(), *count}, [this](std::string_view line) { take(line); });
    }
    if (entries[2].revents != 0) {
      const auto count = err->reader.read(buffer.data(), buffer.size());
      if (!count || *count == 0)
        err->reader.reset();
      else if (complaint.size() < 4096)
        complaint += printable({buffer.data(), *count});
    }
  }
  const auto status = child->wait_for(seconds(2));
  const auto said = split_lines(trim(complaint));
  if (!said.empty()) return said.back();
  return status && *status ? "the connection ended, " + (*status)->text() : "the connection ended";
}

}  // namespace bowsprit::gerrit
