// SPDX-License-Identifier: Apache-2.0
/// Requests and answers of the HTTP server as values: what a handler takes and gives (RFC 9110, RFC 9112; events: the
/// HTML standard's "Server-sent events"). Does not: know sockets or routes (router.h, http_server.h).
/// Threads: plain values; EventStream any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace bowsprit::net {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;  ///< HEAD arrives as GET; the server drops its answer's body
  std::string target;  ///< as it came: "/run/7?x=1"
  std::string body;
  std::string peer;  ///< address of the other end
  Headers headers;
  std::map<std::string, std::string, std::less<>> params;  ///< of the route's {names}, decoded
  std::multimap<std::string, std::string, std::less<>> query;

  [[nodiscard]] std::string_view raw_path() const;  ///< of the target, still encoded
  [[nodiscard]] std::string param(std::string_view name) const;
  [[nodiscard]] std::optional<std::string> query_value(std::string_view name) const;  ///< the first one
  /// By name in any case; empty where it is absent.
  [[nodiscard]] std::string header(std::string_view name) const;
};

/// Fills `query` from `target`. @error bad_data  not "/...", or a NUL in it
Result<> parse_target(Request& request);

/// A part of a path: "%2B" and "+" both mean a plus there, unlike in a query.
std::string decode_path(std::string_view text);

/// Bytes that are read while they are sent, [offset, offset + length).
struct ByteSource {
  std::uint64_t size = 0;
  std::function<Result<std::string>(std::uint64_t offset, std::uint64_t length)> read;
};

/// The sending end of one answer of type text/event-stream. Cheap to copy; any thread; may outlive the server.
class EventStream {
 public:
  class State;
  explicit EventStream(std::shared_ptr<State> state) : state_(std::move(state)) {}

  /// Queues one event; `data` may have several lines. False where the reader is gone, or was cut off because it was
  /// more than 1 MiB behind: it then connects again and says what it has seen (Last-Event-ID).
  bool send(std::string_view event, std::string_view data, std::string_view id = {}) const;
  [[nodiscard]] bool is_open() const;
  void close() const;

 private:
  std::shared_ptr<State> state_;
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  std::optional<ByteSource> source;  ///< instead of the body; a Range header is answered from it
  /// Instead of both: called on the io thread once the head is queued. Keep the stream to send on it.
  std::function<void(EventStream)> events;

  static Response text(int status, std::string body);
  static Response html(std::string body);
  static Response json(int status, std::string body);
  static Response redirect(std::string location);  ///< 303 See Other
  Response&& with(std::string name, std::string value) &&;
  [[nodiscard]] std::string header(std::string_view name) const;  ///< empty where it is absent
};

std::string_view reason_phrase(int status);

/// What of `size` bytes a Range header wants. Several ranges or another unit: all of it, as RFC 9110 allows.
struct Range {
  enum class Kind { all, part, unsatisfiable } kind = Kind::all;
  std::uint64_t first = 0;
  std::uint64_t length = 0;
};
Range parse_range(std::string_view header, std::uint64_t size);

/// Whether an If-None-Match header names this entity tag (weak comparison).
bool etag_matches(std::string_view if_none_match, std::string_view etag);

}  // namespace bowsprit::net
