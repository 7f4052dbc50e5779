// SPDX-License-Identifier: Apache-2.0
#include "web/run_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "artifact/result_json.h"
#include "base/strings.h"
#include "os/fd.h"

namespace bowsprit::web {
namespace {

constexpr std::uint64_t kMaxResult = 16U << 20U;  ///< more than any suite of today; what is larger is only downloaded
constexpr std::uint64_t kTail = 64U << 10U;
constexpr std::size_t kTailLines = 200;
constexpr std::size_t kMaxListed = 200;
constexpr std::size_t kCachedResults = 16;

/// A file that somebody else may still be writing.
Result<net::ByteSource> growing_file(const std::filesystem::path& path) {
  TRY_ASSIGN(Fd opened, Fd::open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  struct ::stat info{};
  if (::fstat(opened.get(), &info) != 0) return fail_errno(fmt::format("stat '{}'", path.string()));
  if (!S_ISREG(info.st_mode)) return fail(ErrorKind::not_found, "'{}' is no plain file", path.string());
  auto fd = std::make_shared<Fd>(std::move(opened));
  return net::ByteSource{.size = static_cast<std::uint64_t>(info.st_size),
                         .read = [fd, path](std::uint64_t offset, std::uint64_t length) -> Result<std::string> {
                           std::string bytes(static_cast<std::size_t>(length), '\0');
                           const auto count =
                               ::pread(fd->get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
                           if (count < 0) return fail_errno(fmt::format("read '{}'", path.string()));
                           bytes.resize(static_cast<std::size_t>(count));
                           return bytes;
                         }};
}

/// The last lines of a text whose start may be the middle of one.
std::string last_lines(std::string_view text, bool from_start) {
  if (!from_start) text.remove_prefix(std::min(text.find('\n') + 1, text.size()));
  std::size_t at = text.size();
  for (std::size_t lines = 0; lines <= kTailLines && at != std::string_view::npos && at > 0; ++lines)
    at = text.rfind('\n', at - 1);
  if (at != std::string_view::npos && at > 0) text.remove_prefix(at + 1);
  return std::string(text);
}

}  // namespace

Result<net::ByteSource> RunReader::file(const store::Run& run, const std::string& name) {
  if (run.artifacts.empty()) return fail(ErrorKind::not_found, "run {} has no files yet", run.id);
  const std::string full = run.artifacts + "/" + name;
  TRY_ASSIGN(const auto info, objects_.stat(full));
  return net::ByteSource{.size = info.size,
                         .read = [&objects = objects_, full](std::uint64_t offset, std::uint64_t length) {
                           return objects.get(full, offset, length);
                         }};
}

Result<std::string> RunReader::signed_url(const store::Run& run, const std::string& name, seconds lifetime) {
  return objects_.signed_url(run.artifacts + "/" + name, lifetime);
}

Result<net::ByteSource> RunReader::log(const store::Run& run) {
  if (!sched::is_final(run.state))
    if (const auto live = backend_.live_log(run.id)) return growing_file(*live);
  return file(run, "build-log.txt");
}

Result<std::shared_ptr<const RunResult>> RunReader::result(const store::Run& run) {
  const auto known = std::ranges::find(cache_, run.id, &Cached::run);
  if (known != cache_.end()) return known->result;
  TRY_ASSIGN(const auto source, file(run, "artifacts/result.json"));
  if (source.size > kMaxResult)
    return fail(ErrorKind::bad_data, "result.json has {}, too much for a page", human_size(source.size));
  TRY_ASSIGN(const auto text, source.read(0, source.size));
  TRY_ASSIGN(auto parsed, artifact::read_result_json(text));
  auto result = std::make_shared<const RunResult>(std::move(parsed));
  cache_.push_back({run.id, result});
  if (cache_.size() > kCachedResults) cache_.pop_front();
  return result;
}

void RunReader::add_log(RunView& view) {
  const auto source = log(view.run);
  if (!source) return;
  view.has_log = true;
  view.log_size = source->size;
  const std::uint64_t from = source->size > kTail ? source->size - kTail : 0;
  if (auto tail = source->read(from, source->size - from)) view.log_tail = last_lines(*tail, from == 0);
}

Result<RunView> RunReader::read(std::int64_t id, SystemTime now) {
  RunView view;
  view.now = now;
  TRY_ASSIGN(auto run, store_.run(id));
  if (!run) return fail(ErrorKind::not_found, "there is no run {}", id);
  view.run = std::move(*run);
  TRY_ASSIGN(view.events, store_.run_events(id));
  TRY_ASSIGN(auto siblings,
             store_.runs({.change = view.run.change, .gerrit = view.run.gerrit, .job = view.run.job, .limit = 20}));
  std::erase_if(siblings, [id](const store::Run& other) { return other.id == id; });
  view.siblings = std::move(siblings);
  add_log(view);
  if (sched::is_final(view.run.state)) {
    auto result = this->result(view.run);
    if (result)
      view.result = *result;
    else if (result.error().kind != ErrorKind::not_found)
      view.result_problem = result.error().text();
  }
  if (!view.run.artifacts.empty()) {
    const std::string folder = view.run.artifacts + "/";
    if (auto listed = objects_.list(folder, kMaxListed + 1))
      view.artifacts = std::move(*listed);
    else
      view.artifacts_problem = listed.error().text();  // a store may be away; the rest of the page is not
    view.more_artifacts = view.artifacts.size() > kMaxListed;
    if (view.more_artifacts) view.artifacts.pop_back();
    for (auto& object : view.artifacts) object.name.erase(0, folder.size());
  }
  return view;
}

}  // namespace bowsprit::web
