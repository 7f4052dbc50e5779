// SPDX-License-Identifier: Apache-2.0
/// HttpClients that several threads share: each request takes an idle one, with its kept connection, or a new one.
///
/// Does not: limit how many there are; that is the number of threads that ask at once. Threads: any.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "net/http_client.h"

namespace bowsprit::net {

class HttpPool {
 public:
  explicit HttpPool(HttpClient::Options options);
  /// As HttpClient::send. @error cancelled  after cancel()
  Result<HttpResponse> send(const HttpRequest& request);
  /// Ends the requests under way within about a second, and all later ones at once.
  void cancel() { *options_.cancel = true; }
  [[nodiscard]] bool cancelled() const { return *options_.cancel; }

 private:
  HttpClient::Options options_;
  std::mutex mutex_;
  std::vector<HttpClient> idle_;
};

}  // namespace bowsprit::net
