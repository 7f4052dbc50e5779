// SPDX-License-Identifier: Apache-2.0
#include "podutils/upload.h"

#include <atomic>
#include <mutex>
#include <thread>

#include "artifact/store_url.h"
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

std::string object_name(std::string name) { return replace_all(name_without_packing(std::move(name)), "#", "%23"); }

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

/// A store, and whether it is a bucket, which knows types and packing.
struct Place {
  std::unique_ptr<artifact::ObjectStore> store;
  bool is_bucket = false;
};
Result<Place> open_place(const UploadOptions& options) {
  std::string url = options.place.local_output_dir;
  if (url.empty()) url = options.place.bucket;
  if (url.find("://") == std::string::npos && !url.starts_with('/'))
    url = (options.place.local_output_dir.empty() ? "gs://" : fs::current_path().string() + "/") + url;
  TRY_ASSIGN(const auto parsed, artifact::parse_store_url(url));
  using Kind = artifact::StoreUrl::Kind;
  const std::string& credentials = parsed.kind == Kind::s3 ? options.s3_credentials_file : options.gcs_credentials_file;
  TRY_ASSIGN(auto store, artifact::open_store({.store = url, .credentials_file = credentials}));
  return Place{std::move(store), parsed.kind != Kind::folder};
}

class Uploader {
 public:
  static Result<Uploader> create(const UploadOptions& options) {
    TRY_ASSIGN(Place place, open_place(options));
    std::optional<TempDir> scratch;
    if (place.is_bucket && !options.place.compress_file_types.empty()) {
      TRY_ASSIGN(scratch, TempDir::create("bowsprit-upload"));
    }
    return Uploader(options, std::move(place), std::move(scratch));
  }

  /// All are tried; appends what failed to `errors`.
  void put_all(const Targets& targets, std::vector<std::string>& errors) {
    std::vector<const Targets::value_type*> list;
    for (const auto& target : targets) list.push_back(&target);
    std::atomic<std::size_t> next{0};
    std::mutex guard;
    const auto work = [&] {
      for (std::size_t i = next++; i < list.size(); i = next++) {
        const fs::path scratch = scratch_ ? scratch_->path() / std::to_string(i) : fs::path();
        const auto done = put(list[i]->first, list[i]->second, scratch);
        if (scratch_) std::ignore = remove_tree(scratch);
        if (done) continue;
        const std::scoped_lock lock(guard);
        errors.push_back(done.error().text());
      }
    };
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < std::min(kAtOnce, list.size()); ++i) threads.emplace_back(work);
  }

 private:
  Uploader(const UploadOptions& options, Place place, std::optional<TempDir> scratch)
      : packing_{options.place.media_types, options.place.compress_file_types},
        place_(std::move(place)),
        scratch_(std::move(scratch)) {}

  Result<> put(const std::string& name, const Content& content, const fs::path& scratch) {
    Packed packed{content, {}};
    if (place_.is_bucket) {
      TRY_ASSIGN(packed, pack(name, content, packing_, scratch));
    }
    const auto once = [&] {
      if (const auto* bytes = std::get_if<std::string>(&packed.content))
        return place_.store->put(name, *bytes, packed.attributes);
      return place_.store->put_file(name, std::get<fs::path>(packed.content), packed.attributes);
    };
    Result<> done = once();
    for (int attempt = 1; !done && done.error().retryable() && attempt < kTries; ++attempt) {
      std::this_thread::sleep_for(seconds(attempt * attempt));
      done = once();
    }
    return done;
  }

  Packing packing_;
  Place place_;
  std::optional<TempDir> scratch_;  ///< for packed files
};

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
  TRY_ASSIGN(auto uploader, Uploader::create(options));
  std::vector<std::string> errors;
  uploader.put_all(artifacts, errors);
  uploader.put_all(named, errors);
  log_info("upload", "uploaded {} of {} files", artifacts.size() + named.size() - errors.size(),
           artifacts.size() + named.size());
  if (errors.empty()) return {};
  return fail(ErrorKind::unavailable, "upload: {}", join(errors, "; "));
}

}  // namespace bowsprit::podutils
