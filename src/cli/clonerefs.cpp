// SPDX-License-Identifier: Apache-2.0
#include "podutils/clonerefs.h"

#include <cstdlib>

#include "base/strings.h"
#include "cli/commands.h"
#include "cli/upload_flags.h"

namespace bowsprit::cli {
namespace {

constexpr const char* kVariable = "CLONEREFS_OPTIONS";

/// "{{.Org}}/{{.Repo}}" as Prow's flags have it.
std::string fill_in(std::string text, const prow::Refs& refs) {
  return replace_all(replace_all(std::move(text), "{{.Org}}", refs.org), "{{.Repo}}", refs.repo);
}

Result<podutils::CloneOptions> options_from(const Arguments& arguments) {
  if (const char* json = std::getenv(kVariable)) return podutils::read_clone_options(json);
  podutils::CloneOptions options{.src_root = arguments.get("src-root", ""),
                                 .log = arguments.get("log", ""),
                                 .git_user_name = arguments.get("git-user-name", "ci-robot"),
                                 .git_user_email = arguments.get("git-user-email", "ci-robot@k8s.io"),
                                 .key_files = arguments.all("ssh-key"),
                                 .fail = arguments.flag("fail", false),
                                 .cookie_path = arguments.get("cookiefile", "")};
  TRY_ASSIGN(const auto workers, arguments.number("max-workers"));
  options.max_parallel_workers = workers.value_or(0);
  for (const std::string& text : arguments.all("repo")) {
    TRY_ASSIGN(auto refs, podutils::parse_refs(text));
    refs.path_alias = fill_in(arguments.get("clone-alias", ""), refs);
    refs.clone_uri = fill_in(arguments.get("uri-prefix", ""), refs);
    options.refs.push_back(std::move(refs));
  }
  return options;
}

Result<> clonerefs(const Arguments& arguments) {
  TRY_ASSIGN(const auto options, options_from(arguments));
  TRY(podutils::validate(options));
  return podutils::run_clonerefs(options);
}

int run(const Arguments& arguments) {
  const auto done = clonerefs(arguments);
  return done ? 0 : utility_failed("clonerefs", done.error());
}

}  // namespace

Command clonerefs_command() {
  return {
      .name = "clonerefs",
      .operands = "",
      .summary = "pod utility: checks out a job's repositories",
      .details =
          R"(Checks out repositories with changes merged into them, as Prow's clonerefs does and with the same merge commits, and
writes what it did to a log for initupload. A fetch that fails for good is not tried again; a history that is too
shallow for a merge is deepened. Where the environment has CLONEREFS_OPTIONS (JSON), the command line does not count.

Example:
  bowsprit clonerefs --src-root /src --log clone.json --uri-prefix 'https://gerrit.example/{{.Repo}}' \
    --repo 'gerrit,linux=main,42:0b1c:refs/changes/42/42/3' --fail
)",
      .options = {{"src-root", "DIR", "sources go below DIR/src"},
                  {"log", "FILE", "gets the records, JSON"},
                  {"repo", "ORG,REPO=BASE[:SHA][,PULL[:SHA[:REF]]]...", "what to check out", true},
                  {"clone-alias", "TEXT", "path below src, with {{.Org}} and {{.Repo}}"},
                  {"uri-prefix", "TEXT", "URL of a repository, with {{.Org}} and {{.Repo}}"},
                  {"git-user-name", "NAME", "of merges; ci-robot where it is not given"},
                  {"git-user-email", "MAIL", "of merges; ci-robot@k8s.io where it is not given"},
                  {"ssh-key", "FILE", "for ssh", true},
                  {"cookiefile", "FILE", "for http"},
                  {"max-workers", "N", "repositories at once; all where it is not given"},
                  {"fail", "", "exit code 1 where something can't be fetched"}},
      .run = &run,
      .go_flags = true,
      .options_variable = kVariable};
}

}  // namespace bowsprit::cli
