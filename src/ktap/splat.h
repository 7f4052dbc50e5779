// SPDX-License-Identifier: Apache-2.0
/// The kernel's own fault reports, found beside KTAP: panic, oops, BUG, WARN, lockups, KASAN, UBSAN, KCSAN, KFENCE,
/// lockdep, kmemleak.
///
/// Recognised by the words that kernel/panic.c, lib/bug.c, mm/kasan/report.c, lib/ubsan.c, kernel/kcsan/report.c,
/// mm/kfence/report.c, kernel/locking/lockdep.c, kernel/watchdog.c, kernel/hung_task.c and mm/kmemleak.c print, in the
/// middle of a line too, since printk texts run together. A driver that merely prints "WARNING: ..." is none. Does not:
/// know tests; the reader ties a report to one. Threads: values; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "ktap/result_tree.h"

namespace bowsprit::ktap {

struct SplatStart {
  Splat::Kind kind = Splat::Kind::panic;
  std::size_t at = 0;      ///< where in the line it begins
  bool announced = false;  ///< only "---[ cut here ]---": the kind is on a line that follows
};
/// The report that begins in this line, if one does.
std::optional<SplatStart> find_splat(std::string_view line);

/// Collects one report line by line.
class SplatReport {
 public:
  SplatReport(SplatStart start, std::string_view line, std::size_t text_limit);

  enum class Step { more, ended };
  /// One more line of it. `ended`: this was its last line.
  Step add(std::string_view line);
  /// True if a report that starts like this is a later part of this one: "Oops: invalid opcode" after "kernel BUG at".
  [[nodiscard]] bool continues_with(const SplatStart& start) const;
  void become(SplatStart start, std::string_view line);

  [[nodiscard]] bool announced_only() const { return announced_only_; }
  [[nodiscard]] Splat::Kind kind() const { return splat_.kind; }
  [[nodiscard]] const std::string& title() const { return splat_.title; }
  /// The report with place, function and fingerprint.
  Splat finish() &&;

 private:
  void append(std::string_view line);

  Splat splat_;
  std::size_t text_limit_;
  std::size_t lines_ = 0;
  bool announced_only_ = false;
  std::string doubtful_function_;  ///< from a "? func+0x1" frame, used where no certain one comes
};

/// Kinds after which the kernel, or the thread that hit it, does not go on.
bool is_fatal(Splat::Kind kind);

}  // namespace bowsprit::ktap
