// SPDX-License-Identifier: Apache-2.0
#include "exec/local/git.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/strings.h"
#include "os/stoppable.h"

namespace bowsprit::exec {
namespace {

constexpr milliseconds kLocalLimit{10 * 60 * 1000};
constexpr int kCredentialFd = 9;

Environment git_environment(const fs::path& repository) {
  Environment env;
  // Of ours only what git needs to reach the network; GIT_* of a person's shell would redirect the repository.
  const auto ours = current_environment();
  for (const char* name :
       {"PATH", "http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
        "ALL_PROXY", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSH_COMMAND", "HOME"})
    if (const auto found = ours.find(name); found != ours.end()) env[name] = found->second;
  env["GIT_DIR"] = repository.string();
  env["GIT_CONFIG_NOSYSTEM"] = "1";
  env["GIT_CONFIG_GLOBAL"] = "/dev/null";
  env["GIT_TERMINAL_PROMPT"] = "0";
  env["GIT_ASKPASS"] = "/bin/false";
  env["GIT_ALLOW_PROTOCOL"] = "https:http:ssh:git:file";
  env["GIT_NO_LAZY_FETCH"] = "1";
  env["LC_ALL"] = "C";
  env["TZ"] = "UTC";
  return env;
}

void add_config(Environment& env, std::string key, std::string value) {
  const auto count = parse_int(env["GIT_CONFIG_COUNT"]).value_or(0);
  env[fmt::format("GIT_CONFIG_KEY_{}", count)] = std::move(key);
  env[fmt::format("GIT_CONFIG_VALUE_{}", count)] = std::move(value);
  env["GIT_CONFIG_COUNT"] = std::to_string(count + 1);
}

/// "https://host:port" of a URL, which is what git matches credential.<url>.* with; empty where there is none.
std::string origin_of(const std::string& url) {
  const auto scheme = url.find("://");
  if (scheme == std::string::npos || !url.starts_with("http")) return {};
  return url.substr(0, url.find('/', scheme + 3));
}

/// A file without a name that holds what git's credential protocol wants to read.
Result<Fd> credential_file(const GitCredentials& credentials) {
  Fd fd(::memfd_create("git-credential", MFD_CLOEXEC));
  if (!fd) return fail_errno("create a memory file for git's credentials");
  TRY(fd.write_all(fmt::format("username={}\npassword={}\n", credentials.user, credentials.password.reveal())));
  return fd;
}

ErrorKind kind_of_fetch_failure(const std::string& text) {
  if (text.find("couldn't find remote ref") != std::string::npos || text.find("not our ref") != std::string::npos)
    return ErrorKind::not_found;
  if (text.find("Authentication failed") != std::string::npos ||
      text.find("could not read Username") != std::string::npos ||
      text.find("The requested URL returned error: 403") != std::string::npos)
    return ErrorKind::denied;
  return ErrorKind::unavailable;
}

}  // namespace

bool is_object_id(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool safe_ref(std::string_view name) {
  if (name.empty() || name.size() > 1000 || name == "@" || name.ends_with('.')) return false;
  if (name.find("..") != std::string_view::npos || name.find("@{") != std::string_view::npos) return false;
  for (const char c : name)
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f ||
        std::string_view("~^:?*[\\").find(c) != std::string_view::npos)
      return false;
  for (const auto& part : split(name, '/'))
    if (part.empty() || part.starts_with('.') || part.starts_with('-') || part.ends_with(".lock")) return false;
  return true;
}

Result<CommandOutput> Git::run(std::vector<std::string> args, const Environment& extra, std::string_view input) const {
  auto env = git_environment(repository_);
  for (const auto& [name, value] : extra) env[name] = value;
  args.insert(args.begin(), "git");
  return run_stoppable({.argv = std::move(args), .env = std::move(env)}, kLocalLimit, stop_fd_, input, 256U << 20U);
}

Result<std::string> Git::checked(std::vector<std::string> args, const Environment& extra,
                                 std::string_view input) const {
  const std::string what = args.empty() ? "" : args[0];
  TRY_ASSIGN(auto output, run(std::move(args), extra, input));
  if (output.status.ok()) return std::move(output.out);
  return fail(ErrorKind::os, "git {} in '{}': {}: {}", what, repository_.string(), output.status.text(),
              shorten(trim(output.err), 2000));
}

Result<CommandOutput> Git::run_remote(std::vector<std::string> args, const std::string& url,
                                      const std::vector<std::string>& refs, const GitCredentials& credentials,
                                      milliseconds limit) const {
  if (url.empty() || url.starts_with('-') || url.find("::") != std::string::npos)
    return fail(ErrorKind::bad_config, "{} from '{}': this is not a URL of a git repository", args[0], url);
  args.insert(args.begin(), "git");
  args.insert(args.end(), {"--", url});
  args.insert(args.end(), refs.begin(), refs.end());
  SpawnOptions options{.argv = std::move(args), .env = git_environment(repository_)};
  Fd secret;
  if (!credentials.password.empty() && !origin_of(url).empty()) {
    TRY_ASSIGN(secret, credential_file(credentials));
    options.pass_fds.emplace_back(secret.get(), kCredentialFd);
    // Opened anew through /proc, so that a second question reads it from its start again.
    add_config(*options.env, fmt::format("credential.{}.helper", origin_of(url)),
               fmt::format("!f() {{ test \"$1\" != get || cat /proc/self/fd/{}; }}; f", kCredentialFd));
  }
  if (!credentials.cookie_file.empty()) add_config(*options.env, "http.cookieFile", credentials.cookie_file);
  return run_stoppable(std::move(options), limit, stop_fd_);
}

Result<> Git::fetch(const std::string& url, const std::vector<std::string>& refspecs, const GitCredentials& credentials,
                    milliseconds limit) const {
  TRY_ASSIGN(const auto output, run_remote({"fetch", "--quiet", "--no-tags", "--no-write-fetch-head",
                                            "--no-recurse-submodules", "--force"},
                                           url, refspecs, credentials, limit));
  if (output.status.ok()) return {};
  return fail(kind_of_fetch_failure(output.err), "fetch {} from '{}': {}", join(refspecs, " "), url,
              shorten(trim(output.err), 1000));
}

Result<std::string> Git::remote_head(const std::string& url, const GitCredentials& credentials) const {
  TRY_ASSIGN(const auto output, run_remote({"ls-remote", "--symref"}, url, {"HEAD"}, credentials, kLocalLimit));
  if (output.status.ok()) return output.out;
  return fail(kind_of_fetch_failure(output.err), "ask '{}' for its HEAD: {}", url, shorten(trim(output.err), 1000));
}

}  // namespace bowsprit::exec
