// SPDX-License-Identifier: Apache-2.0
/// HTML that can't be forgotten to escape: text in, `Markup` out, and only `Markup` goes in unescaped. The tags are
/// format strings, so they are literals of this program, checked when it is compiled; attributes stand in double quotes.
///
///   markup("<a href=\"{}\">{}</a>", url, name)            // both escaped
///   markup("<ul>{}</ul>", items)                           // items is Markup: goes in as it is
///
/// Does not: know elements, or make a URL safe (safe_url does). Threads: plain values.
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <string>
#include <string_view>
#include <utility>

#include "base/strings.h"

namespace bowsprit::web {

struct Markup {
  std::string html;
  Markup& operator+=(const Markup& more) {
    html += more.html;
    return *this;
  }
  [[nodiscard]] bool empty() const { return html.empty(); }
};

namespace detail {
inline std::string safe(std::string_view text) { return html_escape(printable(text)); }
inline std::string_view safe(const Markup& markup) { return markup.html; }
template <class Number>
  requires(std::is_arithmetic_v<Number> && !std::same_as<Number, char>)
Number safe(Number number) {
  return number;
}
template <class T>
using Safe = decltype(safe(std::declval<const T&>()));
}  // namespace detail

template <class... Parts>
Markup markup(fmt::format_string<detail::Safe<Parts>...> format, const Parts&... parts) {
  return {fmt::format(format, detail::safe(parts)...)};
}

/// The URL if a link may have it: "http://", "https://" or a path of this site; else "#".
inline std::string safe_url(std::string_view url) {
  const bool own = url.starts_with('/') && !url.starts_with("//") && !url.starts_with("/\\");
  return own || url.starts_with("http://") || url.starts_with("https://") ? std::string(url) : "#";
}

}  // namespace bowsprit::web
