// SPDX-License-Identifier: Apache-2.0
#include "app/source_lines.h"

#include <map>

#include "base/strings.h"

namespace bowsprit::app {
namespace {

constexpr std::size_t kMostFiles = 100;
constexpr std::size_t kMaxFile = 8U << 20U;
constexpr std::size_t kMaxLine = 500;

/// The lines of files of one tree, each file read once.
class Sources {
 public:
  explicit Sources(const fs::path& tree) {
    std::error_code failed;
    root_ = fs::canonical(tree, failed);
    if (failed) root_.clear();
  }

  std::string line(const std::string& file, int number) {
    if (root_.empty() || file.empty() || number <= 0) return {};
    auto known = files_.find(file);
    if (known == files_.end()) {
      if (files_.size() >= kMostFiles) return {};
      known = files_.emplace(file, read(file)).first;
    }
    const auto index = static_cast<std::size_t>(number) - 1;
    return index < known->second.size() ? shorten(printable(trim(known->second[index])), kMaxLine) : std::string();
  }

 private:
  [[nodiscard]] std::vector<std::string> read(const std::string& file) const {
    std::error_code failed;
    const fs::path path = fs::canonical(root_ / file, failed);  // follows links, which may lead out
    if (failed || !fs::is_regular_file(path, failed)) return {};
    const fs::path inside = path.lexically_relative(root_);
    if (inside.empty() || *inside.begin() == "..") return {};
    const auto text = read_file(path, kMaxFile);
    return text ? split_lines(*text) : std::vector<std::string>();
  }

  fs::path root_;
  std::map<std::string, std::vector<std::string>> files_;
};

}  // namespace

void add_source_lines(RunResult& result, const fs::path& tree) {
  Sources sources(tree);
  for (auto& failure : result.failures) failure.source = sources.line(failure.file, failure.line);
  for (auto& diagnostic : result.diagnostics)
    if (diagnostic.kind == Diagnostic::Kind::error || diagnostic.kind == Diagnostic::Kind::warning)
      diagnostic.source = sources.line(diagnostic.file, diagnostic.line);
}

}  // namespace bowsprit::app
