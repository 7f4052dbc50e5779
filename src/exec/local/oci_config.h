// SPDX-License-Identifier: Apache-2.0
/// The OCI runtime configuration of a job's sandbox: a pure function from what the job may see to runc's config.json.
///
/// What it says, whoever runs the server (each line has a test in sandbox_test.cpp):
/// - no capability in any set, no new privileges, one mapped user and group: an unprivileged one of the host
/// - own pid, ipc, uts, mount, user and network namespace; the network has no device that is up
/// - system calls from a list; no mount, no new namespace, no BPF, no io_uring, no keyring, no packet socket
/// - root read-only: /usr and the like of the host or of an image, a made-up /etc, nothing else of the host
/// - all that it writes goes to one tmpfs of limited size, which goes with it: source and build are overlays on it
///   (or to one folder, where the kernel's tmpfs has no user.* attributes for overlayfs: before Linux 6.6)
/// Does not: touch the disk (sandbox.h does).
/// Threads: pure.
/// Source: opencontainers/runtime-spec config.md and config-linux.md.
#pragma once

#include <cstdint>

#include "base/json.h"
#include "os/files.h"
#include "os/process.h"

namespace bowsprit::exec {

/// A folder of the job that it sees as its own and may write to.
struct SandboxFolder {
  std::string inside;            ///< absolute path in the sandbox
  std::vector<fs::path> layers;  ///< host folders, the uppermost first, read only; empty: it starts empty
  fs::path writable;             ///< instead: this host folder itself, kept (only ever for merged code)
};

/// A host file or folder that the job may read.
struct SandboxBind {
  fs::path host;
  std::string inside;
};

struct SandboxLimits {
  std::uint64_t memory = 8ULL << 30U;     ///< bytes, of processes and of what is written
  std::uint64_t disk = 4ULL << 30U;       ///< bytes, all that the job writes
  std::uint64_t shm = 2ULL << 30U;        ///< bytes of /dev/shm, where UML keeps its memory
  std::uint64_t file_size = 4ULL << 30U;  ///< bytes of one file
  int pids = 4096;
};

struct SandboxSpec {
  fs::path root;               ///< made by sandbox_root.h: the mount points
  fs::path scratch;            ///< host folder for what the job writes; empty: a tmpfs of limits.disk
  std::uint32_t host_uid = 0;  ///< what the job's user and group 0 are outside
  std::uint32_t host_gid = 0;
  std::vector<SandboxBind> binds;
  std::vector<SandboxFolder> folders;
  Environment env;
  std::string cwd = "/";
  std::vector<std::string> argv;
  SandboxLimits limits;
};

/// The name under which the sandbox's scratch tmpfs is laid out below the root before the overlays hide it.
inline constexpr const char* kScratch = "scratch";
/// Folders that must exist below root/kScratch (runc copies them into the tmpfs), or below `scratch` where that is given.
std::vector<std::string> scratch_folders(const SandboxSpec& spec);

Json oci_config(const SandboxSpec& spec);
Json seccomp_profile();

}  // namespace bowsprit::exec
