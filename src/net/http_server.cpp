// SPDX-License-Identifier: Apache-2.0
#include "net/http_server.h"

#include <zlib.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <mutex>
#include <set>
#include <thread>

#include "base/log.h"
#include "base/strings.h"

namespace bowsprit::net {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::uint32_t kMaxHeader = 16384;
constexpr std::uint64_t kChunk = 256U << 10U;
constexpr std::size_t kMaxUnsentEvents = 1U << 20U;
constexpr std::size_t kWorthCompressing = 1024;
constexpr milliseconds kHeartbeat{15000};  // shorter than the usual idle limit of proxies

/// "Tue, 24 Nov 2026 11:03:35 GMT"
std::string http_date() {
  const std::time_t now = SystemClock::to_time_t(SystemClock::now());
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::array<char, 40> text{};
  // The words are those of the C locale, which the program never leaves.
  return {text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc)};
}

std::optional<std::string> gzip(std::string_view text) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return std::nullopt;
  std::string out(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // zlib's type is older than const
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return code == Z_STREAM_END ? std::optional(std::move(out)) : std::nullopt;
}

bool compressible(std::string_view type) {
  return type.starts_with("text/") || type.starts_with("application/json") || type.starts_with("image/svg");
}

/// A header's value in one line, whatever a handler put into it.
std::string one_line(std::string value) {
  for (char& c : value)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  return value;
}

}  // namespace

/// Shared by the session and the senders. A session that ends takes itself out, so a sender never meets a dead one.
class EventStream::State {
 public:
  explicit State(std::function<void()> wake) : wake_(std::move(wake)) {}

  bool send(std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    if (!wake_) return false;
    const bool was_idle = unsent_.empty();
    unsent_ += bytes;
    if (unsent_.size() > kMaxUnsentEvents) {
      wake_();  // the session sees that it is closed, and ends
      wake_ = nullptr;
      return false;
    }
    if (was_idle) wake_();
    return true;
  }
  std::string take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(unsent_, {});
  }
  void close() {
    const std::lock_guard lock(mutex_);
    if (wake_) wake_();
    wake_ = nullptr;
  }
  void forget_session() {
    const std::lock_guard lock(mutex_);
    wake_ = nullptr;
  }
  bool is_open() {
    const std::lock_guard lock(mutex_);
    return wake_ != nullptr;
  }

 private:
  std::mutex mutex_;
  std::string unsent_;
  std::function<void()> wake_;  ///< posts to the io thread; empty once the stream is closed
};

bool EventStream::send(std::string_view event, std::string_view data, std::string_view id) const {
  std::string bytes;
  if (!id.empty()) bytes += fmt::format("id: {}\n", one_line(std::string(id)));
  if (!event.empty()) bytes += fmt::format("event: {}\n", one_line(std::string(event)));
  for (const auto& line : split(replace_all(std::string(data), "\r", ""), '\n'))
    bytes += fmt::format("data: {}\n", line);
  return state_->send(bytes + "\n");
}
bool EventStream::is_open() const { return state_->is_open(); }
void EventStream::close() const { state_->close(); }

class Session;

struct HttpServer::Impl {
  explicit Impl(ServerOptions given) : options(std::move(given)) {}

  void accept();
  void answer(const Request& request, Response& response) const;

  ServerOptions options;
  Router router;
  std::function<void(const Request&, Response&)> filter;
  std::set<Session*> sessions;  ///< io thread only; outlives io, whose end ends the last sessions
  std::atomic<std::size_t> session_count{0};
  std::atomic<bool> stopping{false};
  asio::io_context io{1};
  tcp::acceptor acceptor{io};
  asio::steady_timer pause{io};  ///< after a failed accept; the grace of a stop
  std::jthread thread;
};

/// One connection: reads a request, answers it, again. All of it on the io thread.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(HttpServer::Impl& server, tcp::socket socket)
      : server_(server), socket_(std::move(socket)), deadline_(server.io) {
    server_.sessions.insert(this);
    ++server_.session_count;
    error_code ignored;
    (void)socket_.set_option(tcp::no_delay(true), ignored);
    const auto peer = socket_.remote_endpoint(ignored);
    if (!ignored) peer_ = peer.address().to_string();
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    if (events_) events_->forget_session();
    server_.sessions.erase(this);
    --server_.session_count;
    if (server_.stopping && server_.sessions.empty()) server_.pause.cancel();
  }

  void read_request() {
    parser_.emplace();
    parser_->header_limit(kMaxHeader);
    parser_->body_limit(server_.options.max_body);
    parser_->eager(true);
    arm_deadline(server_.options.timeout);
    busy_ = false;
    parse();
  }

  /// For a stop: ends what has nothing to say any more; an answer under way goes out first.
  void finish() {
    keep_alive_ = false;
    if (events_) events_->close();
    if (!busy_) close();
  }

 private:
  void close() {
    error_code ignored;
    deadline_.cancel();
    (void)socket_.shutdown(tcp::socket::shutdown_both, ignored);
    (void)socket_.close(ignored);
    if (events_) events_->forget_session();
  }

  void arm_deadline(milliseconds limit) {
    deadline_.expires_after(limit);
    deadline_.async_wait([weak = weak_from_this()](error_code code) {
      if (const auto self = weak.lock(); self && !code) self->close();
    });
  }

  void read_more() {
    socket_.async_read_some(asio::buffer(chunk_), [self = shared_from_this()](error_code code, std::size_t count) {
      if (code) return self->close();
      self->input_.append(self->chunk_.data(), count);
      self->parse();
    });
  }

  void parse() {
    while (!input_.empty()) {
      error_code code;
      const auto used = parser_->put(asio::buffer(input_), code);
      input_.erase(0, used);
      if (parser_->is_done()) return handle();
      if (code == http::error::need_more) break;
      if (code == http::error::header_limit) return refuse(431, "the request's header is too large\n");
      if (code == http::error::body_limit) return refuse(413, "the request's body is too large\n");
      if (code) return refuse(400, "this is no HTTP request: " + code.message() + "\n");
    }
    read_more();
  }

  void refuse(int status, std::string why) {
    keep_alive_ = false;
    request_ = {.method = "GET", .target = "/", .peer = peer_};
    send(Response::text(status, std::move(why)));
  }

  void handle() {
    auto message = parser_->release();
    request_ = {.method = std::string(message.method_string()),
                .target = std::string(message.target()),
                .body = std::move(message.body()),
                .peer = peer_};
    for (const auto& field : message) request_.headers.emplace_back(field.name_string(), field.value());
    keep_alive_ = message.keep_alive() && !server_.stopping;
    head_only_ = request_.method == "HEAD";
    if (head_only_) request_.method = "GET";
    if (auto target = parse_target(request_); !target) return refuse(400, target.error().text() + "\n");
    try {
      send(server_.router.dispatch(request_));
    } catch (const std::exception& e) {
      log_error("http", "bug: {} {}: {}", request_.method, request_.target, e.what());
      send(Response::text(500, "this page has a bug; it was logged\n"));
    }
  }

  void send(Response response) {
    busy_ = true;
    response_ = std::move(response);
    server_.answer(request_, response_);
    if (server_.filter) server_.filter(request_, response_);
    offset_ = 0;
    left_ = response_.source ? response_.source->size : 0;
    if (response_.source && response_.status == 206) {
      const auto range = parse_range(request_.header("Range"), response_.source->size);
      offset_ = range.first;
      left_ = range.length;
    }
    if (response_.events) keep_alive_ = false;  // the end of the connection is the end of such an answer
    output_ = head();
    if (head_only_ || response_.status == 304) {
      left_ = 0;
      response_.events = nullptr;
    } else {
      output_ += response_.body;
    }
    write();
  }

  std::string head() const {
    std::string text = fmt::format("HTTP/1.1 {} {}\r\nServer: bowsprit\r\nDate: {}\r\n", response_.status,
                                   reason_phrase(response_.status), http_date());
    for (const auto& [name, value] : response_.headers) text += fmt::format("{}: {}\r\n", name, one_line(value));
    if (!response_.events && response_.status != 304)
      text += fmt::format("Content-Length: {}\r\n", response_.source ? left_ : response_.body.size());
    return text + (keep_alive_ ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
  }

  /// Writes `output_`, then goes on with what this answer has next.
  void write() {
    arm_deadline(server_.options.timeout);
    asio::async_write(socket_, asio::buffer(output_), [self = shared_from_this()](error_code code, std::size_t) {
      if (code) return self->close();
      self->written();
    });
  }

  void written() {
    if (left_ > 0) return write_part();
    if (response_.events) return start_events();
    if (events_) return write_events();
    if (!keep_alive_) return close();
    read_request();
  }

  void write_part() {
    auto part = response_.source->read(offset_, std::min(left_, kChunk));
    // The length is promised already: an early end of the connection is the only way to tell the reader.
    if (!part || part->empty() || part->size() > left_) {
      log_warn("http", "{}: {}", request_.target, part ? "the file is shorter than it was" : part.error().text());
      return close();
    }
    offset_ += part->size();
    left_ -= part->size();
    output_ = std::move(*part);
    write();
  }

  void start_events() {
    events_ = std::make_shared<EventStream::State>([weak = weak_from_this(), &io = server_.io] {
      asio::post(io, [weak] {
        if (const auto self = weak.lock(); self && !self->writing_events_) self->write_events();
      });
    });
    std::exchange(response_.events, nullptr)(EventStream(events_));
    watch_for_end();
    write_events();
  }

  /// A reader of events says nothing more: what comes is its end.
  void watch_for_end() {
    socket_.async_read_some(asio::buffer(chunk_), [self = shared_from_this()](error_code code, std::size_t) {
      if (code) return self->close();
      self->watch_for_end();
    });
  }

  void write_events() {
    output_ = events_->take();
    writing_events_ = !output_.empty();
    if (writing_events_) return write();
    if (!events_->is_open()) return close();
    deadline_.expires_after(kHeartbeat);
    deadline_.async_wait([weak = weak_from_this()](error_code code) {
      const auto self = weak.lock();
      if (!self || code || self->writing_events_) return;
      self->output_ = ":\n\n";
      self->writing_events_ = true;
      self->write();
    });
  }

  HttpServer::Impl& server_;
  tcp::socket socket_;
  asio::steady_timer deadline_;
  std::string peer_;
  std::array<char, 16384> chunk_{};
  std::string input_;
  std::optional<http::request_parser<http::string_body>> parser_;
  Request request_;
  Response response_;
  std::string output_;
  std::uint64_t offset_ = 0;
  std::uint64_t left_ = 0;  ///< bytes of the source still to send
  bool keep_alive_ = false;
  bool head_only_ = false;
  bool busy_ = false;  ///< an answer is under way
  bool writing_events_ = false;
  std::shared_ptr<EventStream::State> events_;
};

/// What HTTP asks of every answer and no handler should have to think of.
void HttpServer::Impl::answer(const Request& request, Response& response) const {
  if (response.status != 200 || response.events) return;
  std::string etag = response.header("ETag");
  if (etag.empty() && !response.source) {
    etag = fmt::format("\"{}\"", sha256_hex(response.body).substr(0, 32));
    response.headers.emplace_back("ETag", etag);
  }
  if (etag_matches(request.header("If-None-Match"), etag)) {
    response.status = 304;
    response.body.clear();
    response.source.reset();
    return;
  }
  if (response.source) {
    response.headers.emplace_back("Accept-Ranges", "bytes");
    const std::string condition = request.header("If-Range");
    const std::string header = request.header("Range");
    if (header.empty() || (!condition.empty() && condition != etag)) return;
    const Range range = parse_range(header, response.source->size);
    const std::uint64_t size = response.source->size;
    if (range.kind == Range::Kind::part) {
      response.status = 206;
      response.headers.emplace_back("Content-Range",
                                    fmt::format("bytes {}-{}/{}", range.first, range.first + range.length - 1, size));
    } else if (range.kind == Range::Kind::unsatisfiable) {
      response = Response::text(416, "").with("Content-Range", fmt::format("bytes */{}", size));
    }
    return;
  }
  if (response.body.size() < kWorthCompressing || !compressible(response.header("Content-Type"))) return;
  response.headers.emplace_back("Vary", "Accept-Encoding");
  if (request.header("Accept-Encoding").find("gzip") == std::string::npos) return;
  if (auto packed = gzip(response.body)) {
    response.body = std::move(*packed);
    response.headers.emplace_back("Content-Encoding", "gzip");
  }
}

void HttpServer::Impl::accept() {
  acceptor.async_accept([this](error_code code, tcp::socket socket) {
    if (code == asio::error::operation_aborted || stopping) return;
    if (code) {
      // Out of descriptors, most likely: others have to end first, so a pause and not a loop.
      log_warn("http", "accept: {}", code.message());
      pause.expires_after(milliseconds(100));
      pause.async_wait([this](error_code) { accept(); });
      return;
    }
    if (sessions.size() >= options.max_connections) {
      error_code ignored;
      (void)socket.non_blocking(true, ignored);
      socket.write_some(asio::buffer(std::string_view("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n"
                                                      "Content-Length: 0\r\nConnection: close\r\n\r\n")),
                        ignored);
    } else {
      std::make_shared<Session>(*this, std::move(socket))->read_request();
    }
    accept();
  });
}

HttpServer::HttpServer(ServerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
HttpServer::~HttpServer() { stop(milliseconds(0)); }

Router& HttpServer::routes() { return impl_->router; }
void HttpServer::on_response(std::function<void(const Request&, Response&)> filter) {
  impl_->filter = std::move(filter);
}

Result<int> HttpServer::start() {
  error_code code;
  const auto address = asio::ip::make_address(impl_->options.address, code);
  if (code) return fail(ErrorKind::bad_config, "listen on '{}': it is no IP address", impl_->options.address);
  const tcp::endpoint endpoint(address, static_cast<std::uint16_t>(impl_->options.port));
  const auto problem = [&] {
    ErrorKind kind = ErrorKind::os;
    if (code == asio::error::address_in_use) kind = ErrorKind::unavailable;
    if (code == asio::error::access_denied) kind = ErrorKind::denied;
    return fail(kind, "listen on {}:{}: {}", impl_->options.address, impl_->options.port, code.message());
  };
  if (impl_->acceptor.open(endpoint.protocol(), code)) return problem();
  if (impl_->acceptor.set_option(tcp::acceptor::reuse_address(true), code)) return problem();
  if (impl_->acceptor.bind(endpoint, code)) return problem();
  if (impl_->acceptor.listen(tcp::acceptor::max_listen_connections, code)) return problem();
  const int port = impl_->acceptor.local_endpoint().port();
  impl_->accept();
  impl_->thread = std::jthread([impl = impl_.get()] {
    const auto work = asio::make_work_guard(impl->io);
    impl->io.run();
  });
  return port;
}

void HttpServer::stop(milliseconds grace) {
  if (!impl_->thread.joinable() || impl_->stopping.exchange(true)) return;
  asio::post(impl_->io, [impl = impl_.get(), grace] {
    error_code ignored;
    (void)impl->acceptor.close(ignored);
    impl->pause.cancel();
    if (impl->sessions.empty() || grace.count() == 0) return impl->io.stop();
    for (Session* session : std::set(impl->sessions)) session->finish();
    impl->pause.expires_after(grace);
    impl->pause.async_wait([impl](error_code) { impl->io.stop(); });  // over, or cancelled by the last session
  });
  impl_->thread.join();
}

std::size_t HttpServer::connections() const { return impl_->session_count; }

void HttpServer::post(std::function<void()> task, milliseconds delay) {
  if (delay.count() == 0) return asio::post(impl_->io, std::move(task));
  asio::post(impl_->io, [impl = impl_.get(), task = std::move(task), delay] {
    auto timer = std::make_shared<asio::steady_timer>(impl->io, delay);
    timer->async_wait([timer, task](error_code code) {
      if (!code) task();
    });
  });
}

}  // namespace bowsprit::net
