// SPDX-License-Identifier: Apache-2.0
/// The reader of a kernel's console: bytes in, the tree of tests and the kernel's own fault reports out.
///
/// The input is hostile: the code under test writes to it. Any bytes are survived, memory is bounded by `Limits`
/// whatever the input's length, and what a limit cost is said as an Anomaly. KTAP is Documentation/dev-tools/ktap.rst
/// as lib/kunit prints it; TAP 13/14 headers, kselftest's directives and several documents (one per loaded module) in
/// one console are read too. Lines may carry time stamps, thread ids, log levels, a syslog prefix, ANSI sequences and
/// CR; other printk text may be glued in front of or behind a KTAP line. The tree follows the indentation.
///
/// Does not: judge (verdict/judge.h), know which tests ought to have run, decode addresses.
/// Threads: one Console per stream, any thread, no locking. Callbacks of the sink run inside feed() and finish().
///
///   Console console;
///   while (read(chunk)) console.feed(chunk);            // chunks may split lines anywhere
///   ConsoleReport report = std::move(console).finish(EndOfInput::exited);
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ktap/result_tree.h"

namespace bowsprit::ktap {

/// Upper bounds of what one Console keeps. The defaults hold about 100 MB in the worst case and lose nothing of a real
/// kernel's run.
struct Limits {
  std::size_t line_bytes = 8192;         ///< a longer line is cut
  std::size_t depth = 8;                 ///< nested tests deeper than this are read as log
  std::size_t plan = 10'000;             ///< a larger plan is an error and counts as this
  std::size_t tests = 100'000;           ///< nodes of the tree
  std::size_t log_lines_per_test = 200;  ///< the first and the last half of them are kept
  std::size_t log_bytes = 16U << 20U;    ///< of all tests together
  std::size_t expectations_per_test = 20;
  std::size_t anomalies = 100;
  std::size_t splats = 100;
  std::size_t splat_bytes = 16U << 10U;  ///< text of one report
};

/// Why there is no more input. It decides whether a test that was running crashed or ran out of time.
enum class EndOfInput {
  exited,     ///< the kernel halted, rebooted or panicked by itself
  timed_out,  ///< a time limit of ours ended it
  killed,     ///< it died of a signal that was not ours
};

struct ConsoleReport {
  Document document;
  std::vector<Splat> splats;
};

/// What a live display wants to know. `path` is "suite.case" or "suite.case.parameter".
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void plan_known(std::size_t /*suites*/) {}
  virtual void suite_started(std::string_view /*suite*/, std::size_t /*planned_cases*/) {}
  virtual void case_finished(std::string_view /*path*/, const TestNode& /*node*/) {}
  virtual void suite_finished(const TestNode& /*suite*/) {}
  virtual void splat_started(Splat::Kind /*kind*/, std::string_view /*title*/) {}
};

class Console {
 public:
  explicit Console(Limits limits = {}, EventSink* sink = nullptr);
  Console(Console&&) noexcept;
  Console& operator=(Console&&) noexcept;
  ~Console();

  void feed(std::string_view bytes);
  /// Closes what is open and gives the report. The Console must not be used after.
  ConsoleReport finish(EndOfInput how) &&;

  /// True once a document's plan is fulfilled and nothing is open: the kernel has no test left to run that it
  /// announced.
  [[nodiscard]] bool tests_complete() const;

 private:
  class Reader;
  std::unique_ptr<Reader> reader_;
};

/// The whole text at once; for short inputs and tests.
ConsoleReport read_console(std::string_view text, EndOfInput how = EndOfInput::exited, Limits limits = {});

}  // namespace bowsprit::ktap
