// SPDX-License-Identifier: Apache-2.0
#include "app/server_parts.h"

#include <fcntl.h>

#include <algorithm>
#include <random>

#include "artifact/result_json.h"
#include "base/strings.h"
#include "os/files.h"

namespace bowsprit::app {

Result<gerrit::ClientOptions> client_options(const GerritConfig& config) {
  gerrit::ClientOptions options;
  options.url = config.url;
  options.user = config.user;
  options.cookie_file = config.cookie_file;
  if (!config.password_file.empty()) {
    TRY_ASSIGN(const auto password, read_file(config.password_file, 65536));
    options.password = Secret(std::string(trim(password)));
  }
  return options;
}

exec::LocalOptions local_options(const ServerConfig& config, const gerrit::ClientOptions& client) {
  exec::LocalOptions options;
  const auto& local = config.executor.local;
  options.work = local.work.empty() ? config.state / "work" : local.work;
  options.capacity = local.jobs;
  options.credentials.user = client.user;
  options.credentials.password = client.password;
  // A user with a password fetches below /a/, where Gerrit asks for it; readers without an account take the plain address.
  const bool signed_in = !client.user.empty();
  options.repository_url = [url = config.gerrit.url, signed_in](const prow::Refs& refs) {
    if (refs.clone_uri != refs.org + "/" + refs.repo) return refs.clone_uri;  // the job names another place
    return url + (signed_in ? "/a/" : "/") + refs.repo;
  };
  if (!config.gerrit.cookie_file.empty()) options.credentials.cookie_file = config.gerrit.cookie_file.string();
  if (!config.default_kunitconfig.empty()) {
    options.job_files["/etc/bowsprit/kunitconfig"] = read_file(config.default_kunitconfig).value_or("");
    options.job_env["BOWSPRIT_DEFAULT_KUNITCONFIG"] = "/etc/bowsprit/kunitconfig";
  }
  options.limits.memory = local.memory.count;
  options.limits.disk = local.disk.count;
  options.limits.pids = local.pids;
  options.warm_disk = local.warm_disk.count;
  if (local.rootfs != "host") options.image_root = local.rootfs;
  options.images = local.images;
  options.misses_base = [](const fs::path& artifacts) {
    const auto text = read_file(artifacts / "result.json", artifact::kMaxResultBytes);
    const auto result = text ? artifact::read_result_json(*text) : std::unexpected(text.error());
    return result && std::ranges::any_of(result->failures,
                                         [](const Failure& failure) { return failure.origin == Origin::unknown; });
  };
  return options;
}

Result<Fd> lock_state(const fs::path& state) {
  TRY(make_dirs(state));
  TRY_ASSIGN(Fd lock, Fd::open(state / "lock", O_RDWR | O_CREAT, 0600));
  struct flock whole{};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (::fcntl(lock.get(), F_SETLK, &whole) != 0)
    return fail_by(Blame::configuration, ErrorKind::conflict,
                   "state folder '{}': another bowsprit uses it; stop that one or give another --state",
                   state.string());
  return lock;
}

std::string new_uuid() {
  // Names a ProwJob (version 4 UUID); uniqueness is all that is asked of it.
  static thread_local std::mt19937_64 generator{std::random_device{}()};
  const std::uint64_t high = (generator() & 0xFFFFFFFFFFFF0FFFULL) | 0x4000ULL;
  const std::uint64_t low = (generator() & 0x3FFFFFFFFFFFFFFFULL) | 0x8000000000000000ULL;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32U, (high >> 16U) & 0xFFFFU, high & 0xFFFFU,
                     low >> 48U, low & 0xFFFFFFFFFFFFULL);
}

}  // namespace bowsprit::app
