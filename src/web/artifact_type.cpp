// SPDX-License-Identifier: Apache-2.0
#include "web/artifact_type.h"

#include <algorithm>
#include <utility>

namespace bowsprit::web {
namespace {

constexpr std::string_view kPlain = "text/plain; charset=utf-8";
constexpr std::string_view kBinary = "application/octet-stream";

constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
    {".json", "application/json"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".jpeg", "image/jpeg"},
    {".gif", "image/gif"},
    {".gz", kBinary},
    {".xz", kBinary},
    {".zst", kBinary},
    {".bz2", kBinary},
    {".zip", kBinary},
    {".tar", kBinary},
    {".ko", kBinary},
    {".o", kBinary},
};

}  // namespace

std::string_view artifact_type(std::string_view name) {
  const auto* it = std::ranges::find_if(kTypes, [name](const auto& type) { return name.ends_with(type.first); });
  return it == std::end(kTypes) ? kPlain : it->second;
}

net::Response untrusted(net::Response response, std::string_view name) {
  const std::string_view type = artifact_type(name);
  response.headers.emplace_back("Content-Type", type);
  response.headers.emplace_back("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'");
  if (type == kBinary) response.headers.emplace_back("Content-Disposition", "attachment");
  return response;
}

}  // namespace bowsprit::web
