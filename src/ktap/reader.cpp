// SPDX-License-Identifier: Apache-2.0
/// Lines to KTAP events: cutting the stream into lines, telling KTAP from log, pulling glued lines apart. The tree that
/// the events build is in tree_builder.cpp.
#include "ktap/reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/strings.h"

namespace bowsprit::ktap {
namespace {

constexpr std::size_t kMessageLines = 16;
constexpr std::size_t kMessageBytes = 4096;
constexpr std::size_t kTailBytes = 1024;  // of a line that is too long: a result may be glued to its end

/// Width of the blanks right before `at`, and where they begin.
Indent blanks_before(std::string_view text, std::size_t at) {
  Indent indent{0, at};
  while (indent.bytes > 0 && (text[indent.bytes - 1] == ' ' || text[indent.bytes - 1] == '\t')) {
    --indent.bytes;
    indent.width += text[indent.bytes] == '\t' ? 4 : 1;
  }
  return indent;
}

/// Where "ok " and a digit stand from `from` on. By the 'k', since log lines are full of 'o'.
std::size_t find_ok(std::string_view text, std::size_t from) {
  for (std::size_t k = text.find('k', from + 1); k != std::string_view::npos; k = text.find('k', k + 1))
    if (text[k - 1] == 'o' && k + 2 < text.size() && text[k + 1] == ' ' && text[k + 2] >= '0' && text[k + 2] <= '9')
      return k - 1;
  return std::string_view::npos;
}

std::string_view without_kunit_indent(std::string_view text) {
  if (text.starts_with('\t')) return text.substr(1);
  std::size_t count = 0;
  while (count < 4 && count < text.size() && text[count] == ' ') ++count;
  return text.substr(count);
}

}  // namespace

Console::Reader::Reader(Limits limits, EventSink* sink) : limits_(limits), sink_(sink) {
  limits_.line_bytes = std::max(limits_.line_bytes, 2 * kTailBytes);
  limits_.log_lines_per_test = std::max<std::size_t>(limits_.log_lines_per_test, 2);
  budget_.limit = limits_.log_bytes;
}

void Console::Reader::feed(std::string_view bytes) {
  may_have_escapes_ = may_have_escapes_ || std::memchr(bytes.data(), '\x1b', bytes.size()) != nullptr;
  while (!bytes.empty()) {
    const void* newline = std::memchr(bytes.data(), '\n', bytes.size());
    if (newline == nullptr) {
      keep_partial(bytes);
      return;
    }
    const auto length = static_cast<std::size_t>(static_cast<const char*>(newline) - bytes.data());
    if (partial_.empty() && length <= limits_.line_bytes) {
      take_line(bytes.substr(0, length));
    } else {
      keep_partial(bytes.substr(0, length));
      const std::string line = std::exchange(partial_, {});
      take_line(line);
    }
    bytes.remove_prefix(length + 1);
  }
}

/// Appends to the unfinished line. Of a line that is too long the first bytes and the last kTailBytes are kept,
/// whatever the chunks were.
void Console::Reader::keep_partial(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t room = limits_.line_bytes + kTailBytes - partial_.size();
    const auto part = bytes.substr(0, room);
    partial_ += part;
    bytes.remove_prefix(part.size());
    if (partial_.size() == limits_.line_bytes + kTailBytes && !bytes.empty())
      partial_.erase(limits_.line_bytes - kTailBytes, partial_.size() - limits_.line_bytes);
  }
}

void Console::Reader::take_line(std::string_view line) {
  ++line_number_;
  std::string shortened;
  if (line.size() > limits_.line_bytes) {
    ++lines_cut_;
    shortened =
        fmt::format("{}{}", line.substr(0, limits_.line_bytes - kTailBytes), line.substr(line.size() - kTailBytes));
    line = shortened;
  }
  if (may_have_escapes_) line = strip_ansi(line, ansi_scratch_);
  while (true) {
    const PlainLine plain = strip_prefix(line);
    now_ = plain.microseconds;
    stamped_ = stamped_ || now_.has_value();
    const std::size_t inner = stamped_ ? find_inner_stamp(plain.text) : std::string_view::npos;
    take_text(plain.text.substr(0, inner));
    if (inner == std::string_view::npos) return;
    line = plain.text.substr(inner);
  }
}

void Console::Reader::take_text(std::string_view text) {
  if (text.empty()) return;
  KtapLine line = classify(text);
  const bool plain_ktap = line.kind != LineKind::other && line.kind != LineKind::diagnostic;
  if (const auto splat = find_splat(text)) {
    if (splat->at > 0) {
      const std::string_view front = text.substr(0, splat->at);
      KtapLine front_line = classify(front);
      if (plain_ktap)
        take_ktap(front_line, front);
      else if (!take_glued_ktap(front) && front.find_first_not_of(" \t") != std::string_view::npos)
        take_other(front, front_line);
    }
    start_splat(*splat, text.substr(splat->at));
    return;
  }
  if (plain_ktap) {
    take_ktap(line, text);
  } else if (!take_glued_ktap(text)) {
    if (line.kind == LineKind::diagnostic)
      take_diagnostic(line, text);
    else
      take_other(text, line);
  }
}

void Console::Reader::take_ktap(KtapLine& line, std::string_view text) {
  if (line.kind == LineKind::executor_error) {
    if (document_.executor_errors.size() < limits_.anomalies)
      document_.executor_errors.push_back(shorten(printable(line.text), 300));
    return;
  }
  if (line.kind != LineKind::version && frames_.empty())
    return;  // KTAP begins with its header; before it this is chatter
  collecting_ = false;
  end_splat();
  switch (line.kind) {
    case LineKind::version: on_version(line); break;
    case LineKind::subtest: on_subtest(line.indent, line.name); break;
    case LineKind::plan: on_plan(line, text); break;
    case LineKind::result: on_result(line); break;
    case LineKind::bail_out: on_bail_out(line); break;
    case LineKind::diagnostic: take_diagnostic(line, text); break;
    case LineKind::executor_error:
    case LineKind::other: log_line(text); break;
  }
}

/// KTAP behind other text on one line. Taken only where it fits what is expected next, since a log line may quote
/// anything.
bool Console::Reader::take_glued_ktap(std::string_view text) {
  if (text.size() < 6) return false;
  // kselftest puts a program's own KTAP behind "# "; that is quoted, not glued.
  const bool quoted = text[text.find_first_not_of(" \t")] == '#';
  const bool ends_in_digit = text.back() >= '0' && text.back() <= '9';
  if (ends_in_digit && !quoted) {
    if (const std::size_t at = text.rfind("TAP version "); at != std::string_view::npos && at > 0) {
      const std::size_t start = text[at - 1] == 'K' ? at - 1 : at;
      KtapLine line = classify(text.substr(start));
      if (line.kind == LineKind::version && start > 0) {
        const Indent blanks = blanks_before(text, start);
        line.indent = blanks.width;
        log_line(text.substr(0, blanks.bytes));
        take_ktap(line, text);
        return true;
      }
    }
  }
  if (frames_.empty()) return false;
  const Frame& top = frames_.back();
  for (std::size_t at = find_ok(text, 1); at != std::string_view::npos; at = find_ok(text, at + 1)) {
    const bool negated = at >= 5 && text.substr(at - 4, 4) == "not ";
    const std::size_t start = negated ? at - 4 : at;
    KtapLine line = classify(text.substr(start));
    if (line.kind != LineKind::result || start == 0) continue;
    const Indent blanks = blanks_before(text, start);
    int indent = -1;
    for (std::size_t i = frames_.size(); i-- > 0 && indent < 0;) {
      const bool next = line.number == frames_[i].seen + 1;
      if (next && frames_[i].indent > 0 && blanks.width >= frames_[i].indent) indent = frames_[i].indent;
      const bool closing =
          i + 1 < frames_.size() && next && !line.name.empty() && frames_[i + 1].node.name == line.name;
      if (closing) indent = frames_[i].indent;
    }
    if (indent < 0) continue;
    line.indent = indent;
    if (blanks.bytes > 0) take_other(text.substr(0, blanks.bytes), classify(text.substr(0, blanks.bytes)));
    take_ktap(line, text);
    return true;
  }
  if (const std::size_t at = quoted ? std::string_view::npos : text.find("# Subtest: ", 1);
      at != std::string_view::npos) {
    const Indent blanks = blanks_before(text, at);
    KtapLine line = classify(text.substr(at));
    if (blanks.width >= 2 && blanks.bytes > 0 && line.kind == LineKind::subtest) {
      line.indent = blanks.width;
      log_line(text.substr(0, blanks.bytes));
      take_ktap(line, text);
      return true;
    }
  }
  if (ends_in_digit && !top.has_plan && top.seen == 0) {
    const std::size_t at = text.rfind("1..");
    if (at != std::string_view::npos && at > 0) {
      const Indent blanks = blanks_before(text, at);
      KtapLine line = classify(text.substr(at));
      if (blanks.width > 0 && blanks.width >= top.indent && line.kind == LineKind::plan && line.rest.empty()) {
        line.indent = top.indent;
        log_line(text.substr(0, blanks.bytes));
        take_ktap(line, text);
        return true;
      }
    }
  }
  return false;
}

void Console::Reader::take_other(std::string_view text, const KtapLine& line) {
  if (open_splat_) {
    collecting_ = false;
    log_line(text);
    if (open_splat_->add(text) == SplatReport::Step::ended) end_splat();
    return;
  }
  log_line(text);
  if (!collecting_ || frames_.empty() || frames_.back().running.expectations.empty()) return;
  auto& message = frames_.back().running.expectations.back().message;
  // Indented lines explain; a message of the test's own stands at column 0, and so does any other printk: two at most.
  const bool own_words = line.indent < 4;
  message_lines_ += own_words ? 8 : 1;
  if (message_lines_ > static_cast<int>(kMessageLines) || message.size() + text.size() > kMessageBytes ||
      budget_.used + text.size() > budget_.limit) {
    collecting_ = false;
    return;
  }
  budget_.used += text.size();
  if (!message.empty()) message += '\n';
  message += printable(without_kunit_indent(text));
}

void Console::Reader::take_diagnostic(const KtapLine& line, std::string_view text) {
  collecting_ = false;
  if (frames_.empty()) return;
  Frame& top = frames_.back();
  Running& running = top.running;
  running.dirty = true;
  if (line.name == "module") {
    if (frames_.size() > 1 && top.seen == 0) top.node.module = shorten(printable(line.text), 100);
    return;
  }
  if (line.name == "Totals" && stated_total(line.text)) return;
  if (!line.name.empty() && line.name == top.node.name) {
    if (const auto total = stated_total(line.text)) {
      // A parameterised case has no plan; its statistics tell whether a line of it was lost.
      if (!top.has_plan && *total <= limits_.plan) {
        top.has_plan = true;
        top.plan = *total;
      }
      return;
    }
  } else if (!line.name.empty() && line.name.size() < 200 && line.name.find_first_of(" .") == std::string_view::npos) {
    if (running.name.empty() && frames_.size() > 1) running.name = printable(line.name);
  }
  log_line(text);
  if (line.text.starts_with("try timed out") || line.text.starts_with("test case timed out") ||
      line.text.starts_with("test case cleanup timed out"))
    running.ran_out_of_time = true;
  auto expectation = expectation_from(line.text);
  if (!expectation) return;
  running.faulted = running.faulted || line.text.starts_with("try faulted");
  if (line.text.find("FAILED at ") != std::string_view::npos && line.name.size() < 200)
    running.failing = printable(line.name);
  const std::size_t bytes = sizeof(Expectation) + expectation->file.size() + expectation->message.size();
  if (running.expectations.size() >= limits_.expectations_per_test || budget_.used + bytes > budget_.limit) return;
  budget_.used += bytes;
  expectation->file = shorten(printable(expectation->file), 256);
  expectation->message = shorten(printable(expectation->message), kMessageBytes);
  collecting_ = expectation->message.empty();
  message_lines_ = 0;
  running.expectations.push_back(std::move(*expectation));
}

void Console::Reader::log_line(std::string_view text) {
  if (frames_.empty()) return;
  // A quarter is kept free for expectations, which say more per byte.
  LogBudget share{budget_.limit / 4 * 3, budget_.used, budget_.exhausted};
  Running& running = frames_.back().running;
  running.dirty = true;
  running.log.add(text, limits_.log_lines_per_test, share);
  budget_.used = share.used;
  budget_.exhausted = share.exhausted;
}

void Console::Reader::start_splat(SplatStart start, std::string_view line) {
  collecting_ = false;
  log_line(line);
  start.at = 0;
  if (open_splat_ && open_splat_->continues_with(start)) {
    if (open_splat_->announced_only()) {
      open_splat_->become(start, line);
    } else {
      static_cast<void>(open_splat_->add(line));
      return;
    }
  } else {
    end_splat();
    // How a kernel without a root file system ends after its tests is no fault of theirs.
    const bool no_root = line.find("VFS: Unable to mount root fs") != std::string_view::npos ||
                         line.find("No working init found") != std::string_view::npos;
    if (start.kind == Splat::Kind::panic && no_root && in_order()) return;
    open_splat_.emplace(start, line, limits_.splat_bytes);
  }
  if (start.announced) return;
  if (start.kind == Splat::Kind::panic) dead_ = true;
  if (!frames_.empty() && is_fatal(start.kind))
    frames_.back().running.fatal_splat = frames_.back().running.dirty = true;
  if (sink_ != nullptr) sink_->splat_started(start.kind, open_splat_->title());
}

void Console::Reader::end_splat() {
  if (!open_splat_) return;
  Splat splat = std::move(*open_splat_).finish();
  open_splat_.reset();
  std::vector<std::size_t>* running = frames_.empty() ? nullptr : &frames_.back().running.splats;
  if (running != nullptr)
    for (const std::size_t index : *running)
      if (splats_[index].fingerprint == splat.fingerprint) return;  // a loop that warns each time
  if (splats_.size() >= limits_.splats) {
    ++splats_lost_;
    return;
  }
  if (running != nullptr) {
    running->push_back(splats_.size());
    frames_.back().running.dirty = true;
  }
  splats_.push_back(std::move(splat));
}

}  // namespace bowsprit::ktap
