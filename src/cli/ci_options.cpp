// SPDX-License-Identifier: Apache-2.0
#include "cli/ci_options.h"

#include "base/log.h"
#include "base/strings.h"

namespace bowsprit::cli {
namespace {

/// "host:port", "user@host:port" or "host".
Result<app::StreamEventsConfig> stream_events(std::string text) {
  app::StreamEventsConfig stream;
  if (const auto at = text.find('@'); at != std::string::npos) {
    stream.user = text.substr(0, at);
    text.erase(0, at + 1);
  }
  const auto colon = text.rfind(':');
  stream.host = text.substr(0, colon);
  if (colon != std::string::npos) {
    const auto port = parse_int(text.substr(colon + 1));
    if (!port || *port < 1 || *port > 65535)
      return fail(ErrorKind::usage, "--ssh: expected [USER@]HOST[:PORT], got '{}'", text);
    stream.port = static_cast<int>(*port);
  }
  if (stream.host.empty() || stream.host.starts_with('-'))
    return fail(ErrorKind::usage, "--ssh: expected [USER@]HOST[:PORT], got '{}'", text);
  return stream;
}

std::filesystem::path absolute(const std::string& path) {
  return path.empty() ? std::filesystem::path() : std::filesystem::absolute(path);
}

}  // namespace

std::vector<Option> ci_options() {
  return {{"config", "FILE", "bowsprit.yaml; see docs/operators.md"},
          {"gerrit", "URL", "Gerrit's address, https://host[/prefix]"},
          {"repo", "NAME", "project to watch", true},
          {"user", "NAME", "Gerrit account, with --password-file"},
          {"password-file", "FILE", "holds the account's HTTP password"},
          {"cookie-file", "FILE", "gitcookies file, instead of user and password"},
          {"ssh", "HOST:PORT", "also listen to stream-events there ([USER@]HOST[:PORT])"},
          {"ssh-key", "FILE", "private key for --ssh"},
          {"ssh-known-hosts", "FILE", "known_hosts for --ssh"},
          {"label", "NAME", "label to vote on (default Verified; '' for none)"},
          {"prow", "PATH", "Prow job file or folder; without, one kunit job for every patch set", true},
          {"state", "DIR", "database, artifacts, mirrors, warm trees (default bowsprit-state)"},
          {"listen", "ADDRESS:PORT", "web pages (default 127.0.0.1:8090; port 0: any free one)"},
          {"token-file", "FILE", "whoever has the token in FILE may rerun and abort (default: nobody)"},
          {"public-url", "URL", "how people reach the web pages; in reports"},
          {"jobs", "N", "runs at once (default 1)"},
          {"poll", "DURATION", "pause between two polls (default 10s)"},
          {"default-kunitconfig", "FILE", "for trees without a kunitconfig"}};
}

Result<app::ServerConfig> ci_config(const Arguments& arguments) {
  app::ServerConfig config;
  if (const auto file = arguments.get("config")) {
    auto loaded = app::load_server_config(*file);
    if (yaml::has_errors(loaded.problems)) return std::unexpected(yaml::to_error(loaded.problems));
    for (const auto& problem : loaded.problems) log_warn("config", "{}", problem.line());
    config = std::move(loaded.config);
  }
  if (const auto url = arguments.get("gerrit")) config.gerrit.url = *url;
  while (config.gerrit.url.ends_with('/')) config.gerrit.url.pop_back();
  if (config.gerrit.url.empty())
    return fail(ErrorKind::usage, "which Gerrit? give --gerrit URL and --repo NAME, or --config FILE");
  for (const auto& repo : arguments.all("repo"))
    if (!config.has_project(repo)) config.repos.push_back({.project = repo, .prow = {}, .gerrit = {}});
  if (const auto user = arguments.get("user")) config.gerrit.user = *user;
  if (const auto file = arguments.get("password-file")) config.gerrit.password_file = absolute(*file);
  if (const auto file = arguments.get("cookie-file")) config.gerrit.cookie_file = absolute(*file);
  if (!config.gerrit.user.empty() && config.gerrit.password_file.empty())
    return fail(ErrorKind::usage, "user '{}' needs --password-file (or gerrit.password_file)", config.gerrit.user);
  if (const auto text = arguments.get("ssh")) {
    TRY_ASSIGN(config.gerrit.stream_events, stream_events(*text));
    config.gerrit.stream_events->key_file = absolute(arguments.get("ssh-key", ""));
    config.gerrit.stream_events->known_hosts = absolute(arguments.get("ssh-known-hosts", ""));
  }
  if (const auto label = arguments.get("label")) config.label = *label;
  for (const auto& path : arguments.all("prow")) config.prow.push_back(absolute(path));
  // The work folder follows the state folder unless the file names one of its own.
  auto& work = config.executor.local.work;
  const bool work_follows = work.empty() || work == config.state / "work";
  if (const auto state = arguments.get("state")) config.state = *state;
  config.state = absolute(config.state.string());
  if (work_follows) work = config.state / "work";
  if (const auto listen = arguments.get("listen")) config.web.listen = *listen;
  if (const auto url = arguments.get("public-url")) config.web.public_url = *url;
  if (const auto file = arguments.get("token-file")) config.web.token_file = absolute(*file);
  TRY_ASSIGN(const auto jobs, arguments.number("jobs"));
  if (jobs && (*jobs < 1 || *jobs > 1000)) return fail(ErrorKind::usage, "--jobs: expected 1 to 1000, got {}", *jobs);
  if (jobs) config.executor.local.jobs = static_cast<int>(*jobs);
  TRY_ASSIGN(const auto poll, arguments.duration("poll"));
  if (poll) config.gerrit.poll_interval = *poll;
  if (const auto file = arguments.get("default-kunitconfig")) config.default_kunitconfig = absolute(*file);
  return config;
}

}  // namespace bowsprit::cli
