// SPDX-License-Identifier: Apache-2.0
#include "net/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <future>
#include <mutex>
#include <thread>

#include "base/strings.h"
#include "os/fd.h"
#include "os/process.h"

namespace bowsprit::net {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// A client that says exactly what a test wants to say.
class Client {
 public:
  explicit Client(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  [[nodiscard]] bool connected() const { return connected_; }
  void say(std::string_view text) const { std::ignore = fd_.write_all(text); }
  /// Reads until `mark` has come, or to the end; fails the test after 10 s.
  std::string until(std::string_view mark) {
    while (text_.find(mark) == std::string::npos) {
      pollfd wait{.fd = fd_.get(), .events = POLLIN};
      if (::poll(&wait, 1, 10000) != 1) {
        ADD_FAILURE() << "nothing came; so far: " << text_;
        return text_;
      }
      std::array<char, 65536> buffer{};
      const auto count = fd_.read(buffer.data(), buffer.size());
      if (!count || *count == 0) {
        ended_ = true;
        break;
      }
      text_.append(buffer.data(), *count);
    }
    const auto at = text_.find(mark);
    const auto end = at == std::string::npos ? text_.size() : at + mark.size();
    std::string out = text_.substr(0, end);
    text_.erase(0, end);
    return out;
  }
  std::string all() { return until("\xFF\xFEnever\xFE\xFF"); }
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  Fd fd_;
  bool connected_ = false;
  bool ended_ = false;
  std::string text_;
};

class HttpServerTest : public testing::Test {
 protected:
  explicit HttpServerTest(ServerOptions options = {}) : server_(std::move(options)) {
    auto& routes = server_.routes();
    routes.add("GET", "/hello", [](const Request&) { return Response::html("<p>hello</p>\n"); });
    routes.add("GET", "/long", [](const Request&) { return Response::text(200, std::string(100'000, 'x')); });
    routes.add("GET", "/big", [](const Request&) {
      Response response = Response::text(200, "");
      response.source =
          ByteSource{.size = 3'000'000, .read = [](std::uint64_t offset, std::uint64_t length) -> Result<std::string> {
                       std::string bytes;
                       for (std::uint64_t i = offset; i < offset + length; ++i)
                         bytes += static_cast<char>('a' + i % 26);
                       return bytes;
                     }};
      return response;
    });
    routes.add("GET", "/cut", [](const Request&) {
      Response response = Response::text(200, "");
      response.source =
          ByteSource{.size = 1000, .read = [](std::uint64_t, std::uint64_t) { return std::string(10, 'x'); }};
      response.source->read = [](std::uint64_t offset, std::uint64_t) -> Result<std::string> {
        if (offset > 0) return fail(ErrorKind::os, "disk gone");
        return std::string(10, 'x');
      };
      return response;
    });
    routes.add("POST", "/echo", [](const Request& request) { return Response::text(200, request.body); });
    routes.add("GET", "/throw", [](const Request&) -> Response { throw std::runtime_error("oh"); });
    routes.add("GET", "/split", [](const Request& request) {
      return Response::text(200, "x").with("X-Echo", request.query_value("v").value_or(""));
    });
    routes.add("GET", "/events", [this](const Request& request) {
      Response response;
      response.headers.emplace_back("Content-Type", "text/event-stream");
      response.events = [this, seen = request.header("Last-Event-ID")](EventStream stream) {
        stream.send("seen", seen);
        const std::lock_guard lock(mutex_);
        streams_.push_back(stream);
      };
      return response;
    });
    server_.on_response([](const Request&, Response& r) { r.headers.emplace_back("X-Frame-Options", "DENY"); });
    auto started = server_.start();
    EXPECT_TRUE(started) << started.error().text();
    port_ = started.value_or(0);
  }

  std::string ask(std::string_view request) const {
    Client client(port_);
    client.say(request);
    return client.all();
  }
  std::string get(std::string_view target, std::string_view headers = "") const {
    return ask(fmt::format("GET {} HTTP/1.1\r\nHost: x\r\n{}Connection: close\r\n\r\n", target, headers));
  }
  EventStream first_stream() {
    while (true) {
      const std::lock_guard lock(mutex_);
      if (!streams_.empty()) return streams_.front();
      std::this_thread::yield();
    }
  }

  HttpServer server_;
  int port_ = 0;
  std::mutex mutex_;
  std::vector<EventStream> streams_;
};

TEST_F(HttpServerTest, AnswersWithTheHandlersBodyAndTheFiltersHeaders) {
  const auto answer = get("/hello");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/html; charset=utf-8\r\n"));
  EXPECT_THAT(answer, HasSubstr("X-Frame-Options: DENY\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 13\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n<p>hello</p>\n"));
  EXPECT_THAT(get("/nothing"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(get("/nothing"), HasSubstr("X-Frame-Options: DENY"));
}

TEST_F(HttpServerTest, KeepsTheConnectionAndAnswersPipelinedRequestsInOrder) {
  Client client(port_);
  client.say("GET /hello HTTP/1.1\r\nHost: x\r\n\r\nPOST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde");
  EXPECT_THAT(client.until("</p>\n"), HasSubstr("Connection: keep-alive"));
  EXPECT_THAT(client.until("abcde"), StartsWith("HTTP/1.1 200 OK"));
  client.say("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_THAT(client.all(), HasSubstr("Connection: close"));
}

TEST_F(HttpServerTest, ReadsARequestThatComesByteByByte) {
  Client client(port_);
  for (const char c :
       std::string_view("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"))
    client.say(std::string_view(&c, 1));
  EXPECT_THAT(client.all(), EndsWith("\r\n\r\nabc"));
}

TEST_F(HttpServerTest, HeadHasTheHeadersOfGetAndNoBody) {
  const auto answer = ask("HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 13\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
  EXPECT_THAT(ask("HEAD /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, AnswersNotModifiedToAKnownEntityTag) {
  const auto answer = get("/hello");
  const auto at = answer.find("ETag: ");
  ASSERT_NE(at, std::string::npos);
  const std::string tag = answer.substr(at + 6, answer.find('\r', at) - at - 6);
  const auto again = get("/hello", fmt::format("If-None-Match: {}\r\n", tag));
  EXPECT_THAT(again, StartsWith("HTTP/1.1 304 "));
  EXPECT_THAT(again, EndsWith("\r\n\r\n"));
  EXPECT_THAT(get("/hello", "If-None-Match: \"other\"\r\n"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, SendsASourceWholeAndByRange) {
  const auto whole = get("/big");
  EXPECT_THAT(whole, HasSubstr("Content-Length: 3000000\r\n"));
  EXPECT_EQ(whole.size() - whole.find("\r\n\r\n") - 4, 3'000'000U);
  const auto part = get("/big", "Range: bytes=26-28\r\n");
  EXPECT_THAT(part, StartsWith("HTTP/1.1 206 "));
  EXPECT_THAT(part, HasSubstr("Content-Range: bytes 26-28/3000000\r\n"));
  EXPECT_THAT(part, EndsWith("\r\n\r\nabc"));
  const auto beyond = get("/big", "Range: bytes=3000000-\r\n");
  EXPECT_THAT(beyond, StartsWith("HTTP/1.1 416 "));
  EXPECT_THAT(beyond, HasSubstr("Content-Range: bytes */3000000\r\n"));
  EXPECT_THAT(get("/big", "Range: bytes=0-1\r\nIf-Range: \"old\"\r\n"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, ASourceThatFailsEndsTheConnectionShortOfItsLength) {
  EXPECT_THAT(get("/cut"), EndsWith("\r\n\r\nxxxxxxxxxx"));
  EXPECT_THAT(get("/hello"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, CompressesForACurlThatWantsIt) {
  const auto out =
      run_checked({.argv = {"curl", "-sS", "--compressed", "-D", "-", fmt::format("http://127.0.0.1:{}/long", port_)}},
                  seconds(20));
  ASSERT_TRUE(out) << out.error().text();
  EXPECT_THAT(*out, HasSubstr("Content-Encoding: gzip"));
  EXPECT_THAT(*out, EndsWith(std::string(100'000, 'x')));
  EXPECT_THAT(get("/long"), Not(HasSubstr("Content-Encoding")));
}

TEST_F(HttpServerTest, RefusesWhatIsTooLargeOrNoHttp) {
  EXPECT_THAT(ask("GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(ask(fmt::format("POST /echo HTTP/1.1\r\nContent-Length: {}\r\n\r\n", 2U << 20U)),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(ask("SSH-2.0-OpenSSH\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask("GET http://evil/ HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask("POST /echo HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 400 "));
}

TEST_F(HttpServerTest, ABugInAHandlerIsA500AndTheServerLives) {
  EXPECT_THAT(get("/throw"), StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(get("/hello"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, AHeaderCannotBeSplitByItsValue) {
  EXPECT_THAT(get("/split?v=a%0d%0aSet-Cookie:x"), HasSubstr("X-Echo: a  Set-Cookie:x\r\n"));
}

TEST_F(HttpServerTest, SendsEventsFromAnyThread) {
  Client client(port_);
  client.say("GET /events HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 41\r\n\r\n");
  EXPECT_THAT(client.until("\n\n"), HasSubstr("text/event-stream"));
  EventStream stream = first_stream();
  EXPECT_TRUE(stream.send("state", "a\nb", "42"));
  const auto text = client.until("id: 42\nevent: state\ndata: a\ndata: b\n\n");
  EXPECT_THAT(text, HasSubstr("event: state"));
  stream.close();
  client.all();
  EXPECT_TRUE(client.ended());
  EXPECT_FALSE(stream.send("state", "late"));
}

TEST_F(HttpServerTest, ForgetsAReaderOfEventsThatLeft) {
  {
    Client client(port_);
    client.say("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
    client.until("data: \n\n");
  }
  EventStream stream = first_stream();
  while (stream.is_open()) std::this_thread::yield();
  EXPECT_FALSE(stream.send("x", "y"));
}

TEST_F(HttpServerTest, CutsOffAReaderOfEventsThatDoesNotRead) {
  Client client(port_);
  client.say("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
  client.until("data: \n\n");
  EventStream stream = first_stream();
  const std::string data(100'000, 'x');
  int sent = 0;
  while (stream.send("x", data) && sent < 100'000) ++sent;
  EXPECT_LT(sent, 1000);  // the kernel's buffers and 1 MiB, not all the memory there is
  EXPECT_FALSE(stream.is_open());
}

TEST_F(HttpServerTest, StopEndsIdleConnectionsAndEventStreamsAtOnce) {
  Client idle(port_);
  idle.say("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  idle.until("</p>\n");
  Client events(port_);
  events.say("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
  events.until("data: \n\n");
  const EventStream stream = first_stream();
  const auto before = std::chrono::steady_clock::now();
  server_.stop(seconds(60));
  EXPECT_LT(std::chrono::steady_clock::now() - before, seconds(30));
  idle.all();
  events.all();
  EXPECT_TRUE(idle.ended());
  EXPECT_TRUE(events.ended());
  EXPECT_FALSE(stream.send("x", "y"));
  EXPECT_FALSE(Client(port_).connected());
}

TEST_F(HttpServerTest, RunsPostedTasksOnTheIoThread) {
  std::promise<std::thread::id> now;
  std::promise<std::thread::id> later;
  server_.post([&] { now.set_value(std::this_thread::get_id()); });
  server_.post([&] { later.set_value(std::this_thread::get_id()); }, milliseconds(5));
  EXPECT_EQ(now.get_future().get(), later.get_future().get());
}

TEST_F(HttpServerTest, AnAddressInUseIsSaid) {
  HttpServer other({.port = port_});
  EXPECT_EQ(other.start().error().kind, ErrorKind::unavailable);
  HttpServer nonsense({.address = "nonsense"});
  EXPECT_EQ(nonsense.start().error().kind, ErrorKind::bad_config);
}

class ImpatientServerTest : public HttpServerTest {
 protected:
  ImpatientServerTest() : HttpServerTest({.max_connections = 2, .timeout = milliseconds(200)}) {}
};

TEST_F(ImpatientServerTest, EndsARequestThatDoesNotArriveInTime) {
  Client client(port_);
  client.say("GET /hello HTT");
  EXPECT_EQ(client.all(), "");
  EXPECT_TRUE(client.ended());
}

TEST_F(ImpatientServerTest, AnswersOneConnectionTooManyWith503) {
  Client first(port_);
  Client second(port_);
  EXPECT_THAT(Client(port_).all(), StartsWith("HTTP/1.1 503 "));
}

}  // namespace
}  // namespace bowsprit::net
