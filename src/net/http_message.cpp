// SPDX-License-Identifier: Apache-2.0
#include "net/http_message.h"

#include <strings.h>

#include "base/strings.h"

namespace bowsprit::net {
namespace {

bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string find_header(const Headers& headers, std::string_view name) {
  const auto it = std::ranges::find_if(headers, [name](const auto& header) { return same_word(header.first, name); });
  return it == headers.end() ? std::string() : it->second;
}

std::optional<std::uint64_t> parse_count(std::string_view digits) {
  const bool plain = !digits.empty() && std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  const auto value = plain ? parse_int(digits) : std::nullopt;
  return value ? std::optional(static_cast<std::uint64_t>(*value)) : std::nullopt;
}

}  // namespace

std::string_view Request::raw_path() const { return std::string_view(target).substr(0, target.find('?')); }

std::string Request::param(std::string_view name) const {
  const auto it = params.find(name);
  return it == params.end() ? std::string() : it->second;
}

std::optional<std::string> Request::query_value(std::string_view name) const {
  const auto it = query.find(name);
  return it == query.end() ? std::nullopt : std::optional(it->second);
}

std::string Request::header(std::string_view name) const { return find_header(headers, name); }

Result<> parse_target(Request& request) {
  if (!request.target.starts_with('/') || request.target.find("%00") != std::string::npos)
    return fail(ErrorKind::bad_data, "'{}' is no path", shorten(printable(request.target), 100));
  const auto mark = request.target.find('?');
  if (mark == std::string::npos) return {};
  for (const auto& pair : split(std::string_view(request.target).substr(mark + 1), '&')) {
    const auto equals = pair.find('=');
    if (pair.empty()) continue;
    request.query.emplace(url_decode(pair.substr(0, equals)),
                          equals == std::string::npos ? "" : url_decode(pair.substr(equals + 1)));
  }
  return {};
}

std::string decode_path(std::string_view text) { return url_decode(replace_all(std::string(text), "+", "%2B")); }

Response Response::text(int status, std::string body) {
  return {.status = status, .headers = {{"Content-Type", "text/plain; charset=utf-8"}}, .body = std::move(body)};
}
Response Response::html(std::string body) {
  return {.headers = {{"Content-Type", "text/html; charset=utf-8"}}, .body = std::move(body)};
}
Response Response::json(int status, std::string body) {
  return {.status = status, .headers = {{"Content-Type", "application/json"}}, .body = std::move(body)};
}
Response Response::redirect(std::string location) {
  return {.status = 303, .headers = {{"Location", std::move(location)}}};
}
Response&& Response::with(std::string name, std::string value) && {
  headers.emplace_back(std::move(name), std::move(value));
  return std::move(*this);
}
std::string Response::header(std::string_view name) const { return find_header(headers, name); }

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 206: return "Partial Content";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 416: return "Range Not Satisfiable";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    default: return "Status";
  }
}

Range parse_range(std::string_view header, std::uint64_t size) {
  const Range all{.kind = Range::Kind::all, .first = 0, .length = size};
  if (!header.starts_with("bytes=") || header.find(',') != std::string_view::npos) return all;
  const std::string_view range = trim(header.substr(6));
  const auto dash = range.find('-');
  if (dash == std::string_view::npos) return all;
  const auto first = parse_count(range.substr(0, dash));
  const auto last = parse_count(range.substr(dash + 1));
  if (dash == 0) {  // "-N": the last N bytes
    if (!last) return all;
    if (*last == 0 || size == 0) return {.kind = Range::Kind::unsatisfiable};
    const auto length = std::min(*last, size);
    return {.kind = Range::Kind::part, .first = size - length, .length = length};
  }
  if (!first || (!last && dash + 1 != range.size()) || (last && *last < *first)) return all;
  if (*first >= size) return {.kind = Range::Kind::unsatisfiable};
  const auto end = last ? std::min(*last, size - 1) : size - 1;
  return {.kind = Range::Kind::part, .first = *first, .length = end - *first + 1};
}

bool etag_matches(std::string_view if_none_match, std::string_view etag) {
  if (etag.empty()) return false;
  const auto strong = [](std::string_view tag) { return tag.starts_with("W/") ? tag.substr(2) : tag; };
  return std::ranges::any_of(split(if_none_match, ','), [&](const std::string& candidate) {
    const auto tag = trim(candidate);
    return tag == "*" || strong(tag) == strong(etag);
  });
}

}  // namespace bowsprit::net
