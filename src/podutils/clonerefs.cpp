// SPDX-License-Identifier: Apache-2.0
#include "podutils/clonerefs.h"

#include <signal.h>

#include <atomic>
#include <thread>

#include "base/log.h"
#include "base/strings.h"
#include "podutils/clone.h"
#include "podutils/github_app.h"

namespace bowsprit::podutils {
namespace {

constexpr milliseconds kHelperLimit{60'000};

/// Everything that is made once, before all repositories, and goes away in the end.
class Setup {
 public:
  Setup(const CloneOptions& options, CloneRecord& record) : options_(options), record_(record) {
    settings_.src_root = options.src_root;
    settings_.user_name = options.git_user_name;
    settings_.user_email = options.git_user_email;
    settings_.cookie_path = options.cookie_path;
  }
  Setup(const Setup&) = delete;
  Setup& operator=(const Setup&) = delete;
  ~Setup() {
    if (agent_ > 1) ::kill(agent_, SIGTERM);
  }

  bool run() {
    const auto done = prepare();
    if (done) return true;
    log_error("clonerefs", "{}", done.error().text());
    if (record_.commands.empty() || record_.commands.back().error.empty())
      record_.commands.push_back({"prepare to clone", "", done.error().text(), {}});
    record_.failed = true;
    return false;
  }

  [[nodiscard]] const CloneSettings& settings() const { return settings_; }

  Result<GitToken> token_for(const prow::Refs& refs) const {
    // GitHub takes a person's token as the name, and an installation's as the password.
    if (!oauth_.empty()) return GitToken{oauth_.reveal(), Secret("x-oauth-basic"), oauth_.reveal()};
    if (app_.id.empty()) return GitToken{};
    TRY_ASSIGN(const Secret token, installation_token(app_, refs.org, SystemClock::now()));
    return GitToken{"x-access-token", token, token.reveal()};
  }

 private:
  Result<> prepare() {
    TRY_ASSIGN(auto folder, TempDir::create("clonerefs"));
    folder_.emplace(std::move(folder));
    if (!options_.key_files.empty()) TRY(start_agent());
    for (const std::string& path : options_.key_files) TRY(add_keys(path));
    if (!options_.host_fingerprints.empty()) TRY(write_known_hosts());
    TRY(read_tokens());
    const bool submodules = !std::ranges::all_of(options_.refs, &prow::Refs::skip_submodules);
    if (!options_.cookie_path.empty() && submodules) TRY(use_cookies_everywhere());
    return {};
  }

  Result<> start_agent() {
    TRY_ASSIGN(const auto output, run_command({.argv = {"ssh-agent", "-s"}}, kHelperLimit));
    record_.commands.push_back({"ssh-agent", output.out, output.status.ok() ? "" : output.status.text(), {}});
    for (const std::string& word : split(replace_all(output.out, "\n", ";"), ';'))
      for (const std::string_view name : {"SSH_AUTH_SOCK=", "SSH_AGENT_PID="})
        if (trim(word).starts_with(name))
          settings_.extra[std::string(name.substr(0, name.size() - 1))] = trim(word).substr(name.size());
    agent_ = static_cast<pid_t>(parse_int(settings_.extra["SSH_AGENT_PID"]).value_or(0));
    if (!output.status.ok() || agent_ <= 1) return fail(ErrorKind::os, "start ssh-agent: {}", output.status.text());
    return {};
  }

  /// A key, or a folder of keys as a mounted secret has it: names that begin with ".." are its machinery.
  Result<> add_keys(const fs::path& path) {
    std::error_code code;
    if (!fs::is_directory(path, code)) return add_key(path);
    std::vector<fs::path> entries;
    for (fs::directory_iterator it(path, code), end; !code && it != end; it.increment(code))
      if (!it->path().filename().string().starts_with("..")) entries.push_back(it->path());
    if (code) return fail(ErrorKind::os, "read the ssh keys in '{}': {}", path.string(), code.message());
    std::ranges::sort(entries);
    for (const fs::path& entry : entries) TRY(add_keys(entry));
    return {};
  }

  Result<> add_key(const fs::path& path) {
    Environment env = current_environment();
    for (const auto& [name, value] : settings_.extra) env[name] = value;
    env["SSH_ASKPASS_REQUIRE"] = "never";
    TRY_ASSIGN(const auto output,
               run_command({.argv = {"ssh-add", path.string()}, .env = env, .new_session = true}, kHelperLimit));
    record_.commands.push_back({fmt::format("ssh-add \"{}\"", path.string()),
                                output.out + output.err,
                                output.status.ok() ? "" : output.status.text(),
                                {}});
    if (output.status.ok()) return {};
    return fail(ErrorKind::bad_config, "add the ssh key '{}': {}", path.string(), shorten(trim(output.err), 300));
  }

  Result<> write_known_hosts() {
    const fs::path file = folder_->path() / "known_hosts";
    TRY(write_file(file, join(options_.host_fingerprints, "\n") + "\n"));
    settings_.extra["GIT_SSH_COMMAND"] = fmt::format("ssh -o UserKnownHostsFile={}", file.string());
    record_.commands.push_back({fmt::format("write \"{}\"", file.string()), "", "", {}});
    return {};
  }

  static Result<Secret> read_secret(const std::string& file) {
    TRY_ASSIGN(const std::string text, read_file(file, 1U << 20U));
    Secret secret{std::string(trim(text))};
    if (secret.empty()) return fail(ErrorKind::bad_config, "read the secret '{}': it is empty", file);
    return secret;
  }

  Result<> read_tokens() {
    if (!options_.oauth_token_file.empty()) {
      TRY_ASSIGN(oauth_, read_secret(options_.oauth_token_file));
    }
    if (options_.github_app_id.empty()) return {};
    TRY_ASSIGN(app_.private_key, read_secret(options_.github_app_private_key_file));
    app_.id = options_.github_app_id;
    app_.endpoints = options_.github_api_endpoints;
    TRY(app_jwt(app_, SystemClock::now()));  // a bad key is seen now, not for each repository
    return {};
  }

  /// A repository's own configuration does not count in its submodules; the global one does.
  Result<> use_cookies_everywhere() {
    const fs::path file = folder_->path() / "gitconfig";
    const Environment ours = current_environment();
    std::string text;
    if (const auto global = ours.find("GIT_CONFIG_GLOBAL"); global != ours.end())
      text = fmt::format("[include]\n\tpath = {}\n", global->second);
    else if (ours.contains("HOME"))  // without it git can't tell what "~" is
      text = "[include]\n\tpath = ~/.gitconfig\n";
    TRY(write_file(file, text + fmt::format("[http]\n\tcookiefile = {}\n", options_.cookie_path)));
    settings_.hidden["GIT_CONFIG_GLOBAL"] = file.string();
    record_.commands.push_back(
        {fmt::format("git config --global http.cookiefile \"{}\"", options_.cookie_path), "", "", {}});
    return {};
  }

  const CloneOptions& options_;
  CloneRecord& record_;
  CloneSettings settings_;
  std::optional<TempDir> folder_;
  pid_t agent_ = 0;
  Secret oauth_;
  GithubApp app_;
};

CloneRecord clone_one(const Setup& setup, const prow::Refs& refs) {
  const auto token = setup.token_for(refs);
  if (token) return clone(refs, setup.settings(), *token);
  CloneRecord record{.refs = refs, .failed = true};
  record.commands.push_back({fmt::format("get a token for {}", refs.org), "", token.error().text(), {}});
  return record;
}

}  // namespace

std::vector<CloneRecord> clone_all(const CloneOptions& options) {
  std::vector<CloneRecord> records(1);
  Setup setup(options, records[0]);
  if (!setup.run()) return records;
  records.resize(1 + options.refs.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < options.refs.size(); i = next++) {
      records[i + 1] = clone_one(setup, options.refs[i]);
      log_info("clonerefs", "{}/{}: {}", options.refs[i].org, options.refs[i].repo,
               records[i + 1].failed ? "failed" : records[i + 1].final_sha);
    }
  };
  std::size_t count = options.refs.size();
  if (options.max_parallel_workers > 0) count = std::min(count, static_cast<std::size_t>(options.max_parallel_workers));
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < count; ++i) threads.emplace_back(work);
  threads.clear();
  return records;
}

Result<> run_clonerefs(const CloneOptions& options) {
  const auto records = clone_all(options);
  Json log = Json::array();
  for (const CloneRecord& record : records) log.push_back(to_json(record));
  TRY(write_file(options.log, dump_json(log), 0755));
  const auto failed = std::ranges::count_if(records, &CloneRecord::failed);
  if (options.fail && failed > 0)
    return fail(ErrorKind::conflict, "{} clone records failed; see '{}'", failed, options.log);
  return {};
}

}  // namespace bowsprit::podutils
