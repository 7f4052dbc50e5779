// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>

#include "base/strings.h"

namespace bowsprit {
namespace {

constexpr std::array kBounds{0.005, 0.01, 0.025, 0.05, 0.1,   0.25,  0.5,   1.0,    2.5,
                             5.0,   10.0, 30.0,  60.0, 120.0, 300.0, 900.0, 1800.0, 3600.0};

/// `a="x",b="y"`, escaped as the format wants it.
std::string print_labels(const Metrics::Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    const std::string escaped = replace_all(replace_all(replace_all(value, "\\", "\\\\"), "\"", "\\\""), "\n", "\\n");
    out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", name, escaped);
  }
  return out;
}

std::string_view type_name(Metrics::Type type) {
  switch (type) {
    case Metrics::Type::counter: return "counter";
    case Metrics::Type::gauge: return "gauge";
    case Metrics::Type::histogram: return "histogram";
  }
  return "untyped";
}

std::string sample(std::string_view name, std::string_view labels, double value) {
  return labels.empty() ? fmt::format("{} {}\n", name, value) : fmt::format("{}{{{}}} {}\n", name, labels, value);
}

}  // namespace

void Metrics::describe(std::string name, Type type, std::string help) {
  const std::lock_guard lock(mutex_);
  families_.try_emplace(std::move(name), Family{type, std::move(help), {}});
}

Metrics::Series* Metrics::find(std::string_view name, const Labels& labels) {
  const auto family = families_.find(name);
  if (family == families_.end()) return nullptr;
  Series& series = family->second.series[print_labels(labels)];
  if (family->second.type == Type::histogram) series.buckets.resize(kBounds.size());
  return &series;
}

void Metrics::add(std::string_view name, const Labels& labels, double by) {
  const std::lock_guard lock(mutex_);
  if (Series* series = find(name, labels)) series->value += by;
}

void Metrics::set(std::string_view name, double value, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  if (Series* series = find(name, labels)) series->value = value;
}

void Metrics::observe(std::string_view name, double seconds, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  Series* series = find(name, labels);
  if (series == nullptr || series->buckets.empty()) return;
  series->value += seconds;
  ++series->count;
  for (std::size_t i = 0; i < kBounds.size(); ++i)
    if (seconds <= kBounds[i]) ++series->buckets[i];
}

std::string Metrics::text() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& [name, family] : families_) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, family.help, name, type_name(family.type));
    for (const auto& [labels, series] : family.series) {
      if (family.type != Type::histogram) {
        out += sample(name, labels, series.value);
        continue;
      }
      const std::string more = labels.empty() ? "" : labels + ",";
      for (std::size_t i = 0; i < kBounds.size(); ++i)
        out += sample(name + "_bucket", fmt::format("{}le=\"{}\"", more, kBounds[i]),
                      static_cast<double>(series.buckets[i]));
      out += sample(name + "_bucket", more + "le=\"+Inf\"", static_cast<double>(series.count));
      out += sample(name + "_sum", labels, series.value);
      out += sample(name + "_count", labels, static_cast<double>(series.count));
    }
  }
  return out;
}

}  // namespace bowsprit
