// SPDX-License-Identifier: Apache-2.0
/// An ObjectStore in a bucket of S3 or of what speaks its protocol (MinIO, SeaweedFS, Ceph).
///
/// Every request is signed, its body's hash included. Files above one part go as multipart uploads, one part in memory
/// at a time; each part is tried again, and an upload that fails for good is aborted, so nothing half is left. (A program
/// that is killed in the middle leaves parts which no reader sees; a lifecycle rule of the bucket removes them.)
/// Credentials are asked for with each request, so a file of short-lived ones may change at any time.
/// Does not: make buckets, or retry reads. Threads: any.
/// Errors: not_found, denied, bad_config (no such bucket, wrong region), unavailable, timeout, cancelled, bad_data.
#pragma once

#include <functional>

#include "artifact/object_store.h"
#include "artifact/sigv4.h"
#include "net/http_pool.h"

namespace bowsprit::artifact {

class SourceFile;

struct S3Options {
  std::string bucket;
  std::string prefix;  ///< "a/b": before all names; empty: none
  std::string region = "us-east-1";
  std::string endpoint;     ///< URL; empty: AWS' own for the region
  bool path_style = false;  ///< http://HOST/BUCKET/NAME instead of http://BUCKET.HOST/NAME
  std::string ca_file;      ///< PEM; empty: the system's
  std::function<Result<sigv4::Credentials>()> credentials;
  std::uint64_t part_size = 8U << 20U;  ///< S3 takes none below 5 MiB but the last; more where 10,000 would not do
  milliseconds retry_pause{300};
};

class S3Store final : public ObjectStore {
 public:
  /// @error bad_config  the endpoint is no URL
  static Result<std::unique_ptr<S3Store>> open(S3Options options);

  using ObjectStore::put;
  using ObjectStore::put_file;
  Result<> put(const std::string& name, std::string_view bytes, const Attributes& attributes) override;
  Result<> put_file(const std::string& name, const std::filesystem::path& file, const Attributes& attributes) override;
  Result<std::string> get(const std::string& name, std::uint64_t offset = 0,
                          std::optional<std::uint64_t> length = std::nullopt) override;
  Result<ObjectInfo> stat(const std::string& name) override;
  Result<std::vector<ObjectInfo>> list(const std::string& prefix, std::size_t limit = 10000) override;
  Result<> remove(const std::string& name) override;
  Result<std::string> signed_url(const std::string& name, seconds lifetime) override;
  void cancel() override { http_.cancel(); }

 private:
  struct Call {
    std::string method = "GET";
    std::string key = {};  ///< empty: the bucket
    sigv4::Pairs query = {};
    sigv4::Pairs headers = {};
    std::optional<std::string> body = {};
    int tries = 1;
    int also_good = 0;  ///< a status that is no error beside 2xx
  };
  explicit S3Store(S3Options options, std::string scheme, std::string host, std::string base_path);
  [[nodiscard]] std::string path_of(const std::string& key) const;
  [[nodiscard]] Result<std::string> key_of(const std::string& name) const;
  Result<net::HttpResponse> send(Call& call);
  Result<net::HttpResponse> send_once(Call& call);
  Result<> put_parts(const std::string& key, const SourceFile& file, const std::string& content_type,
                     const Attributes& attributes);
  Result<> complete(const std::string& key, const std::string& id, const std::string& parts, std::uint64_t size);

  S3Options options_;
  std::string scheme_;
  std::string host_;
  std::string base_path_;  ///< "" or "/BUCKET"
  net::HttpPool http_;
};

}  // namespace bowsprit::artifact
