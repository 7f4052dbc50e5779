// SPDX-License-Identifier: Apache-2.0
#include "podutils/packing.h"

#include <fcntl.h>
#include <zlib.h>

#include <algorithm>
#include <memory>

#include "artifact/content_type.h"
#include "os/fd.h"

namespace bowsprit::podutils {
namespace {

constexpr std::size_t kSmall = 1024;  ///< below, packing saves nothing
constexpr std::size_t kPiece = 1U << 18U;

struct GzClose {
  void operator()(gzFile file) const { gzclose(file); }
};
using GzWriter = std::unique_ptr<std::remove_pointer_t<gzFile>, GzClose>;

/// "txt" of "a/build-log.txt".
std::string extension_of(const std::string& name) {
  const std::string extension = std::filesystem::path(name).extension();
  return extension.empty() ? extension : extension.substr(1);
}

Result<std::string> head_of(const Content& content) {
  if (const auto* bytes = std::get_if<std::string>(&content)) return bytes->substr(0, kSmall + 1);
  TRY_ASSIGN(const Fd file, Fd::open(std::get<std::filesystem::path>(content), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  std::string head(kSmall + 1, '\0');
  TRY_ASSIGN(const std::size_t count, file.read(head.data(), head.size()));
  head.resize(count);
  return head;
}

Result<> gzip(const Content& content, const std::filesystem::path& to) {
  const GzWriter writer(gzopen(to.c_str(), "wbe"));
  const auto add = [&](std::string_view bytes) -> Result<> {
    if (!writer || (!bytes.empty() && gzwrite(writer.get(), bytes.data(), static_cast<unsigned>(bytes.size())) <= 0))
      return fail(ErrorKind::os, "pack into '{}'", to.string());
    return {};
  };
  const auto finish = [&]() -> Result<> {
    if (gzflush(writer.get(), Z_FINISH) != Z_OK) return fail(ErrorKind::os, "pack into '{}'", to.string());
    return {};
  };
  if (const auto* bytes = std::get_if<std::string>(&content)) {
    for (std::size_t at = 0; at < bytes->size(); at += kPiece) TRY(add(std::string_view(*bytes).substr(at, kPiece)));
    return finish();
  }
  TRY_ASSIGN(const Fd file, Fd::open(std::get<std::filesystem::path>(content), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  std::string buffer(kPiece, '\0');
  while (true) {
    TRY_ASSIGN(const std::size_t count, file.read(buffer.data(), buffer.size()));
    if (count == 0) return finish();
    TRY(add(std::string_view(buffer).substr(0, count)));
  }
}

}  // namespace

std::string name_without_packing(std::string name) {
  for (const std::string_view packed : {".gz", ".gzip"}) {
    if (!name.ends_with(packed)) continue;
    const std::string plain = name.substr(0, name.size() - packed.size());
    if (!plain.ends_with(".tar") && !plain.empty() && !plain.ends_with('/')) name = plain;
    break;
  }
  return name;
}

Result<Packed> pack(const std::string& name, const Content& content, const Packing& packing,
                    const std::filesystem::path& scratch) {
  Packed out{content, {}};
  TRY_ASSIGN(const std::string head, head_of(content));
  const std::string extension = extension_of(name);
  if (const auto type = packing.media_types.find(extension); type != packing.media_types.end())
    out.attributes.content_type = type->second;
  const bool is_gzip = head.starts_with("\x1f\x8b");
  if (is_gzip) {
    const auto* path = std::get_if<std::filesystem::path>(&content);
    const bool renamed = path != nullptr && name_without_packing(path->filename()) != path->filename();
    if (renamed) {
      out.attributes.content_encoding = "gzip";
      // Of what is inside; its bytes are not looked at.
      if (out.attributes.content_type.empty()) out.attributes.content_type = artifact::content_type_of(name, {});
    }
    return out;
  }
  const auto listed = [&](std::string_view type) {
    return std::ranges::find(packing.compress_types, type) != packing.compress_types.end();
  };
  const bool packed_name = extension == "gz" || extension == "gzip";
  if (head.size() <= kSmall || packed_name || !(listed("*") || listed(extension))) return out;
  TRY(gzip(content, scratch));
  // By the plain bytes: the packed ones are all alike.
  if (out.attributes.content_type.empty()) out.attributes.content_type = artifact::content_type_of(name, head);
  out.attributes.content_encoding = "gzip";
  out.content = scratch;
  return out;
}

}  // namespace bowsprit::podutils
