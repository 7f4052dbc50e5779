// SPDX-License-Identifier: Apache-2.0
#include "ktap/console.h"

#include "ktap/reader.h"

namespace bowsprit::ktap {

Console::Console(Limits limits, EventSink* sink) : reader_(std::make_unique<Reader>(limits, sink)) {}
Console::Console(Console&&) noexcept = default;
Console& Console::operator=(Console&&) noexcept = default;
Console::~Console() = default;

void Console::feed(std::string_view bytes) { reader_->feed(bytes); }
ConsoleReport Console::finish(EndOfInput how) && { return reader_->finish(how); }
bool Console::tests_complete() const { return reader_->complete(); }

ConsoleReport read_console(std::string_view text, EndOfInput how, Limits limits) {
  Console console(limits);
  console.feed(text);
  return std::move(console).finish(how);
}

}  // namespace bowsprit::ktap
