// SPDX-License-Identifier: Apache-2.0
/// The table of routes: method and pattern to handler. Does not: know sockets, so handlers are tested through it
/// directly. Threads: filled by one, then read by any.
#pragma once

#include "net/http_message.h"

namespace bowsprit::net {

using Handler = std::function<Response(const Request&)>;

class Router {
 public:
  /// A pattern's part "{name}" matches one part of the path, a last "{name...}" all the rest, at least one part. Where
  /// two routes match, the one added first wins.
  void add(std::string method, std::string_view pattern, Handler handler);

  /// Fills `request.params` and calls the handler. 404 where no pattern matches, 405 where one does under another
  /// method only.
  [[nodiscard]] Response dispatch(Request& request) const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> parts;
    Handler handler;
  };
  std::vector<Route> routes_;
};

}  // namespace bowsprit::net
