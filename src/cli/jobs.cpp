// SPDX-License-Identifier: Apache-2.0
#include "base/strings.h"
#include "cli/commands.h"
#include "cli/server_client.h"

namespace bowsprit::cli {
namespace {

std::string table_row(const Json& run) {
  const double seconds = json_double(run, "seconds", -1);
  const std::string verdict = json_string(run, "verdict");
  return fmt::format("{:>6}  {:<10}{:<16}{:>8},{:<3} {:<24} {:>8}  {}\n", json_int(run, "id"),
                     json_string(run, "state"), verdict.empty() ? "-" : verdict, json_int(run, "change"),
                     json_int(run, "patchset"), shorten(printable(json_string(run, "job")), 24),
                     seconds < 0 ? "-" : fmt::format("{:.1f}s", seconds),
                     shorten(printable(json_string(run, "subject")), 60));
}

std::string print_list(const Json& answer) {
  const Json& runs = json_get(answer, "runs");
  if (runs.empty()) return "no run\n";
  std::string out = fmt::format("{:>6}  {:<10}{:<16}{:>8},{:<3} {:<24} {:>8}  {}\n", "RUN", "STATE", "VERDICT",
                                "CHANGE", "PS", "JOB", "TIME", "SUBJECT");
  for (const auto& run : runs) out += table_row(run);
  return out;
}

std::string print_run(const Json& run) {
  std::string out =
      fmt::format("run {}: {} {}\n", json_int(run, "id"), json_string(run, "state"), json_string(run, "verdict"));
  const auto line = [&out](std::string_view name, std::string_view value) {
    if (!value.empty()) out += fmt::format("  {:<12} {}\n", name, printable(value));
  };
  line("job", json_string(run, "job"));
  line("change",
       fmt::format("{},{} {}", json_int(run, "change"), json_int(run, "patchset"), json_string(run, "subject")));
  line("phase", json_string(run, "phase"));
  line("why", json_string(run, "reason"));
  line("description", json_string(run, "description"));
  const Json& result = json_get(run, "result");
  line("summary", json_string(result, "summary"));
  for (const auto& failure : json_get(result, "failures")) {
    const std::string file = json_string(failure, "file");
    line("failure", fmt::format("{} ({}, {}) {}{}", json_string(failure, "test"), json_string(failure, "status"),
                                json_string(failure, "origin"), file,
                                file.empty() ? "" : fmt::format(":{}", json_int(failure, "line"))));
  }
  line("reproduce", json_string(result, "reproduce"));
  return out;
}

std::string list_path(const Arguments& arguments) {
  std::string path = "/api/v1/runs?limit=" + url_encode(arguments.get("limit", "20"));
  for (const char* name : {"change", "job", "state", "author"})
    if (const auto value = arguments.get(name)) path += fmt::format("&{}={}", name, url_encode(*value));
  return path;
}

Result<int> run(const Arguments& arguments) {
  TRY(wants_json(arguments));
  TRY_ASSIGN(const auto client, ServerClient::create(arguments));
  if (arguments.positionals.empty()) {
    TRY_ASSIGN(const auto answer, client.get(list_path(arguments)));
    return print_answer(arguments, answer, print_list);
  }
  TRY_ASSIGN(const auto number, run_number(arguments.positionals[0]));
  TRY_ASSIGN(const auto answer, client.get(fmt::format("/api/v1/runs/{}", number)));
  return print_answer(arguments, answer, print_run);
}

}  // namespace

Command jobs_command() {
  Command command{.name = "jobs",
                  .operands = "[RUN]",
                  .summary = "lists the runs of a server, or shows one",
                  .details = R"(
Asks a running server for its runs, newest first, or for all about one run: its number, or the address of its page.
Changes nothing.

  bowsprit jobs --state unfinished
  bowsprit jobs --change 4711 --format json
  bowsprit jobs http://ci.example:8080/run/17)",
                  .options = server_options(),
                  .max_operands = 1,
                  .run = [](const Arguments& arguments) {
                    const auto code = run(arguments);
                    return code ? *code : report_error(code.error());
                  }};
  command.options.insert(command.options.begin(),
                         {{"change", "NUMBER", "only of this change"},
                          {"job", "NAME", "only of this job"},
                          {"state", "STATE", "unfinished, triggered, pending, success, failure, error or aborted"},
                          {"author", "NAME", "only of this author's changes"},
                          {"limit", "COUNT", "at most so many (20; the server gives at most 500)"}});
  return command;
}

}  // namespace bowsprit::cli
