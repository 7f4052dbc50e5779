// SPDX-License-Identifier: Apache-2.0
/// An ObjectStore in a bucket of Google Cloud Storage, by its JSON API (cloud.google.com/storage/docs/json_api).
///
/// Files above one part go as resumable uploads, one part in memory at a time: after a lost connection the store is
/// asked how far it came, and the rest follows; a session that is gone is begun anew. An object appears when its last
/// byte is there and its MD5 is the one that we said at the start.
/// Does not: make buckets, or retry reads. Threads: any.
/// Errors: not_found, denied, bad_config, unavailable, timeout, cancelled, bad_data.
#pragma once

#include "artifact/gcs_token.h"
#include "artifact/object_store.h"
#include "base/json.h"
#include "net/http_pool.h"

namespace bowsprit::artifact {

class SourceFile;

struct GcsOptions {
  std::string bucket;
  std::string prefix;  ///< "a/b": before all names; empty: none
  std::string endpoint = "https://storage.googleapis.com";
  std::string ca_file;
  GcsCredentials credentials;
  std::uint64_t part_size = 8U << 20U;  ///< a multiple of 256 KiB, as GCS wants it
  milliseconds retry_pause{300};
};

class GcsStore final : public ObjectStore {
 public:
  explicit GcsStore(GcsOptions options);

  using ObjectStore::put;
  using ObjectStore::put_file;
  Result<> put(const std::string& name, std::string_view bytes, const Attributes& attributes) override;
  Result<> put_file(const std::string& name, const std::filesystem::path& file, const Attributes& attributes) override;
  Result<std::string> get(const std::string& name, std::uint64_t offset = 0,
                          std::optional<std::uint64_t> length = std::nullopt) override;
  Result<ObjectInfo> stat(const std::string& name) override;
  Result<std::vector<ObjectInfo>> list(const std::string& prefix, std::size_t limit = 10000) override;
  Result<> remove(const std::string& name) override;
  /// With a service account's key only.
  Result<std::string> signed_url(const std::string& name, seconds lifetime) override;
  void cancel() override { http_.cancel(); }

 private:
  [[nodiscard]] Result<std::string> key_of(const std::string& name) const;
  [[nodiscard]] std::string object_url(const std::string& key) const;
  [[nodiscard]] std::string upload_url(std::string_view type) const;
  /// With a token; a refused one is renewed once. The answer may have any status.
  Result<net::HttpResponse> send_once(net::HttpRequest& request);
  /// @error  any status but 2xx and `also_good`
  Result<net::HttpResponse> send(net::HttpRequest& request, int tries = 1, int also_good = 0);
  Result<> put_whole(const Json& metadata, std::string_view bytes);
  Result<std::string> begin_session(const Json& metadata, std::uint64_t size);
  Result<> put_parts(const std::string& session, const SourceFile& file);

  GcsOptions options_;
  net::HttpPool http_;
  GcsTokens tokens_;
};

}  // namespace bowsprit::artifact
