// SPDX-License-Identifier: Apache-2.0
#include "artifact/s3_credentials.h"

#include <cstdlib>
#include <map>

#include "base/json.h"
#include "base/strings.h"
#include "os/files.h"

namespace bowsprit::artifact {
namespace {

constexpr std::size_t kMaxFile = 1U << 20U;

Result<S3Account> with_keys(S3Account account, std::string_view access, std::string_view secret) {
  if (account.credentials.access_key.empty()) return fail(ErrorKind::bad_config, "expected \"{}\"", access);
  if (account.credentials.secret_key.empty()) return fail(ErrorKind::bad_config, "expected \"{}\"", secret);
  return account;
}

Result<S3Account> read_account(std::string_view text, const std::string& profile) {
  return trim(text).starts_with('{') ? read_prow_s3_credentials(text) : read_aws_profile(text, profile);
}

}  // namespace

Result<S3Account> read_prow_s3_credentials(std::string_view json) {
  const auto parsed = parse_json(json);
  if (!parsed) return fail(ErrorKind::bad_config, "{}", parsed.error().text());
  if (!parsed->is_object()) return fail(ErrorKind::bad_config, "expected an object with access_key and secret_key");
  S3Account account;
  account.credentials = {.access_key = json_string(*parsed, "access_key"),
                         .secret_key = Secret(json_string(*parsed, "secret_key")),
                         .session_token = Secret(json_string(*parsed, "session_token"))};
  account.region = json_string(*parsed, "region");
  account.endpoint = json_string(*parsed, "endpoint");
  account.insecure = json_bool(*parsed, "insecure");
  account.path_style = json_bool(*parsed, "s3_force_path_style");
  return with_keys(std::move(account), "access_key", "secret_key");
}

Result<S3Account> read_aws_profile(std::string_view ini, std::string_view profile) {
  std::map<std::string, std::string, std::less<>> values;
  bool inside = false;
  bool found = false;
  for (const std::string& raw : split_lines(ini)) {
    const std::string_view line = trim(raw);
    if (line.empty() || line.starts_with('#') || line.starts_with(';')) continue;
    if (line.starts_with('[')) {
      const std::string_view name = trim(line.substr(1, line.find(']') - 1));
      inside = name == profile || (name.starts_with("profile ") && trim(name.substr(8)) == profile);
      found = found || inside;
    } else if (const auto equals = line.find('='); inside && equals != std::string_view::npos) {
      values[std::string(trim(line.substr(0, equals)))] = trim(line.substr(equals + 1));
    }
  }
  if (!found) return fail(ErrorKind::bad_config, "there is no profile [{}]", printable(profile));
  S3Account account;
  account.credentials = {.access_key = values["aws_access_key_id"],
                         .secret_key = Secret(values["aws_secret_access_key"]),
                         .session_token = Secret(values["aws_session_token"])};
  account.region = values["region"];
  account.endpoint = values["endpoint_url"];
  auto checked = with_keys(std::move(account), "aws_access_key_id", "aws_secret_access_key");
  if (!checked) return std::unexpected(std::move(checked).error().with("profile [{}]", printable(profile)));
  return checked;
}

Environment process_environment() {
  return [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
}

Result<S3Account> s3_account(const std::filesystem::path& file, const Environment& environment) {
  const auto first_of = [&](const char* one, const char* other) {
    const std::string value = environment(one);
    return value.empty() ? environment(other) : value;
  };
  std::string profile = environment("AWS_PROFILE");
  if (profile.empty()) profile = "default";
  S3Account account;
  account.credentials = {.access_key = environment("AWS_ACCESS_KEY_ID"),
                         .secret_key = Secret(environment("AWS_SECRET_ACCESS_KEY")),
                         .session_token = Secret(environment("AWS_SESSION_TOKEN"))};
  const bool from_environment =
      file.empty() && !account.credentials.access_key.empty() && !account.credentials.secret_key.empty();
  if (!from_environment) {
    fs::path from = file;
    if (from.empty()) from = environment("AWS_SHARED_CREDENTIALS_FILE");
    if (from.empty()) from = fs::path(environment("HOME")) / ".aws/credentials";
    const auto text = read_file(from, kMaxFile);
    if (!text && file.empty() && text.error().kind == ErrorKind::not_found)
      return fail(ErrorKind::bad_config,
                  "no S3 credentials: none named, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY not set, no file '{}'",
                  from.string());
    if (!text) return fail(ErrorKind::bad_config, "S3 credentials: {}", text.error().text());
    auto read = read_account(*text, profile);
    if (!read) return std::unexpected(std::move(read).error().with("S3 credentials '{}'", from.string()));
    account = std::move(*read);
  }
  if (account.region.empty()) account.region = first_of("AWS_REGION", "AWS_DEFAULT_REGION");
  if (account.endpoint.empty()) account.endpoint = first_of("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL");
  return account;
}

}  // namespace bowsprit::artifact
