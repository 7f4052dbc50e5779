// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <thread>

#include "base/strings.h"
#include "net/http_server.h"
#include "os/fd.h"

namespace bowsprit::net {
namespace {

using testing::HasSubstr;
using testing::Not;

/// A server for answers that no proper server gives: reads one request, then says `answer` and hangs up (or keeps quiet).
class RawServer {
 public:
  explicit RawServer(std::string answer, bool hang = false)
      : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_.get(), 4), 0);
    EXPECT_EQ(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, answer = std::move(answer), hang] {
      const Fd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      std::array<char, 4096> buffer{};
      while (request_.find("\r\n\r\n") == std::string::npos) {
        const auto count = peer.read(buffer.data(), buffer.size());
        if (!count || *count == 0) return;
        request_.append(buffer.data(), *count);
      }
      std::ignore = peer.write_all(answer);
      if (hang) std::ignore = peer.read(buffer.data(), buffer.size());  // until the client gives up
    });
  }
  ~RawServer() {
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] std::string url() const { return fmt::format("http://127.0.0.1:{}/x", port_); }
  std::string request() {
    thread_.join();
    return request_;
  }

 private:
  Fd listener_;
  int port_ = 0;
  std::string request_;
  std::thread thread_;
};

TEST(HttpClient, SendsWhatItIsToldAndGivesTheWholeAnswer) {
  RawServer server("HTTP/1.1 201 Created\r\nX-Gerrit-Trace: 7\r\nContent-Length: 2\r\n\r\nok");
  HttpClient client({.basic_user = "ci", .basic_password = Secret("pass word"), .cookie = Secret("o=git-ci")});
  const auto answer = client.send({.method = "PUT", .url = server.url(), .headers = {{"X-A", "b"}}, .body = "body"});
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(answer->status, 201);
  EXPECT_TRUE(answer->ok());
  EXPECT_EQ(answer->body, "ok");
  EXPECT_EQ(answer->header("x-gerrit-trace"), "7");
  const std::string request = server.request();
  EXPECT_THAT(request, HasSubstr("PUT /x HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("Authorization: Basic " + base64_encode("ci:pass word")));
  EXPECT_THAT(request, HasSubstr("Cookie: o=git-ci\r\n"));
  EXPECT_THAT(request, HasSubstr("X-A: b\r\n"));
  EXPECT_THAT(request, HasSubstr("Content-Length: 4\r\n"));
  EXPECT_THAT(request, Not(HasSubstr("Expect:")));
}

TEST(HttpClient, UnpacksGzipAndKeepsItsConnection) {
  HttpServer server({});
  server.routes().add("GET", "/big", [](const Request&) { return Response::text(200, std::string(200'000, 'x')); });
  const auto port = server.start();
  ASSERT_TRUE(port);
  HttpClient client({});
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.send({.url = fmt::format("http://127.0.0.1:{}/big", *port)});
    ASSERT_TRUE(answer) << answer.error().text();
    EXPECT_EQ(answer->body.size(), 200'000U);
    EXPECT_EQ(answer->header("content-encoding"), "gzip");
  }
  EXPECT_EQ(server.connections(), 1U);
}

TEST(HttpClient, EndsAnAnswerOverItsLimitAlsoWhenItCamePacked) {
  HttpServer server({});
  server.routes().add("GET", "/bomb", [](const Request&) { return Response::text(200, std::string(900'000, 'x')); });
  const auto port = server.start();
  ASSERT_TRUE(port);
  HttpClient client({.body_limit = 100'000});
  const auto answer = client.send({.url = fmt::format("http://127.0.0.1:{}/bomb", *port)});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::bad_data);
}

TEST(HttpClient, TellsAnAnswerThatNeverCameFromOneThatBroke) {
  RawServer silent("", true);
  HttpClient client({});
  auto answer = client.send({.url = silent.url(), .timeout = milliseconds(200)});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::timeout);

  RawServer cut("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
  answer = client.send({.url = cut.url()});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::unavailable);

  RawServer nonsense("SSH-2.0-GerritCodeReview\r\n\r\n");
  answer = client.send({.url = nonsense.url()});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::unavailable);

  answer = client.send({.url = "http://127.0.0.1:1/"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::unavailable);
}

TEST(HttpClient, CallsAWrongAddressConfigurationAndShowsNoPassword) {
  HttpClient client({});
  for (const char* url : {"ftp://ci:geheim@host/", "http://", "not a url"}) {
    const auto answer = client.send({.url = url});
    ASSERT_FALSE(answer) << url;
    EXPECT_EQ(answer.error().kind, ErrorKind::bad_config) << url;
    EXPECT_THAT(answer.error().text(), Not(HasSubstr("geheim")));
  }
}

TEST(HttpClient, FollowsNoRedirectSoCredentialsStayWithTheirHost) {
  RawServer server("HTTP/1.1 302 Found\r\nLocation: http://other.example/login?token=1\r\nContent-Length: 0\r\n\r\n");
  HttpClient client({.basic_user = "ci", .basic_password = Secret("secret")});
  const HttpRequest request{.url = server.url()};
  const auto answer = client.send(request);
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(answer->status, 302);
  EXPECT_THAT(status_error(request, *answer).text(), HasSubstr("redirected to 'http://other.example/login'"));
}

TEST(HttpResponse, ReadsRetryAfterAsSecondsAndAsDate) {
  const auto now = *parse_time("2026-11-24T08:00:00Z");
  const auto wait = [&](std::string value) {
    HttpResponse response;
    response.headers.emplace("retry-after", std::move(value));
    return response.retry_after(now);
  };
  EXPECT_EQ(wait("7"), seconds(7));
  EXPECT_EQ(wait("Tue, 24 Nov 2026 08:00:30 GMT"), seconds(30));
  EXPECT_EQ(wait("Tue, 24 Nov 2026 07:00:00 GMT"), seconds(0)) << "past";
  EXPECT_EQ(wait("999999999"), seconds(3600)) << "nobody may stop us for days";
  EXPECT_EQ(wait("-1"), std::nullopt);
  EXPECT_EQ(wait("soon"), std::nullopt);
  EXPECT_EQ(HttpResponse{}.retry_after(now), std::nullopt);
}

TEST(StatusError, GivesEachStatusItsKind) {
  const auto kind = [](int status) { return status_error({.url = "http://h/"}, {.status = status}).kind; };
  EXPECT_EQ(kind(400), ErrorKind::bad_data);
  EXPECT_EQ(kind(401), ErrorKind::denied);
  EXPECT_EQ(kind(403), ErrorKind::denied);
  EXPECT_EQ(kind(404), ErrorKind::not_found);
  EXPECT_EQ(kind(409), ErrorKind::conflict);
  EXPECT_EQ(kind(429), ErrorKind::unavailable);
  EXPECT_EQ(kind(503), ErrorKind::unavailable);
  const HttpResponse page{.status = 502, .headers = {{"content-type", "text/html"}}, .body = "<html>nginx"};
  EXPECT_THAT(status_error({.url = "http://h/"}, page).text(), Not(HasSubstr("<html>")));
}

}  // namespace
}  // namespace bowsprit::net
