// SPDX-License-Identifier: Apache-2.0
/// An HTTP/1.1 server for pages and data. Boost.Beast reads the protocol, inside http_server.cpp only.
///
/// Done here for every route: HEAD, entity tags with If-None-Match (a body without one gets its own), Range on byte
/// sources, gzip, keep-alive, Date. Limits: header 16 KiB, body and time-outs as in ServerOptions, connections (one
/// more is answered 503). Does not: TLS, HTTP/2, sessions or host names; that is a proxy's work.
///
/// Threads: one io thread, which the server owns. Handlers, byte sources and posted tasks run *on that thread*, one at
/// a time, so they share state without locks; they must be quick (a query by index, a read of at most 256 KiB). All
/// methods may be called from any thread; configure before start().
///
///   HttpServer server({.port = 0});
///   server.routes().add("GET", "/run/{id}", [&](const Request& request) { return page_of(request.param("id")); });
///   TRY_ASSIGN(const int port, server.start());
#pragma once

#include "base/clock.h"
#include "net/http_message.h"
#include "net/router.h"

namespace bowsprit::net {

struct ServerOptions {
  std::string address = "127.0.0.1";
  int port = 0;  ///< 0: any free one
  std::size_t max_connections = 1000;
  std::size_t max_body = 1U << 20U;
  milliseconds timeout{30000};  ///< for a request to arrive and for each 256 KiB of an answer to leave
};

class HttpServer {
 public:
  explicit HttpServer(ServerOptions options);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  Router& routes();
  /// Runs on each answer, also on the server's own errors: the place for headers that all of them carry.
  void on_response(std::function<void(const Request&, Response&)> filter);

  /// Binds, listens and serves from its own thread; gives the port.
  /// @error unavailable  the address is in use; denied, os: it can't be bound
  Result<int> start();
  /// Takes no more connections, closes event streams, lets answers under way end for up to `grace`, joins the thread.
  void stop(milliseconds grace = milliseconds(2000));

  [[nodiscard]] std::size_t connections() const;
  /// Runs `task` on the io thread after `delay`; dropped where the server stops before.
  void post(std::function<void()> task, milliseconds delay = milliseconds(0));

 private:
  friend class Session;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bowsprit::net
