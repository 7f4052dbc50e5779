// SPDX-License-Identifier: Apache-2.0
/// What `jobs`, `rerun` and `abort` share: asking a running server by its /api/v1 (web/server.h).
/// Threads: the command's own.
#pragma once

#include "base/json.h"
#include "base/secret.h"
#include "cli/command.h"

namespace bowsprit::cli {

/// --server, --token-file, --format.
std::vector<Option> server_options();

class ServerClient {
 public:
  /// The server from --server, else $BOWSPRIT_SERVER, else http://127.0.0.1:8090. The token from --token-file, else
  /// $BOWSPRIT_TOKEN; never from the command line, which every process of the machine can read.
  static Result<ServerClient> create(const Arguments& arguments);

  Result<Json> get(const std::string& path) const;
  Result<Json> post(const std::string& path) const;
  [[nodiscard]] std::string absolute(std::string_view path) const { return server_ + std::string(path); }

 private:
  Result<Json> ask(const std::string& method, const std::string& path) const;
  std::string server_;
  Secret token_;
};

/// "json" or "text". @error usage  another word
Result<bool> wants_json(const Arguments& arguments);
/// The run's number from the first operand, with or without the page's address before it.
Result<std::int64_t> run_number(const std::string& operand);
/// Prints JSON as it is, or the lines made by `print`; exit code 0.
int print_answer(const Arguments& arguments, const Json& answer, const std::function<std::string(const Json&)>& print);

}  // namespace bowsprit::cli
