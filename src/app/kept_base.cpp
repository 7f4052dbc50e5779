// SPDX-License-Identifier: Apache-2.0
#include "app/kept_base.h"

#include <algorithm>
#include <array>

#include "artifact/result_json.h"
#include "base/json.h"
#include "base/strings.h"

namespace bowsprit::app {
namespace {

constexpr const char* kFolder = ".bowsprit.base";
constexpr const char* kAbout = "about.json";
constexpr std::size_t kMaxConfig = 8U << 20U;

bool is_commit(std::string_view text) {
  return text.size() >= 40 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::vector<std::string> strings_of(const Json& list) {
  std::vector<std::string> out;
  if (list.is_array())
    for (const auto& entry : list)
      if (entry.is_string()) out.push_back(entry.get<std::string>());
  return out;
}

std::string short_id(const std::string& commit) { return commit.substr(0, 12); }

}  // namespace

std::string tools_of(const fs::path& build) {
  const auto config = read_file(build / ".config", kMaxConfig);
  if (!config) return "";
  constexpr std::array kNames{
      "CONFIG_CC_VERSION_TEXT=", "CONFIG_AS_VERSION=", "CONFIG_LD_VERSION=", "CONFIG_LLD_VERSION="};
  std::string out;
  for (const auto& line : split_lines(*config)) {
    // "# Linux/um 6.12.1 Kernel Configuration": the version is the change's own affair
    if (line.starts_with("# Linux/")) out += line.substr(2, line.find(' ', 2) - 2) + "\n";
    if (std::ranges::any_of(kNames, [&](const char* name) { return line.starts_with(name); })) out += line + "\n";
  }
  return out;
}

Result<> keep_base(const fs::path& build, const Provenance& from, const KeptBase& what) {
  if (!is_commit(from.commit)) return fail(ErrorKind::bug, "keep the base: '{}' is no commit", from.commit);
  const fs::path place = build / kFolder;
  const fs::path fresh = build / (std::string(kFolder) + ".new");
  TRY(remove_tree(fresh));
  TRY(make_dirs(fresh));
  std::error_code code;
  fs::copy_file(what.kernel, fresh / "linux", code);
  const auto size = code ? 0 : fs::file_size(fresh / "linux", code);
  if (code) return fail(ErrorKind::os, "keep the base's kernel '{}': {}", what.kernel.string(), code.message());
  TRY(write_file(fresh / "result.json", artifact::result_json(what.result)));
  const Json about{{"commit", from.commit}, {"files", from.files}, {"kunitconfig", from.kunitconfig},
                   {"tools", from.tools},   {"size", size},        {"boot_arguments", what.boot_arguments}};
  TRY(write_file(fresh / kAbout, dump_json(about, 1)));
  TRY(remove_tree(place));
  fs::rename(fresh, place, code);
  if (code) return fail(ErrorKind::os, "keep the base in '{}': {}", place.string(), code.message());
  return {};
}

Result<KeptBase> find_kept_base(const fs::path& build, const Provenance& wanted) {
  const fs::path place = build / kFolder;
  const auto text = read_file(place / kAbout, 1U << 20U);
  const auto about = text ? parse_json(*text) : std::unexpected(text.error());
  if (!about || !is_commit(wanted.commit)) return fail(ErrorKind::not_found, "no base is kept in the build folder");
  const auto commit = json_string(*about, "commit");
  if (commit != wanted.commit)
    return fail(ErrorKind::not_found, "the kept base is {}, and this is compared with {}", short_id(commit),
                short_id(wanted.commit));
  if (wanted.tools.empty() || json_string(*about, "tools") != wanted.tools)
    return fail(ErrorKind::not_found, "the kept base was built with other tools");
  if (strings_of(json_get(*about, "files")) != wanted.files)
    return fail(ErrorKind::not_found, "the kept base was built with other kunitconfig files");
  KeptBase base;
  base.same_configuration = json_string(*about, "kunitconfig") == wanted.kunitconfig;
  base.kernel = place / "linux";
  base.boot_arguments = strings_of(json_get(*about, "boot_arguments"));
  std::error_code code;
  const auto size = fs::file_size(base.kernel, code);
  if (code || size != static_cast<std::uintmax_t>(json_int(*about, "size", -1)))
    return fail(ErrorKind::not_found, "the kept base's kernel is not whole");
  TRY_ASSIGN(const auto result, read_file(place / "result.json", artifact::kMaxResultBytes));
  TRY_ASSIGN(base.result, artifact::read_result_json(result));
  return base;
}

JobSource source_of_job(const std::string& job_spec) {
  const auto spec = job_spec.empty() ? Result<Json>(Json()) : parse_json(job_spec);
  // A postsubmit's change is on the branch already, and a periodic has none: there is no base that could excuse anything.
  if (!spec || json_string(*spec, "type") != "presubmit") return {};
  const auto& refs = json_get(*spec, "refs");
  auto base = json_string(refs, "base_sha");
  if (!is_commit(base)) return {};
  const auto& pulls = json_get(refs, "pulls");
  return {std::move(base), pulls.is_null() || pulls.empty()};
}

}  // namespace bowsprit::app
