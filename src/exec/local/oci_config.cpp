// SPDX-License-Identifier: Apache-2.0
#include "exec/local/oci_config.h"

#include "base/strings.h"

namespace bowsprit::exec {
namespace {

Json mount(std::string destination, std::string type, std::string source, std::vector<std::string> options) {
  return {{"destination", std::move(destination)},
          {"type", std::move(type)},
          {"source", std::move(source)},
          {"options", std::move(options)}};
}

Json bind(const std::string& host, const std::string& inside, std::vector<std::string> more) {
  more.insert(more.begin(), {"rbind", "rprivate", "nosuid", "nodev"});
  return mount(inside, "bind", host, std::move(more));
}

std::string upper_folder(std::size_t index) { return fmt::format("{}/up", index); }
std::string work_folder(std::size_t index) { return fmt::format("{}/work", index); }

/// overlayfs separates lower folders by ":" and options by ","; runc gives the options to the kernel as they are.
std::string overlay_path(const fs::path& path) {
  return replace_all(replace_all(path.string(), "\\", "\\\\"), ":", "\\:");
}

Json mounts(const SandboxSpec& spec) {
  const bool on_disk = !spec.scratch.empty();
  const std::string scratch = (on_disk ? spec.scratch : spec.root / kScratch).string();
  Json out = Json::array();
  out.push_back(mount("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}));
  out.push_back(
      mount("/dev", "tmpfs", "tmpfs", {"nosuid", "noexec", "strictatime", "mode=755", "size=64k", "nr_inodes=256"}));
  out.push_back(
      mount("/dev/pts", "devpts", "devpts", {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}));
  for (const auto& [host, inside] : spec.binds) out.push_back(bind(host.string(), inside, {"ro"}));
  // runc copies the folders that lie there into it, so that the overlays below find their upper and work folders.
  if (!on_disk)
    out.push_back(mount(
        std::string("/") + kScratch, "tmpfs", "tmpfs",
        {"tmpcopyup", "nosuid", "nodev", "mode=755", fmt::format("size={}", spec.limits.disk), "nr_inodes=2000000"}));
  for (std::size_t i = 0; i < spec.folders.size(); ++i) {
    const auto& folder = spec.folders[i];
    if (!folder.writable.empty()) {
      out.push_back(bind(folder.writable.string(), folder.inside, {"rw"}));
    } else if (folder.layers.empty()) {
      out.push_back(bind(scratch + "/" + upper_folder(i), folder.inside, {"rw"}));
    } else {
      std::vector<std::string> lower;
      for (const auto& layer : folder.layers) lower.push_back(overlay_path(layer));
      out.push_back(
          mount(folder.inside, "overlay", "overlay",
                {"nosuid", "nodev", "lowerdir=" + join(lower, ":"), "upperdir=" + scratch + "/" + upper_folder(i),
                 "workdir=" + scratch + "/" + work_folder(i), "userxattr"}));
    }
  }
  // UML maps its memory from a file here, executable.
  out.push_back(mount("/dev/shm", "tmpfs", "shm",
                      {"nosuid", "nodev", "exec", "mode=1777", fmt::format("size={}", spec.limits.shm)}));
  // From here on the layers are seen through their overlays only.
  if (!on_disk)
    out.push_back(mount(std::string("/") + kScratch, "tmpfs", "tmpfs", {"ro", "nosuid", "nodev", "noexec", "size=4k"}));
  return out;
}

Json rlimit(const char* type, std::uint64_t value) { return {{"type", type}, {"hard", value}, {"soft", value}}; }

}  // namespace

std::vector<std::string> scratch_folders(const SandboxSpec& spec) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < spec.folders.size(); ++i) {
    if (!spec.folders[i].writable.empty()) continue;
    out.push_back(upper_folder(i));
    out.push_back(work_folder(i));
  }
  return out;
}

Json oci_config(const SandboxSpec& spec) {
  const Json none = Json::array();
  std::vector<std::string> env;
  for (const auto& [name, value] : spec.env) env.push_back(name + "=" + value);
  Json namespaces = Json::array();
  for (const char* type : {"pid", "ipc", "uts", "mount", "user", "network"}) namespaces.push_back({{"type", type}});
  const auto id_map = [](std::uint32_t host) {
    return Json::array({{{"containerID", 0}, {"hostID", host}, {"size", 1}}});
  };
  return {
      {"ociVersion", "1.0.2"},
      {"process",
       {{"terminal", false},
        {"user", {{"uid", 0}, {"gid", 0}}},
        {"args", spec.argv},
        {"env", env},
        {"cwd", spec.cwd},
        {"capabilities",
         {{"bounding", none}, {"effective", none}, {"inheritable", none}, {"permitted", none}, {"ambient", none}}},
        {"rlimits", Json::array({rlimit("RLIMIT_NPROC", static_cast<std::uint64_t>(spec.limits.pids)),
                                 rlimit("RLIMIT_CORE", 0), rlimit("RLIMIT_FSIZE", spec.limits.file_size)})},
        {"noNewPrivileges", true}}},
      {"root", {{"path", spec.root.string()}, {"readonly", true}}},
      {"hostname", "bowsprit"},
      {"mounts", mounts(spec)},
      {"linux",
       {{"uidMappings", id_map(spec.host_uid)},
        {"gidMappings", id_map(spec.host_gid)},
        {"namespaces", namespaces},
        {"seccomp", seccomp_profile()},
        {"maskedPaths",
         {"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
          "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/proc/kmsg", "/proc/interrupts"}},
        {"readonlyPaths", {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}}}},
  };
}

}  // namespace bowsprit::exec
