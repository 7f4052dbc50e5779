// SPDX-License-Identifier: Apache-2.0
#include "exec/local/sandbox_root.h"

#include "base/strings.h"

namespace bowsprit::exec {
namespace {

/// Of the host: programs and libraries, and what of /etc they need to run. Nothing that can hold a secret.
constexpr const char* kHostFolders[] = {"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"};
constexpr const char* kHostEtc[] = {"ld.so.cache",  "ld.so.conf", "ld.so.conf.d",
                                    "alternatives", "localtime",  "ssl/openssl.cnf"};
/// Of an image: everything but what the sandbox makes itself.
constexpr const char* kOwnFolders[] = {"proc", "sys",  "dev",  "tmp",     "run",
                                       "logs", "home", "root", "scratch", "bowsprit"};

constexpr const char* kPasswd = "root:x:0:0:root:/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n";
constexpr const char* kGroup = "root:x:0:\nnogroup:x:65534:\n";

/// Binds `host` at the same place of the root, or copies it where it is a symbolic link (/bin -> usr/bin).
Result<> add(const fs::path& root, const fs::path& image_root, const fs::path& name, std::vector<SandboxBind>& binds) {
  const auto host = image_root / name;
  const auto target = root / name;
  std::error_code code;
  const auto status = fs::symlink_status(host, code);
  if (fs::is_symlink(status)) {
    TRY(make_dirs(target.parent_path()));
    fs::create_symlink(fs::read_symlink(host, code), target, code);
    if (code) return fail(ErrorKind::os, "create link '{}': {}", target.string(), code.message());
  } else if (fs::is_directory(status)) {
    TRY(make_dirs(target));
    binds.push_back({host, "/" + name.string()});
  } else if (fs::is_regular_file(status)) {
    TRY(make_dirs(target.parent_path()));
    TRY(write_file(target, ""));
    binds.push_back({host, "/" + name.string()});
  }
  return {};
}

}  // namespace

Result<std::vector<SandboxBind>> make_sandbox_root(const fs::path& root, const fs::path& image_root,
                                                   const fs::path& bowsprit,
                                                   const std::map<std::string, std::string>& files) {
  std::vector<SandboxBind> binds;
  for (const char* folder : {"proc", "dev", "tmp", "etc", "run", "logs", "root", kScratch})
    TRY(make_dirs(root / folder));
  if (image_root == "/") {
    for (const char* name : kHostFolders) TRY(add(root, image_root, name, binds));
    for (const char* name : kHostEtc) TRY(add(root, image_root, fs::path("etc") / name, binds));
    TRY(write_file(root / "etc/passwd", kPasswd));
    TRY(write_file(root / "etc/group", kGroup));
    TRY(write_file(root / "etc/hosts", "127.0.0.1 localhost bowsprit\n"));
    TRY(write_file(root / "etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"));
  } else {
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(image_root, code)) {
      const auto name = entry.path().filename();
      if (std::ranges::find(kOwnFolders, name.string()) == std::end(kOwnFolders))
        TRY(add(root, image_root, name, binds));
    }
    if (code) return fail(ErrorKind::bad_config, "read the image folder '{}': {}", image_root.string(), code.message());
  }
  TRY(make_dirs(root / fs::path(kToolsFolder).relative_path()));
  const auto tool = fs::path(kToolsFolder) / "bowsprit";
  TRY(write_file(root / tool.relative_path(), ""));
  binds.push_back({bowsprit, tool.string()});
  for (const auto& [name, text] : files) {
    const auto target = root / fs::path(name).relative_path();
    TRY(make_dirs(target.parent_path()));
    TRY(write_file(target, text, 0755));
  }
  return binds;
}

}  // namespace bowsprit::exec
