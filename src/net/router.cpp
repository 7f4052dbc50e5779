// SPDX-License-Identifier: Apache-2.0
#include "net/router.h"

#include <span>

#include "base/strings.h"

namespace bowsprit::net {
namespace {

using Params = std::map<std::string, std::string, std::less<>>;

std::optional<Params> match(const std::vector<std::string>& pattern, std::span<const std::string> path) {
  Params params;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const std::string_view part = pattern[i];
    if (i >= path.size()) return std::nullopt;
    if (part.starts_with('{') && part.ends_with("...}")) {
      std::string rest = decode_path(path[i]);
      for (const auto& more : path.subspan(i + 1)) rest.append("/").append(decode_path(more));
      params.emplace(part.substr(1, part.size() - 5), std::move(rest));
      return params;
    }
    if (part.starts_with('{') && !path[i].empty())
      params.emplace(part.substr(1, part.size() - 2), decode_path(path[i]));
    else if (part != path[i])
      return std::nullopt;
  }
  return pattern.size() == path.size() ? std::optional(std::move(params)) : std::nullopt;
}

}  // namespace

void Router::add(std::string method, std::string_view pattern, Handler handler) {
  routes_.push_back({std::move(method), split(pattern, '/'), std::move(handler)});
}

Response Router::dispatch(Request& request) const {
  const auto path = split(request.raw_path(), '/');
  std::string allowed;
  for (const auto& route : routes_) {
    auto params = match(route.parts, path);
    if (!params) continue;
    if (route.method == request.method) {
      request.params = std::move(*params);
      return route.handler(request);
    }
    allowed += (allowed.empty() ? "" : ", ") + route.method;
  }
  if (!allowed.empty()) return Response::text(405, "method not allowed here\n").with("Allow", allowed);
  return Response::text(404, "there is nothing at this address\n");
}

}  // namespace bowsprit::net
