// SPDX-License-Identifier: Apache-2.0
/// Numbers about the program for a monitoring system, in Prometheus' text format (version 0.0.4).
///
/// One registry, made by the composition root and handed to whoever counts. Does not: keep history or serve anything.
/// Names follow Prometheus' rules: `bowsprit_` first, base units, counters end in `_total`, durations in `_seconds`.
/// Labels must come from a small set (job names, verdicts), never from a change's content. Threads: any.
///
///   metrics.describe("bowsprit_runs_total", Metrics::Type::counter, "Finished runs by verdict.");
///   metrics.add("bowsprit_runs_total", {{"verdict", "passed"}});
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bowsprit {

class Metrics {
 public:
  enum class Type { counter, gauge, histogram };
  using Labels = std::vector<std::pair<std::string, std::string>>;

  /// Once per name, before its first value; a value of a name that nobody described is dropped.
  void describe(std::string name, Type type, std::string help);
  void add(std::string_view name, const Labels& labels = {}, double by = 1);
  void set(std::string_view name, double value, const Labels& labels = {});
  /// Into the buckets of a histogram: 5 ms to 1 h, in steps of about 2.
  void observe(std::string_view name, double duration, const Labels& labels = {});

  [[nodiscard]] std::string text() const;

 private:
  struct Series {
    double value = 0;  ///< of a histogram the sum
    std::vector<std::uint64_t> buckets;
    std::uint64_t count = 0;
  };
  struct Family {
    Type type = Type::counter;
    std::string help;
    std::map<std::string, Series> series;  ///< by labels as they are printed
  };
  Series* find(std::string_view name, const Labels& labels);

  mutable std::mutex mutex_;
  std::map<std::string, Family, std::less<>> families_;
};

}  // namespace bowsprit
