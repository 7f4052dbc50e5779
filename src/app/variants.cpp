// SPDX-License-Identifier: Apache-2.0
#include "app/variants.h"

#include <algorithm>

#include "artifact/kcidb.h"
#include "base/log.h"
#include "verdict/judge.h"
#include "verdict/variants.h"

namespace bowsprit::app {
namespace {

constexpr std::size_t kMostOfALog = std::size_t{64} << 20U;

bool left_options(const RunResult& result) {
  return std::ranges::any_of(result.diagnostics, [](const Diagnostic& diagnostic) {
    return diagnostic.kind == Diagnostic::Kind::config && !diagnostic.counts;
  });
}

/// The variant's log behind those of the others, with a line that says whose it is.
void add_log(const fs::path& artifacts, const std::string& variant, const char* name) {
  const auto text = read_file(artifacts / variant / name, kMostOfALog);
  std::error_code ignored;
  if (!text && !fs::exists(artifacts / variant / name, ignored)) return;
  auto all = Fd::open((artifacts / name).string(), O_WRONLY | O_CREAT | O_APPEND);
  const auto written = all ? all->write_all(fmt::format("[bowsprit: variant {}]\n{}\n", variant,
                                                        text ? *text : "[" + text.error().text() + "]"))
                           : Result<>(std::unexpected(all.error()));
  if (!written) log_warn("run", "{}: {}", name, written.error().text());
}

}  // namespace

fs::path build_folder_of(const fs::path& build, const kernel::Variant& variant) {
  const auto name = variant.name();
  return name == kernel::Variant{}.name() ? build : build / "variants" / name;
}

std::string taker_of(const std::vector<kernel::Variant>& variants, std::size_t index) {
  if (!variants[index].architecture->qemu.empty()) return "";
  const kernel::Variant* taker = nullptr;
  for (const auto& other : variants)
    if (!other.architecture->qemu.empty() && (taker == nullptr || (!taker->presets.empty() && other.presets.empty())))
      taker = &other;
  return taker == nullptr ? "" : taker->name();
}

RunResult judge_variants(const JudgeTreeOptions& options, const std::vector<kernel::Variant>& variants,
                         JudgeTreeWatch& watch) {
  std::vector<VariantRun> runs;
  if (auto made = prepare_artifacts(options.artifacts); !made) return infra_failed(made.error().text());
  for (std::size_t i = 0; i < variants.size(); ++i) {
    const auto name = variants[i].name();
    watch.on_note(fmt::format("variant {} ({} of {})", name, i + 1, variants.size()));
    JudgeTreeOptions one = options;
    one.variant = variants[i];
    one.build = build_folder_of(options.build, variants[i]);
    one.artifacts = options.artifacts / name;
    one.takes_lost_options = taker_of(variants, i);
    auto result = judge_tree(one, watch);
    for (const char* log : {"build.log", "kunit.log"}) add_log(options.artifacts, name, log);
    const bool handed_over = left_options(result);
    const bool stopped = result.verdict == Verdict::aborted;
    runs.push_back({name, std::move(result), handed_over});
    if (stopped) break;
  }
  const auto kcidb = artifact::kcidb_json(runs);
  auto result = join_variants(std::move(runs));
  write_result_files(options.artifacts, result);
  if (auto written = write_file_atomic(options.artifacts / "kcidb.json", kcidb); !written)
    log_error("run", "{}", written.error().text());
  return result;
}

}  // namespace bowsprit::app
