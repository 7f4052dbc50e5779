// SPDX-License-Identifier: Apache-2.0
/// The state behind Console: the stack of open tests, and what each line does to it. Internal to ktap/.
///
///   document (its plan counts suites)  ->  suite  ->  parameterised case  ->  ...
///
/// A frame is an open test that has children; its children's lines stand at its header's indentation. A result line
/// further to the left closes the frames that it leaves. What is not KTAP belongs to the test that runs: the next child
/// of the innermost frame, whose name is known only once its result comes, or from its own "# name: " lines.
#pragma once

#include <fmt/core.h>

#include <optional>
#include <string>
#include <vector>

#include "ktap/console.h"
#include "ktap/line.h"
#include "ktap/splat.h"
#include "ktap/test_log.h"

namespace bowsprit::ktap {

class Console::Reader {
 public:
  Reader(Limits limits, EventSink* sink);
  void feed(std::string_view bytes);
  ConsoleReport finish(EndOfInput how);
  [[nodiscard]] bool complete() const;

 private:
  /// What is known of the test that runs now, before its result line.
  struct Running {
    std::string name;  ///< from its own diagnostics
    TestLog log;
    std::vector<Expectation> expectations;
    std::vector<std::size_t> splats;  ///< indices into splats_
    std::string failing;              ///< whom "EXPECTATION FAILED" named
    bool ran_out_of_time = false;     ///< "test case timed out"
    bool faulted = false;             ///< "try faulted"
    bool fatal_splat = false;
    bool dirty = false;  ///< something above is set
  };
  struct Frame {
    TestNode node;
    int indent = 0;
    bool has_plan = false;
    bool announced = false;  ///< the sink knows it
    std::uint64_t plan = 0;
    std::uint64_t seen = 0;
    std::optional<std::int64_t> started;
    std::optional<std::int64_t> last;  ///< when the running child began
    bool interrupted = false;          ///< the input ended inside one of its children
    Running own;                       ///< what came before its header, and after its last child
    Running running;                   ///< what came since its last child's result
    [[nodiscard]] bool fresh() const { return node.name.empty() && !has_plan && seen == 0; }
  };
  enum class Closing { by_result, by_next_test, by_end };

  void take_line(std::string_view line);
  void keep_partial(std::string_view bytes);
  void take_text(std::string_view text);
  void take_ktap(KtapLine& line, std::string_view text);
  bool take_glued_ktap(std::string_view text);
  void take_other(std::string_view text, const KtapLine& line);
  void take_diagnostic(const KtapLine& line, std::string_view text);

  void on_version(const KtapLine& line);
  void on_subtest(int indent, std::string_view name);
  void on_plan(const KtapLine& line, std::string_view text);
  void on_result(KtapLine& line);
  void on_bail_out(const KtapLine& line);

  void open_document(int indent);
  void open_frame(int indent, std::string_view name);
  /// Closes the innermost frame and hands its node to the one below (or to the document).
  void close_frame(Closing how, const KtapLine* result = nullptr);
  void close_above(std::size_t depth, Closing how);
  void add_leaf(const KtapLine& line);
  void add_unfinished_children(Frame& frame, Closing how);
  TestNode& new_node();
  void settle(TestNode& node, Running& running);
  [[nodiscard]] TestStatus status_of(const KtapLine& line, const Running& running) const;
  [[nodiscard]] TestStatus unfinished_status(const Running& running) const;
  [[nodiscard]] std::size_t frame_for(int indent) const;
  [[nodiscard]] std::string path_of(std::string_view child) const;
  void announce(Frame& frame);
  [[nodiscard]] bool closes(const Frame& candidate, const Frame& parent, KtapLine& line);
  [[nodiscard]] bool in_order() const;
  void new_document(int indent);
  void give_up_waiting();
  void check_number(Frame& frame, std::uint64_t number, std::string_view name);

  void start_splat(SplatStart start, std::string_view line);
  void end_splat();
  void attach_splats(const std::vector<std::size_t>& splats, const std::string& path);

  void log_line(std::string_view text);
  template <class... Args>
  void anomaly(Anomaly::Severity severity, fmt::format_string<Args...> format, Args&&... args);

  Limits limits_;
  EventSink* sink_;
  Document document_;
  std::vector<Splat> splats_;
  std::optional<SplatReport> open_splat_;
  std::size_t open_index_ = 0;

  std::vector<Frame> frames_;
  std::string partial_;  ///< the unfinished last line
  std::string ansi_scratch_;
  std::uint64_t line_number_ = 0;
  std::optional<std::int64_t> now_;  ///< time stamp of this line
  bool stamped_ = false;
  bool may_have_escapes_ = false;  ///< saves a look at each line of the usual console, which has none
  bool version_waits_ =
      false;  ///< a header at the document's own column: a second document, or a suite without indentation
  bool collecting_ = false;  ///< lines below "EXPECTATION FAILED" belong to it
  int message_lines_ = 0;
  bool dead_ = false;  ///< the kernel panicked
  EndOfInput end_ = EndOfInput::exited;

  LogBudget budget_;
  std::size_t nodes_ = 0;
  std::uint64_t nodes_lost_ = 0;
  TestNode lost_;  ///< where a node goes that is over the limit
  std::uint64_t lines_cut_ = 0;
  std::uint64_t splats_lost_ = 0;
  std::uint64_t anomalies_lost_ = 0;
  bool too_deep_ = false;
};

}  // namespace bowsprit::ktap
