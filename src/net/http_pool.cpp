// SPDX-License-Identifier: Apache-2.0
#include "net/http_pool.h"

namespace bowsprit::net {

HttpPool::HttpPool(HttpClient::Options options) : options_(std::move(options)) {
  if (!options_.cancel) options_.cancel = std::make_shared<std::atomic<bool>>(false);
}

Result<HttpResponse> HttpPool::send(const HttpRequest& request) {
  std::unique_ptr<HttpClient> client;
  {
    const std::scoped_lock lock(mutex_);
    if (!idle_.empty()) {
      client = std::make_unique<HttpClient>(std::move(idle_.back()));
      idle_.pop_back();
    }
  }
  if (!client) client = std::make_unique<HttpClient>(options_);
  auto answer = client->send(request);
  const std::scoped_lock lock(mutex_);
  idle_.push_back(std::move(*client));
  return answer;
}

}  // namespace bowsprit::net
