// SPDX-License-Identifier: Apache-2.0
/// How fast the console reader is, in MB/s on one core, on generated input of three shapes. Prints one JSON object.
///
///   ktap_bench [MEGABYTES [DIR]]     with DIR the inputs are also written there, to feed other parsers
#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "base/json.h"
#include "ktap/console.h"

namespace bowsprit {
namespace {

using ktap::Console;

/// Of one document, as a module prints it: no plan outgrows the reader's limits.
constexpr int kSuitesPerDocument = 5000;

/// Suites of `cases` cases with `log_lines` lines of log each, until `bytes` are reached.
std::string generate(std::size_t bytes, int cases, int log_lines, bool stamps) {
  std::string out;
  out.reserve(bytes + (1U << 20U));
  std::uint64_t microseconds = 60'000;
  const auto line = [&](std::string& to, std::string_view text) {
    if (stamps) to += fmt::format("[{:5}.{:06}] ", microseconds / 1'000'000, microseconds % 1'000'000);
    microseconds += 7;
    to.append(text).append("\n");
  };
  for (int suite = 0; out.size() < bytes;) {
    std::string document;
    int count = 0;
    for (; count < kSuitesPerDocument && out.size() + document.size() < bytes; ++suite) {
      line(document, "    KTAP version 1");
      line(document, fmt::format("    # Subtest: generated_suite_{}", suite));
      line(document, "    # module: generated_test");
      line(document, fmt::format("    1..{}", cases));
      for (int test = 1; test <= cases; ++test) {
        for (int n = 0; n < log_lines; ++n)
          line(document,
               fmt::format("    # generated_case_{}: step {} of the work is done, value 0x{:x}", test, n, n * 77));
        line(document, fmt::format("    ok {} generated_case_{}", test, test));
      }
      line(document, fmt::format("# generated_suite_{0}: pass:{1} fail:0 skip:0 total:{1}", suite, cases));
      line(document, fmt::format("ok {} generated_suite_{}", ++count, suite));
    }
    line(out, "KTAP version 1");
    line(out, fmt::format("1..{}", count));
    out += document;
  }
  return out;
}

double megabytes_per_second(const std::string& input) {
  double best = 0;
  for (int round = 0; round < 3; ++round) {
    const std::clock_t start = std::clock();  // processor time: what one core does, also on a busy machine
    Console console;
    for (std::size_t at = 0; at < input.size(); at += 256U << 10U)
      console.feed(std::string_view(input).substr(at, 256U << 10U));
    const auto report = std::move(console).finish(ktap::EndOfInput::exited);
    const double took = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    if (report.document.suites.empty()) std::abort();
    best = std::max(best, static_cast<double>(input.size()) / 1e6 / took);
  }
  return best;
}

int run(int argc, char** argv) {
  const std::size_t bytes = static_cast<std::size_t>(argc > 1 ? std::atoi(argv[1]) : 100) * 1'000'000;
  struct Shape {
    const char* name;
    int cases;
    int log_lines;
    bool stamps;
  };
  Json out;
  for (const Shape shape : {Shape{"results", 20, 0, false}, Shape{"results_stamped", 20, 0, true},
                            Shape{"log_lines", 20, 50, false}, Shape{"log_lines_stamped", 20, 50, true}}) {
    const std::string input = generate(bytes, shape.cases, shape.log_lines, shape.stamps);
    out[shape.name] = static_cast<int>(megabytes_per_second(input));
    if (argc > 2) {
      std::FILE* file = std::fopen(fmt::format("{}/{}.ktap", argv[2], shape.name).c_str(), "w");
      if (file == nullptr || std::fwrite(input.data(), 1, input.size(), file) != input.size() || std::fclose(file) != 0)
        return 1;
    }
  }
  fmt::print("{}\n",
             dump_json({{"bench", "ktap"}, {"unit", "MB/s"}, {"megabytes", bytes / 1'000'000}, {"speed", out}}));
  return 0;
}

}  // namespace
}  // namespace bowsprit

int main(int argc, char** argv) { return bowsprit::run(argc, argv); }
