// SPDX-License-Identifier: Apache-2.0
#include "podutils/clone.h"

#include <algorithm>
#include <array>
#include <thread>

#include "base/log.h"
#include "base/strings.h"
#include "prow/job_env.h"

namespace bowsprit::podutils {
namespace {

constexpr int kDeepenFirst = 50;
constexpr int kDeepenRounds = 16;  // 50 * 2^16 commits: more than Linux has

using Words = std::vector<std::string>;

Words words(std::initializer_list<Words> parts) {
  Words out;
  for (const Words& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

class Cloning {
 public:
  Cloning(const prow::Refs& refs, const CloneSettings& settings, const GitToken& token, CloneRecord& record)
      : refs_(refs),
        settings_(settings),
        record_(record),
        url_(repository_url(refs)),
        folder_(prow::clone_path(refs, settings.src_root)),
        git_(record, folder_, settings.extra, settings.hidden, token) {
    sparse_ = !refs.sparse_checkout_files.empty();
    if (refs.clone_depth > 0) depth_ = {"--depth", std::to_string(refs.clone_depth)};
    if (refs.blobless_fetch.value_or(false) || sparse_) filter_ = {"--filter=blob:none"};
    git_.use_token_for(url_);
  }

  bool run() {
    return names_are_safe() && prepare() && fetch_base() && check_out() && merge_pulls() && add_submodules();
  }

  [[nodiscard]] std::string head() const { return git_.ask({"rev-parse", "HEAD"}); }

 private:
  /// Names that git would read as options, and URLs that start programs ("ext::sh -c ...").
  bool names_are_safe() {
    Words names{refs_.base_ref, refs_.base_sha, url_};
    for (const prow::Pull& pull : refs_.pulls) names.insert(names.end(), {pull.sha, pull.ref});
    const auto unsafe = std::ranges::find_if(
        names, [](const std::string& name) { return name.starts_with('-') || name.find('\n') != std::string::npos; });
    const auto helper = url_.find("::");
    const bool starts_program = helper != std::string::npos && helper == url_.find_first_of(":/@[");
    if (unsafe == names.end() && !starts_program) return true;
    const std::string& name = starts_program ? url_ : *unsafe;
    git_.note({"check the names of refs", "", fmt::format("'{}' is no name that git can be given", name), {}}, true);
    return false;
  }

  bool prepare() {
    if (!git_.command({"mkdir", "-p", folder_}) || !git_.command({"git", "init"})) return false;
    const auto configure = [this](const char* key, const std::string& value) {
      return value.empty() || git_.command({"git", "config", key, value});
    };
    return configure("user.name", settings_.user_name) && configure("user.email", settings_.user_email) &&
           (!refs_.skip_submodules || configure("http.cookiefile", settings_.cookie_path)) &&
           (!sparse_ || git_.command({"git", "sparse-checkout", "init"}));
  }

  bool fetch_base() {
    if (!refs_.skip_fetch_head && !sparse_ && !fetch(words({depth_, filter_, {url_, "--tags", "--prune"}})))
      return false;
    return fetch(words({depth_, filter_, sparse_ ? Words{"--no-tags"} : Words{}, {url_, base()}}));
  }

  bool check_out() {
    const std::string target = refs_.base_sha.empty() ? "FETCH_HEAD" : refs_.base_sha;
    // The branch can't be moved while it is checked out, so first the commit.
    return (!sparse_ || git_.command(words({{"git", "sparse-checkout", "set"}, refs_.sparse_checkout_files}))) &&
           git_.command({"git", "checkout", target}) &&
           git_.command({"git", "branch", "--force", refs_.base_ref, target}) &&
           git_.command({"git", "checkout", refs_.base_ref});
  }

  bool merge_pulls() {
    const auto base_time = parse_int(git_.ask({"show", "-s", "--format=format:%ct", "HEAD"}));
    std::int64_t time = base_time.value_or(unix_seconds(SystemClock::now()));
    for (const prow::Pull& pull : refs_.pulls) {
      std::string name = fmt::format("pull/{}/head", pull.number);
      if (!pull.sha.empty()) name = pull.sha;
      if (!pull.ref.empty()) name = pull.ref;
      if (!fetch(words({filter_, {url_, name}}))) return false;
      const std::string commit = pull.sha.empty() ? git_.ask({"rev-parse", "FETCH_HEAD"}) : pull.sha;
      if (!deepen_until_related(commit)) return false;
      if (!merge(pull.sha.empty() ? "FETCH_HEAD" : pull.sha, ++time)) return false;
    }
    return true;
  }

  bool merge(const std::string& commit, std::int64_t time) {
    const std::string date = std::to_string(time);
    // Not a person's own configuration: it must be the same commit everywhere.
    const Environment env{
        {"GIT_AUTHOR_DATE", date}, {"GIT_COMMITTER_DATE", date}, {"GIT_CONFIG_GLOBAL", "/dev/null"}, {"TZ", "UTC"}};
    return git_.command({"git", "merge", "--no-ff", commit}, env);
  }

  bool add_submodules() {
    return refs_.skip_submodules || git_.command({"git", "submodule", "update", "--init", "--recursive"});
  }

  /// A depth that ends before the common commit would make git "refuse to merge unrelated histories".
  bool deepen_until_related(const std::string& commit) {
    for (int round = 0, more = kDeepenFirst; round < kDeepenRounds; ++round, more *= 2) {
      if (!git_.ask({"merge-base", "HEAD", commit}).empty()) return true;
      if (git_.ask({"rev-parse", "--is-shallow-repository"}) != "true") return true;  // unrelated; merge says so
      // FETCH_HEAD must go on naming the change.
      if (!fetch(words({{fmt::format("--deepen={}", more), "--no-write-fetch-head"}, filter_, {url_, base()}})))
        return false;
    }
    return true;
  }

  bool fetch(const Words& arguments) {
    const Words argv = words({{"git", "fetch"}, arguments});
    for (std::size_t attempt = 0;; ++attempt) {
      CloneCommand done;
      if (git_.attempt(argv, done)) {
        git_.note(std::move(done), false);
        return true;
      }
      const bool permanent = is_permanent(done.output);
      if (permanent || attempt >= settings_.pauses.size()) {
        if (permanent) done.error += " (for good, so not tried again)";
        git_.note(std::move(done), true);
        return false;
      }
      log_warn("clonerefs", "{} failed, next try in {}: {}", done.command, format_duration(settings_.pauses[attempt]),
               shorten(trim(done.output), 300));
      std::this_thread::sleep_for(settings_.pauses[attempt]);
    }
  }

  [[nodiscard]] std::string base() const { return refs_.base_sha.empty() ? refs_.base_ref : refs_.base_sha; }

  const prow::Refs& refs_;
  const CloneSettings& settings_;
  CloneRecord& record_;
  std::string url_;
  std::string folder_;
  GitRun git_;
  bool sparse_ = false;
  Words depth_;
  Words filter_;
};

}  // namespace

std::string repository_url(const prow::Refs& refs) {
  if (!refs.clone_uri.empty()) return refs.clone_uri;
  if (!refs.repo_link.empty()) return refs.repo_link + ".git";
  return fmt::format("https://github.com/{}/{}.git", refs.org, refs.repo);
}

bool is_permanent(std::string_view output) {
  // git's own words (fetch-pack.c, remote-curl.c, http.c) and ssh's; LC_ALL=C keeps them so.
  constexpr std::array<std::string_view, 12> kSigns{"couldn't find remote ref",
                                                    "not our ref",
                                                    "unadvertised object",
                                                    "Authentication failed",
                                                    "could not read Username",
                                                    "could not read Password",
                                                    "returned error: 401",
                                                    "returned error: 403",
                                                    "repository '",  // ... not found
                                                    "does not appear to be a git repository",
                                                    "Permission denied (",
                                                    "Host key verification failed"};
  return std::ranges::any_of(kSigns, [&](std::string_view sign) {
    const auto at = output.find(sign);
    if (at == std::string_view::npos) return false;
    return sign != "repository '" || output.find("' not found", at) != std::string_view::npos;
  });
}

CloneRecord clone(const prow::Refs& refs, const CloneSettings& settings, const GitToken& token) {
  CloneRecord record{.refs = refs};
  const auto started = std::chrono::steady_clock::now();
  Cloning cloning(refs, settings, token, record);
  if (!cloning.run()) return record;
  record.final_sha = cloning.head();
  record.duration = std::chrono::steady_clock::now() - started;
  return record;
}

}  // namespace bowsprit::podutils
