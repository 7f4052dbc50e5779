// SPDX-License-Identifier: Apache-2.0
#include "cli/server_client.h"

#include <cstdio>
#include <cstdlib>

#include "base/strings.h"
#include "net/http_client.h"
#include "os/files.h"

namespace bowsprit::cli {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

std::vector<Option> server_options() {
  return {{"server", "URL", "the server; else $BOWSPRIT_SERVER, else http://127.0.0.1:8090"},
          {"token-file", "FILE", "holds the token for rerun and abort; else $BOWSPRIT_TOKEN"},
          {"format", "FORMAT", "text or json"}};
}

Result<ServerClient> ServerClient::create(const Arguments& arguments) {
  ServerClient client;
  client.server_ = arguments.get("server", environment("BOWSPRIT_SERVER"));
  if (client.server_.empty()) client.server_ = "http://127.0.0.1:8090";
  while (client.server_.ends_with('/')) client.server_.pop_back();
  if (!client.server_.starts_with("http://") && !client.server_.starts_with("https://"))
    return fail(ErrorKind::usage, "--server: expected http://... or https://..., got '{}'", client.server_);
  if (const auto file = arguments.get("token-file")) {
    TRY_ASSIGN(const auto text, read_file(*file, 4096));
    client.token_ = Secret(std::string(trim(text)));
  } else {
    client.token_ = Secret(environment("BOWSPRIT_TOKEN"));
  }
  return client;
}

Result<Json> ServerClient::get(const std::string& path) const { return ask("GET", path); }
Result<Json> ServerClient::post(const std::string& path) const { return ask("POST", path); }

Result<Json> ServerClient::ask(const std::string& method, const std::string& path) const {
  net::HttpClient http(net::HttpClient::Options{});
  net::HttpRequest request{.method = method, .url = server_ + path};
  if (method == "POST") {
    request.body = "";
    if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_.reveal());
  }
  auto response = http.send(request);
  if (!response)
    return std::unexpected(
        std::move(response).error().with("ask the server at {} (is it running? --server names it)", server_));
  auto json = parse_json(response->body);
  if (!response->ok()) {
    Error error = net::status_error(request, *response);
    // The server says in JSON what is wrong; a proxy in between does not.
    if (const auto said = json ? json_string(*json, "error") : ""; !said.empty()) error.message = said;
    return std::unexpected(std::move(error));
  }
  if (!json) return std::unexpected(std::move(json).error().with("answer of {}", server_));
  return json;
}

Result<bool> wants_json(const Arguments& arguments) {
  const std::string format = arguments.get("format", "text");
  if (format != "text" && format != "json")
    return fail(ErrorKind::usage, "--format: '{}' is neither text nor json", format);
  return format == "json";
}

Result<std::int64_t> run_number(const std::string& operand) {
  const auto slash = operand.rfind('/');
  const auto number = parse_int(slash == std::string::npos ? operand : operand.substr(slash + 1));
  if (!number || *number <= 0) return fail(ErrorKind::usage, "'{}' is no number of a run", operand);
  return *number;
}

int print_answer(const Arguments& arguments, const Json& answer, const std::function<std::string(const Json&)>& print) {
  const auto json = wants_json(arguments);
  if (!json) return report_error(json.error());
  const std::string text = *json ? dump_json(answer, 2) + "\n" : print(answer);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

}  // namespace bowsprit::cli
