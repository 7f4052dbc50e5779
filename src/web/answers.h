// SPDX-License-Identifier: Apache-2.0
/// What the handlers of several files share: numbers out of requests, errors and JSON as answers. Threads: any.
#pragma once

#include "base/json.h"
#include "net/http_message.h"

namespace bowsprit::web {

/// @error bad_data  no number from 0 to 2^31 - 1; `name` is said
Result<std::int64_t> number_of(std::string_view name, std::string_view text);
/// Of a query's value; nothing where it is absent or empty.
Result<std::optional<std::int64_t>> query_number(const net::Request& request, std::string_view name);
/// The query's "limit", brought between 1 and `most`.
Result<int> query_limit(const net::Request& request, int otherwise, int most);

net::Response json_response(const Json& json, int status = 200);
net::Response json_error(const Error& error);
/// A page; of a fault of ours the log has a line too.
net::Response page_error(const Error& error);

}  // namespace bowsprit::web
