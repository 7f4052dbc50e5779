// SPDX-License-Identifier: Apache-2.0
/// KTAP events to the tree: opening and closing tests by indentation, statuses, what never came. See reader.h.
#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "ktap/reader.h"

namespace bowsprit::ktap {
namespace {

constexpr std::size_t kNameBytes = 256;

std::string clean(std::string_view text, std::size_t limit = kNameBytes) {
  unsigned odd = 0;  // without a branch per byte: names are most of what the reader copies
  for (const char c : text) odd |= static_cast<unsigned>(static_cast<unsigned char>(c - 0x20) >= 0x5F);
  return odd == 0 && text.size() <= limit ? std::string(text) : shorten(printable(text), limit);
}

bool any_bad(const std::vector<TestNode>& nodes) {
  return std::any_of(nodes.begin(), nodes.end(), [](const TestNode& node) { return !is_good(node.status); });
}

}  // namespace

template <class... Args>
void Console::Reader::anomaly(Anomaly::Severity severity, fmt::format_string<Args...> format, Args&&... args) {
  if (document_.anomalies.size() >= limits_.anomalies) {
    ++anomalies_lost_;
    // What is dropped must not turn a red run green.
    if (severity == Anomaly::Severity::error) document_.anomalies.back().severity = severity;
    return;
  }
  document_.anomalies.push_back({severity, line_number_, fmt::format(format, std::forward<Args>(args)...)});
}

bool Console::Reader::complete() const {
  return frames_.size() == 1 && frames_[0].has_plan && frames_[0].seen >= frames_[0].plan;
}

/// Nothing open, and as far as is known nothing left to run.
bool Console::Reader::in_order() const {
  return frames_.size() == 1 && frames_[0].seen > 0 && (!frames_[0].has_plan || frames_[0].seen >= frames_[0].plan);
}

std::size_t Console::Reader::frame_for(int indent) const {
  for (std::size_t i = frames_.size(); i-- > 1;)
    if (frames_[i].indent <= indent) return i;
  return 0;
}

std::string Console::Reader::path_of(std::string_view child) const {
  std::string path;
  for (std::size_t i = 1; i < frames_.size(); ++i) path += (path.empty() ? "" : ".") + frames_[i].node.name;
  if (!child.empty()) path.append(path.empty() ? "" : ".").append(child);
  return path;
}

/// A new node below the innermost frame, or aside if there are too many.
TestNode& Console::Reader::new_node() {
  if (nodes_ >= limits_.tests) {
    ++nodes_lost_;
    return lost_ = {};
  }
  ++nodes_;
  return (frames_.size() > 1 ? frames_.back().node.children : document_.suites).emplace_back();
}

void Console::Reader::open_document(int indent) {
  document_.found_ktap = true;
  dead_ = false;
  Frame frame;
  frame.indent = indent;
  frame.started = frame.last = now_;
  frames_.push_back(std::move(frame));
}

void Console::Reader::new_document(int indent) {
  close_above(0, Closing::by_next_test);
  open_document(indent);
}

void Console::Reader::give_up_waiting() {
  if (std::exchange(version_waits_, false)) new_document(frames_[0].indent);
}

void Console::Reader::open_frame(int indent, std::string_view name) {
  if (frames_.size() > limits_.depth) {
    if (!std::exchange(too_deep_, true))
      anomaly(Anomaly::Severity::error, "tests are nested deeper than {}; deeper results count for '{}'", limits_.depth,
              frames_.back().node.name);
    return;
  }
  Frame frame;
  frame.node.name = clean(name);
  frame.indent = indent;
  frame.own = std::exchange(frames_.back().running, {});
  frame.started = frames_.back().last;
  frame.last = now_;
  if (frames_.size() > 1) announce(frames_.back());
  frames_.push_back(std::move(frame));
}

void Console::Reader::announce(Frame& frame) {
  if (sink_ == nullptr || frames_.size() != 2 || std::exchange(frame.announced, true)) return;
  sink_->suite_started(frame.node.name, frame.has_plan ? static_cast<std::size_t>(frame.plan) : 0);
}

void Console::Reader::on_version(const KtapLine& line) {
  if (line.name == "KTAP" ? line.number != 1 : line.number != 13 && line.number != 14)
    anomaly(Anomaly::Severity::warning, "{} version {} is not known; read as KTAP version 1", line.name, line.number);
  if (frames_.empty()) {
    open_document(line.indent);
    return;
  }
  give_up_waiting();
  const Frame& top = frames_.back();
  if (line.indent > top.indent) {
    open_frame(line.indent, {});
    return;
  }
  if (top.fresh() && line.indent == top.indent) return;
  const std::size_t depth = frame_for(line.indent);
  if (depth == 0) {
    // The document's own column: another document, unless a "# Subtest:" line shows that the indentation was lost.
    if (frames_.size() == 1 || top.indent == frames_[0].indent)
      version_waits_ = true;
    else
      new_document(line.indent);
    return;
  }
  close_above(frames_[depth].indent == line.indent ? depth : depth + 1, Closing::by_next_test);
  open_frame(line.indent, {});
}

void Console::Reader::on_subtest(int indent, std::string_view name) {
  version_waits_ = false;
  Frame& top = frames_.back();
  if (indent > top.indent) {
    open_frame(indent, name);
  } else if (frames_.size() > 1 && indent == top.indent && top.fresh()) {
    top.node.name = clean(name);
  } else if (frames_.size() == 1) {
    if (top.fresh()) {
      anomaly(Anomaly::Severity::warning, "suite '{}' stands where the document's own header belongs", clean(name));
      top.indent = std::max(0, indent - 4);
    }
    open_frame(indent, name);
  } else if (indent == top.indent && top.indent == frames_[0].indent) {
    // Without indentation: a test inside of this one if it still expects some, else the next one.
    if (!top.has_plan || top.seen >= top.plan) close_above(frames_.size() - 1, Closing::by_next_test);
    open_frame(indent, name);
  } else {
    const std::size_t depth = frame_for(indent);
    close_above(depth > 0 && frames_[depth].indent == indent ? depth : depth + 1, Closing::by_next_test);
    open_frame(indent, name);
  }
}

void Console::Reader::on_plan(const KtapLine& line, std::string_view text) {
  give_up_waiting();
  const std::size_t depth = frame_for(line.indent);
  Frame& frame = frames_[depth];
  if (frame.has_plan || (line.indent != frame.indent && depth > 0) || line.indent > frame.indent) {
    log_line(text);
    return;
  }
  frame.has_plan = true;
  frame.plan = line.number;
  if (line.number > limits_.plan) {
    frame.plan = limits_.plan;
    anomaly(Anomaly::Severity::error, "'{}' plans {} tests, more than the limit of {}", frame.node.name, line.number,
            limits_.plan);
  }
  if (!line.rest.empty() && !line.directive) log_line(line.rest);
  frame.last = now_;
  if (depth == 0 && sink_ != nullptr) sink_->plan_known(static_cast<std::size_t>(frame.plan));
  if (depth > 0 && nodes_ + frame.plan <= limits_.tests)
    frame.node.children.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(frame.plan, 64)));
  if (depth + 1 == frames_.size()) announce(frame);
}

void Console::Reader::check_number(Frame& frame, std::uint64_t number, std::string_view name) {
  ++frame.seen;
  if (number != frame.seen)
    anomaly(Anomaly::Severity::warning, "'{}' has number {} where {} was due", clean(name), number, frame.seen);
}

/// Whether a result line is that of the open test `candidate`. Makes the line's name that of the header where printk
/// text is glued behind it or its end is cut off.
bool Console::Reader::closes(const Frame& candidate, const Frame& parent, KtapLine& line) {
  const std::string& name = candidate.node.name;
  if (name.empty() || name == line.name) return true;
  if (line.number != parent.seen + 1) return false;
  if (line.name.starts_with(name)) {
    log_line(line.name.substr(name.size()));
  } else if (!std::string_view(name).starts_with(line.name)) {
    if (!candidate.has_plan || candidate.seen < candidate.plan) return false;
    anomaly(Anomaly::Severity::warning, "the result of '{}' names '{}'", name, clean(line.name));
  }
  line.name = name;
  return true;
}

void Console::Reader::on_result(KtapLine& line) {
  give_up_waiting();
  const std::size_t depth = frame_for(line.indent);
  const std::size_t top = frames_.size() - 1;
  std::size_t candidate = depth + 1;
  if (depth == top && top > 0 && frames_[top].indent == frames_[top - 1].indent && frames_[top].node.name == line.name)
    candidate = top;  // no indentation: the name tells
  if (candidate <= top) {
    close_above(candidate + 1, Closing::by_next_test);
    if (closes(frames_[candidate], frames_[candidate - 1], line)) {
      close_frame(Closing::by_result, &line);
      return;
    }
    close_frame(Closing::by_next_test);
  }
  add_leaf(line);
}

TestStatus Console::Reader::status_of(const KtapLine& line, const Running& running) const {
  // A skip after a failing expectation takes the kernel's own word for the failure away (kunit_mark_skipped); a parameter's
  // expectation names its case.
  const bool failed =
      !running.failing.empty() && (running.failing == line.name || running.failing == frames_.back().node.name);
  if (line.ok && failed) return TestStatus::failed;
  if (line.directive == TestStatus::skipped) return TestStatus::skipped;
  if (line.ok) return TestStatus::passed;
  if (line.directive == TestStatus::expected_failure) return TestStatus::expected_failure;
  if (running.ran_out_of_time || line.directive == TestStatus::timed_out) return TestStatus::timed_out;
  return running.faulted ? TestStatus::crashed : TestStatus::failed;
}

TestStatus Console::Reader::unfinished_status(const Running& running) const {
  if (dead_ || running.fatal_splat || end_ != EndOfInput::timed_out) return TestStatus::crashed;
  return TestStatus::timed_out;
}

void Console::Reader::add_leaf(const KtapLine& line) {
  Frame& frame = frames_.back();
  announce(frame);
  check_number(frame, line.number, line.name);
  TestNode& node = new_node();
  if (line.name.empty())
    node.name = fmt::format("({})", line.number);
  else
    node.name = clean(line.name);
  if (!line.text.empty()) node.directive = clean(line.text);
  node.status = status_of(line, frame.running);
  if (now_ && frame.last) node.seconds = std::max(0.0, static_cast<double>(*now_ - *frame.last) / 1e6);
  frame.last = now_;
  settle(node, frame.running);
}

/// Gives a finished test, placed already, its log and the reports that came while it ran. Leaves `running` empty.
void Console::Reader::settle(TestNode& node, Running& running) {
  if (running.dirty) {
    if (!running.splats.empty()) attach_splats(running.splats, path_of(node.name));
    if (is_good(node.status) && budget_.used > budget_.limit / 2)
      running.log.drop(budget_);  // good tests may fill half of it, the rest is for the others
    node.log = running.log.take();
    node.expectations = std::move(running.expectations);
    running = {};
  }
  if (sink_ == nullptr) return;
  if (frames_.size() > 1)
    sink_->case_finished(path_of(node.name), node);
  else
    sink_->suite_finished(node);
}

void Console::Reader::attach_splats(const std::vector<std::size_t>& splats, const std::string& path) {
  for (const std::size_t index : splats)
    if (splats_[index].test.empty()) splats_[index].test = path;
}

void Console::Reader::add_unfinished_children(Frame& frame, Closing how) {
  const bool is_document = frames_.size() == 1;
  const bool due = frame.has_plan && frame.seen < frame.plan;
  if (frame.has_plan && frame.seen > frame.plan)
    anomaly(Anomaly::Severity::error, "'{}' planned {} tests and ran {}", is_document ? "the kernel" : frame.node.name,
            frame.plan, frame.seen);
  if (how == Closing::by_end && !frame.interrupted) {
    const Running& running = frame.running;
    const bool evidence = !running.name.empty() || !running.expectations.empty() || !running.splats.empty();
    // A kernel that halts by itself between two suites was not in the middle of one.
    const bool between = is_document && !dead_ && !running.fatal_splat && end_ == EndOfInput::exited;
    if (due ? !between : !is_document && !frame.has_plan && evidence) {
      TestNode& node = new_node();
      node.name = running.name;
      node.status = unfinished_status(running);
      ++frame.seen;
      frame.interrupted = true;
      settle(node, frame.running);
    }
  }
  document_.ended_early = document_.ended_early || (due && how != Closing::by_result);
  if (!frame.has_plan) return;
  Running nothing;
  for (; frame.seen < frame.plan; ++frame.seen) settle(new_node(), nothing);
}

void Console::Reader::close_frame(Closing how, const KtapLine* result) {
  add_unfinished_children(frames_.back(), how);
  Frame frame = std::move(frames_.back());
  if (frames_.size() == 1) {
    if (frame.fresh() && !document_.suites.empty())
      anomaly(Anomaly::Severity::error, "a KTAP header with nothing behind it");
    frames_.pop_back();
    return;
  }
  frames_.pop_back();
  Frame& parent = frames_.back();

  Running& own = frame.own;
  own.log.append(std::move(frame.running.log), limits_.log_lines_per_test, budget_);
  std::ranges::move(frame.running.expectations, std::back_inserter(own.expectations));
  own.splats.insert(own.splats.end(), frame.running.splats.begin(), frame.running.splats.end());
  own.ran_out_of_time = own.ran_out_of_time || frame.running.ran_out_of_time;
  own.faulted = own.faulted || frame.running.faulted;
  own.fatal_splat = own.fatal_splat || frame.running.fatal_splat;
  own.dirty = own.dirty || frame.running.dirty;

  TestNode& node = frame.node;
  if (now_ && frame.started) node.seconds = std::max(0.0, static_cast<double>(*now_ - *frame.started) / 1e6);
  parent.last = now_;
  if (result != nullptr) {
    if (node.name.empty()) node.name = result->name.empty() ? fmt::format("({})", result->number) : clean(result->name);
    check_number(parent, result->number, node.name);
    node.status = status_of(*result, own);
    node.directive = clean(result->text);
    if (frame.seen == 0 && node.status == TestStatus::passed) {
      anomaly(Anomaly::Severity::warning, "'{}' has a header and a good result, and ran no test", node.name);
      node.status = TestStatus::missing;
    } else if (is_good(node.status) && any_bad(node.children)) {
      if (result->ok && !result->directive)
        anomaly(Anomaly::Severity::warning, "'{}' says ok, but not all of its tests were", node.name);
      node.status = TestStatus::failed;
    }
  } else {
    ++parent.seen;
    if (node.name.empty()) node.name = fmt::format("({})", parent.seen);
    node.status = how == Closing::by_end ? unfinished_status(own) : TestStatus::crashed;
    document_.ended_early = document_.ended_early || how == Closing::by_end;
    if (how == Closing::by_next_test)
      anomaly(Anomaly::Severity::error, "the result line of '{}' never came", node.name);
    else
      parent.interrupted = true;
  }
  TestNode& placed = new_node();
  placed = std::move(node);
  settle(placed, own);
}

void Console::Reader::close_above(std::size_t depth, Closing how) {
  while (frames_.size() > depth) close_frame(how);
}

void Console::Reader::on_bail_out(const KtapLine& line) {
  document_.bailed_out = true;
  anomaly(Anomaly::Severity::error, "Bail out! {}", clean(line.text));
  version_waits_ = false;
  for (Frame& frame : frames_)
    frame.running.fatal_splat = frame.running.dirty = true;  // what was running crashed, whatever ends the input later
  close_above(0, Closing::by_end);
}

ConsoleReport Console::Reader::finish(EndOfInput how) {
  if (!partial_.empty()) {
    const std::string line = std::exchange(partial_, {});
    take_line(line);
  }
  end_ = how;
  end_splat();
  give_up_waiting();
  close_above(0, Closing::by_end);
  // What the limits cost is said in any case, over the limit of anomalies too.
  const auto lost = [&](std::uint64_t count, Anomaly::Severity severity, std::string text) {
    if (count > 0) document_.anomalies.push_back({severity, line_number_, std::move(text)});
  };
  using enum Anomaly::Severity;
  lost(anomalies_lost_, warning, fmt::format("{} more such remarks are not kept", anomalies_lost_));
  lost(nodes_lost_, error, fmt::format("more than {} tests: {} are not kept", limits_.tests, nodes_lost_));
  lost(lines_cut_, warning,
       fmt::format("{} lines were longer than {} bytes and are cut", lines_cut_, limits_.line_bytes));
  lost(budget_.exhausted ? 1 : 0, warning,
       fmt::format("the log is larger than {} bytes: the rest is not kept", limits_.log_bytes));
  lost(splats_lost_, warning,
       fmt::format("more than {} kernel reports: {} are not kept", limits_.splats, splats_lost_));
  return {std::move(document_), std::move(splats_)};
}

}  // namespace bowsprit::ktap
