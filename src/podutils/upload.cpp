// SPDX-License-Identifier: Apache-2.0
#include "podutils/upload.h"

#include <atomic>
#include <mutex>
#include <thread>

#include "artifact/folder_store.h"
#include "base/log.h"
#include "base/strings.h"
#include "os/files.h"

namespace bowsprit::podutils {
namespace {

constexpr std::size_t kAtOnce = 4;
constexpr int kTries = 4;

std::string join_path(std::string_view a, std::string_view b) {
  if (a.empty()) return std::string(b);
  return b.empty() ? std::string(a) : fmt::format("{}/{}", a, b);
}

/// "build-log.txt" of "build-log.txt.gz": the packing is an attribute of the object, not a part of its name.
std::string object_name(std::string name) {
  for (const std::string_view packed : {".gz", ".gzip"})
    if (name.ends_with(packed)) {
      name.resize(name.size() - packed.size());
      break;
    }
  return replace_all(std::move(name), "#", "%23");
}

bool is_below(const fs::path& path, const fs::path& folder) {
  const auto [end, ignored] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return end == folder.end();
}

void add_file(const fs::path& file, const std::string& name, Targets& targets) {
  if (!targets.emplace(name, file).second)
    log_warn("upload", "'{}' is skipped: another file is uploaded as '{}'", file.string(), name);
}

void add_folder(const fs::path& folder, const std::string& prefix, Targets& targets) {
  std::error_code code;
  const fs::path real_folder = fs::canonical(folder, code);
  const auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator it(folder, options, code), end; !code && it != end; it.increment(code)) {
    std::error_code ignored;
    if (it->symlink_status(ignored).type() == fs::file_type::directory) continue;
    const fs::path real = fs::canonical(it->path(), ignored);
    if (ignored || !fs::is_regular_file(real, ignored) || !is_below(real, real_folder)) {
      log_warn("upload", "'{}' is skipped: it is no file of this folder", it->path().string());
      continue;
    }
    const std::string name = it->path().lexically_relative(folder).generic_string();
    add_file(it->is_symlink(ignored) ? real : it->path(), object_name(join_path(prefix, name)), targets);
  }
  if (code) log_warn("upload", "'{}': {}", folder.string(), code.message());
}

Result<std::unique_ptr<artifact::ObjectStore>> open_store(const UploadOptions& options) {
  std::string folder = options.place.local_output_dir;
  const std::string& bucket = options.place.bucket;
  if (folder.empty() && bucket.starts_with('/')) folder = bucket;
  if (folder.empty() && bucket.starts_with("file://")) folder = bucket.substr(7);
  if (folder.empty())
    return fail(ErrorKind::bad_config,
                "open the bucket '{}': this program stores in folders only (file:///FOLDER, or local_output_dir)",
                bucket);
  TRY_ASSIGN(auto store, artifact::FolderStore::open(folder));
  return std::make_unique<artifact::FolderStore>(std::move(store));
}

Result<> put(artifact::ObjectStore& store, const std::string& name, const Content& content) {
  const auto once = [&] {
    if (const auto* bytes = std::get_if<std::string>(&content)) return store.put(name, *bytes);
    return store.put_file(name, std::get<fs::path>(content));
  };
  Result<> done = once();
  for (int attempt = 1; !done && done.error().retryable() && attempt < kTries; ++attempt) {
    std::this_thread::sleep_for(seconds(attempt * attempt));
    done = once();
  }
  return done;
}

void put_all(artifact::ObjectStore& store, const Targets& targets, std::vector<std::string>& errors) {
  std::vector<const Targets::value_type*> list;
  for (const auto& target : targets) list.push_back(&target);
  std::atomic<std::size_t> next{0};
  std::mutex guard;
  const auto work = [&] {
    for (std::size_t i = next++; i < list.size(); i = next++) {
      const auto done = put(store, list[i]->first, list[i]->second);
      if (done) continue;
      const std::scoped_lock lock(guard);
      errors.push_back(done.error().text());
    }
  };
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < std::min(kAtOnce, list.size()); ++i) threads.emplace_back(work);
}

}  // namespace

std::string run_prefix(const UploadOptions& options, const JobSpec& spec) {
  if (!options.place.local_output_dir.empty()) return {};
  const std::string folder = prow::layout::run_folder(place_of(spec, options.place));
  return join_path(join_path(options.place.path_prefix, folder), options.sub_dir);
}

Targets artifact_targets(const UploadOptions& options, const JobSpec& spec) {
  Targets targets;
  if (options.place.local_output_dir.empty()) {
    const auto place = place_of(spec, options.place);
    const std::string folder = join_path(options.place.path_prefix, prow::layout::run_folder(place));
    const std::string& bucket = options.place.bucket;
    const bool scheme = bucket.find("://") != std::string::npos;
    if (const std::string alias = prow::layout::alias_file(place); !alias.empty())
      targets[alias] = fmt::format("{}{}/{}", scheme ? "" : "gs://", bucket, folder);
    for (const std::string& name : prow::layout::latest_build_files(place)) targets[name] = spec.build_id;
  }
  const std::string prefix = run_prefix(options, spec);
  for (const std::string& item : options.items) {
    std::error_code code;
    const fs::path path(item);
    const std::string name = (path.has_filename() ? path : path.parent_path()).filename().string();
    if (fs::is_directory(path, code))
      add_folder(path, join_path(prefix, name), targets);
    else if (fs::is_regular_file(path, code))
      add_file(path, object_name(join_path(prefix, name)), targets);
    else
      log_warn("upload", "nothing is uploaded of '{}': {}", item, code ? code.message() : "no file and no folder");
  }
  return targets;
}

Result<> upload(const UploadOptions& options, const JobSpec& spec, const Targets& artifacts, const Targets& extra) {
  const std::string prefix = run_prefix(options, spec);
  Targets named;
  for (const auto& [name, content] : extra) named.emplace(join_path(prefix, name), content);
  if (options.dry_run) {
    for (const Targets* targets : {&artifacts, &std::as_const(named)})
      for (const auto& [name, content] : *targets) log_info("upload", "would upload '{}'", name);
    return {};
  }
  TRY_ASSIGN(const auto store, open_store(options));
  std::vector<std::string> errors;
  put_all(*store, artifacts, errors);
  put_all(*store, named, errors);
  log_info("upload", "uploaded {} of {} files", artifacts.size() + named.size() - errors.size(),
           artifacts.size() + named.size());
  if (errors.empty()) return {};
  return fail(ErrorKind::unavailable, "upload: {}", join(errors, "; "));
}

}  // namespace bowsprit::podutils
