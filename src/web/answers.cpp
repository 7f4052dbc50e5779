// SPDX-License-Identifier: Apache-2.0
#include "web/answers.h"

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "web/api.h"
#include "web/layout.h"

namespace bowsprit::web {

using net::Request;
using net::Response;

Result<std::int64_t> number_of(std::string_view name, std::string_view text) {
  const auto value = parse_int(text);
  if (!value || *value < 0 || *value > std::numeric_limits<int>::max())
    return fail(ErrorKind::bad_data, "{}: '{}' is no number", name, shorten(printable(text), 60));
  return *value;
}

Result<std::optional<std::int64_t>> query_number(const Request& request, std::string_view name) {
  const auto text = request.query_value(name);
  if (!text || text->empty()) return std::nullopt;
  return number_of(name, *text);
}

Result<int> query_limit(const Request& request, int otherwise, int most) {
  TRY_ASSIGN(const auto limit, query_number(request, "limit"));
  return static_cast<int>(std::clamp<std::int64_t>(limit.value_or(otherwise), 1, most));
}

Response json_response(const Json& json, int status) { return Response::json(status, dump_json(json, 1) + "\n"); }
Response json_error(const Error& error) { return json_response(error_json(error), http_status(error.kind)); }
Response page_error(const Error& error) {
  const int status = http_status(error.kind);
  if (status == 500) log_error("web", "{}", error.text());
  Response response = Response::html(error_page(status, error.text()));
  response.status = status;
  return response;
}

}  // namespace bowsprit::web
