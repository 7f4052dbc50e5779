// SPDX-License-Identifier: Apache-2.0
#include "artifact/store_url.h"

#include <algorithm>

#include "artifact/folder_store.h"
#include "artifact/gcs_store.h"
#include "artifact/s3_store.h"
#include "base/strings.h"
#include "os/files.h"

namespace bowsprit::artifact {
namespace {

constexpr std::size_t kMaxFile = 1U << 20U;

std::string with_scheme(const std::string& endpoint, bool insecure) {
  if (endpoint.empty() || endpoint.find("://") != std::string::npos) return endpoint;
  return (insecure ? "http://" : "https://") + endpoint;
}

/// "127.0.0.1:9000", "localhost", "minio": a bucket's name before it would lead nowhere.
bool has_no_subdomains(const std::string& endpoint) {
  std::string host = endpoint.substr(std::min(endpoint.find("://"), endpoint.size() - 3) + 3);
  host = host.substr(0, host.find_first_of(":/"));
  const bool number = host.find_first_not_of("0123456789.") == std::string::npos;
  return number || host.find('.') == std::string::npos;
}

Result<std::unique_ptr<ObjectStore>> open_s3(const StoreUrl& url, const StoreSettings& settings,
                                             const Environment& environment) {
  TRY_ASSIGN(const S3Account account, s3_account(settings.credentials_file, environment));
  S3Options options{.bucket = url.bucket, .prefix = url.prefix, .ca_file = settings.ca_file};
  for (const std::string& region : {account.region, settings.region})
    if (!region.empty()) options.region = region;
  options.endpoint = with_scheme(settings.endpoint.empty() ? account.endpoint : settings.endpoint, account.insecure);
  const bool own_host =
      !settings.endpoint.empty() || (!options.endpoint.empty() && has_no_subdomains(options.endpoint));
  options.path_style =
      settings.path_style.value_or(account.path_style || own_host || url.bucket.find('.') != std::string::npos);
  options.credentials = [file = settings.credentials_file, environment]() -> Result<sigv4::Credentials> {
    TRY_ASSIGN(S3Account now, s3_account(file, environment));
    return std::move(now.credentials);
  };
  TRY_ASSIGN(auto store, S3Store::open(std::move(options)));
  return store;
}

Result<GcsCredentials> gcs_credentials(const std::filesystem::path& named, const Environment& environment) {
  fs::path file = named;
  if (file.empty()) file = environment("GOOGLE_APPLICATION_CREDENTIALS");
  const bool must_be_there = !file.empty();
  if (file.empty()) file = fs::path(environment("HOME")) / ".config/gcloud/application_default_credentials.json";
  const auto text = read_file(file, kMaxFile);
  if (!text && (must_be_there || text.error().kind != ErrorKind::not_found))
    return fail(ErrorKind::bad_config, "GCS credentials: {}", text.error().text());
  if (!text) {
    std::string host = environment("GCE_METADATA_HOST");
    if (host.empty()) host = "metadata.google.internal";
    return GcsCredentials{
        .kind = GcsCredentials::Kind::metadata_server,
        .token_url = fmt::format("http://{}/computeMetadata/v1/instance/service-accounts/default/token", host)};
  }
  auto read = read_gcs_credentials(*text);
  if (!read) return std::unexpected(std::move(read).error().with("GCS credentials '{}'", file.string()));
  return read;
}

Result<std::unique_ptr<ObjectStore>> open_gcs(const StoreUrl& url, const StoreSettings& settings,
                                              const Environment& environment) {
  GcsOptions options{.bucket = url.bucket, .prefix = url.prefix, .ca_file = settings.ca_file};
  const std::string emulator = with_scheme(environment("STORAGE_EMULATOR_HOST"), true);
  if (!settings.endpoint.empty())
    options.endpoint = with_scheme(settings.endpoint, false);
  else if (!emulator.empty())
    options.endpoint = emulator;
  if (emulator.empty() || !settings.credentials_file.empty()) {
    TRY_ASSIGN(options.credentials, gcs_credentials(settings.credentials_file, environment));
  }
  return std::make_unique<GcsStore>(std::move(options));
}

}  // namespace

Result<StoreUrl> parse_store_url(std::string_view url) {
  const auto wrong = [&](std::string_view what) {
    return fail(ErrorKind::bad_config, "the store '{}' {}; expected s3://BUCKET, gs://BUCKET or file:///FOLDER",
                shorten(printable(url), 200), what);
  };
  StoreUrl out;
  if (url.starts_with('/')) {
    out.bucket = url;
    return out;
  }
  const auto colon = url.find("://");
  if (colon == std::string_view::npos) return wrong("has no scheme");
  const std::string_view scheme = url.substr(0, colon);
  const std::string_view rest = url.substr(colon + 3);
  if (scheme == "file") {
    if (!rest.starts_with('/')) return wrong("names no folder from the root");
    out.bucket = rest;
    return out;
  }
  if (scheme != "s3" && scheme != "gs") return wrong("has an unknown scheme");
  out.kind = scheme == "s3" ? StoreUrl::Kind::s3 : StoreUrl::Kind::gcs;
  out.bucket = rest.substr(0, rest.find('/'));
  const bool odd = out.bucket.find_first_of("?#@: %") != std::string::npos;
  if (out.bucket.empty() || odd) return wrong("names no bucket");
  for (const std::string& part : split(rest.substr(out.bucket.size()), '/'))
    if (!part.empty()) out.prefix += (out.prefix.empty() ? "" : "/") + part;
  if (!out.prefix.empty() && !is_object_name(out.prefix)) return wrong("has a prefix that no object may have");
  return out;
}

Result<std::unique_ptr<ObjectStore>> open_store(const StoreSettings& settings, const Environment& environment) {
  TRY_ASSIGN(const StoreUrl url, parse_store_url(settings.store));
  if (url.kind == StoreUrl::Kind::s3) return open_s3(url, settings, environment);
  if (url.kind == StoreUrl::Kind::gcs) return open_gcs(url, settings, environment);
  TRY_ASSIGN(auto folder, FolderStore::open(url.bucket));
  return std::make_unique<FolderStore>(std::move(folder));
}

}  // namespace bowsprit::artifact
