// SPDX-License-Identifier: Apache-2.0
#include "podutils/staging.h"

#include "base/strings.h"
#include "os/fd.h"

namespace bowsprit::podutils {
namespace {

constexpr std::size_t kBlock = 1U << 20U;

/// Relative to the item that holds it, as include and exclude globs are.
std::string relative_name(const fs::path& file, const std::vector<std::string>& items) {
  for (const std::string& item : items) {
    const std::string name =
        file.lexically_normal().lexically_relative(fs::path(item + "/").lexically_normal()).generic_string();
    if (!name.empty() && !name.starts_with("..")) return name;
  }
  return file.filename().string();
}

}  // namespace

Result<Staging> Staging::create(const std::optional<CensoringOptions>& options) {
  TRY_ASSIGN(auto folder, TempDir::create("sidecar"));
  Staging staging(options.value_or(CensoringOptions{}), std::move(folder));
  auto censor = Censor::load(staging.options_);
  if (censor)
    staging.censor_ = std::move(*censor);
  else
    staging.why_not_ = censor.error().text();
  return staging;
}

Result<fs::path> Staging::copy(const fs::path& file) {
  if (!censor_works()) return fail(ErrorKind::bad_data, "the secrets to take out could not be read");
  if (censor_.empty()) return file;
  const fs::path to = folder_.path() / fmt::format("{}-{}", count_++, "staged");
  TRY_ASSIGN(const Fd source, Fd::open(file.string(), O_RDONLY | O_NONBLOCK));
  {
    TRY_ASSIGN(const Fd target, Fd::open(to.string(), O_WRONLY | O_CREAT | O_EXCL, 0600));
    std::vector<char> buffer(kBlock);
    while (true) {
      TRY_ASSIGN(const std::size_t size, source.read(buffer.data(), buffer.size()));
      if (size == 0) break;
      TRY(target.write_all({buffer.data(), size}));
    }
  }
  TRY(censor_file(censor_, to));
  return to;
}

Content Staging::take_log(const fs::path& file) {
  std::error_code code;
  if (!fs::exists(file, code)) return fmt::format("Failed to open {}: there is no such file\n", file.string());
  auto taken = copy(file);
  if (taken) return *std::move(taken);
  withheld_.push_back(fmt::format("{}: {}", file.filename().string(), taken.error().message));
  return fmt::format("This log is withheld: {}\n", censored(taken.error().message));
}

fs::path Staging::take_artifact(const fs::path& file, const std::vector<std::string>& items) {
  const std::string name = relative_name(file, items);
  if (censor_works() && !is_censored(options_, name)) return file;
  auto taken = copy(file);
  if (taken) return *std::move(taken);
  withheld_.push_back(fmt::format("{}: {}", name, taken.error().message));
  return {};
}

Result<std::string> Staging::read(const std::string& file) const {
  if (!censor_works()) return fail(ErrorKind::bad_data, "the secrets to take out could not be read");
  TRY_ASSIGN(std::string text, read_file(file, 16U << 20U));
  return censored(std::move(text));
}

std::string Staging::censored(std::string text) const {
  censor_.mask(text);
  return text;
}

}  // namespace bowsprit::podutils
