// SPDX-License-Identifier: Apache-2.0
#include "artifact/content_type.h"

#include <algorithm>
#include <array>
#include <utility>

namespace bowsprit::artifact {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kKnown{{
    {".json", "application/json"},
    {".xml", "application/xml"},
    {".txt", kText},
    {".log", kText},
    {".config", kText},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".gz", "application/gzip"},
    {".tgz", "application/gzip"},
    {".xz", "application/x-xz"},
    {".zst", "application/zstd"},
    {".zip", "application/zip"},
}};

}  // namespace

std::string content_type_of(std::string_view name, std::string_view head) {
  for (const auto& [extension, type] : kKnown)
    if (name.ends_with(extension)) return std::string(type);
  // Control characters that no text has (mimesniff.spec.whatwg.org, "binary data byte"); a console may colour its words.
  const bool binary = std::ranges::any_of(head.substr(0, 512), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x08 || byte == 0x0b || (byte >= 0x0e && byte <= 0x1a) || (byte >= 0x1c && byte <= 0x1f);
  });
  return std::string(binary ? "application/octet-stream" : kText);
}

}  // namespace bowsprit::artifact
