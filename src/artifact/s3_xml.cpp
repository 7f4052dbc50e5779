// SPDX-License-Identifier: Apache-2.0
#include "artifact/s3_xml.h"

#include <optional>

#include "base/strings.h"

namespace bowsprit::artifact {
namespace {

constexpr std::size_t kMaxDepth = 16;

std::string utf8(std::uint32_t code) {
  const auto tail = [code](unsigned shift) { return static_cast<char>(0x80U | ((code >> shift) & 0x3fU)); };
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {static_cast<char>(0xc0U | (code >> 6U)), tail(0)};
  if (code < 0x10000) return {static_cast<char>(0xe0U | (code >> 12U)), tail(6), tail(0)};
  return {static_cast<char>(0xf0U | (code >> 18U)), tail(12), tail(6), tail(0)};
}

/// The character of "#38", "#x26" or "amp".
std::optional<std::string> entity(std::string_view name) {
  if (name == "amp") return "&";
  if (name == "lt") return "<";
  if (name == "gt") return ">";
  if (name == "quot") return "\"";
  if (name == "apos") return "'";
  if (name.size() < 2 || name.size() > 9 || name[0] != '#') return std::nullopt;
  const bool hex = name[1] == 'x';
  std::uint32_t code = 0;
  for (const char c : name.substr(hex ? 2 : 1)) {
    const auto digit = std::string_view("0123456789abcdef").find(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c);
    if (digit >= (hex ? 16U : 10U)) return std::nullopt;
    code = code * (hex ? 16U : 10U) + static_cast<std::uint32_t>(digit);
  }
  if (code == 0 || code > 0x10ffff) return std::nullopt;
  return utf8(code);
}

Result<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto start = std::min(text.find('&', at), text.size());
    out += text.substr(at, start - at);
    if (start == text.size()) break;
    const auto end = text.find(';', start);
    const auto found = end == std::string_view::npos ? std::nullopt : entity(text.substr(start + 1, end - start - 1));
    if (!found) return fail(ErrorKind::bad_data, "XML: '{}' is no character", shorten(text.substr(start), 20));
    out += *found;
    at = end + 1;
  }
  return out;
}

/// Calls `leave(path, text)` at the end of each element: the names of those around it and its own, its own text.
template <class Leave>
Result<> walk(std::string_view xml, const Leave& leave) {
  std::vector<std::string_view> path;
  std::string text;
  bool seen = false;
  std::size_t at = 0;
  while (at < xml.size()) {
    const auto tag = std::min(xml.find('<', at), xml.size());
    TRY_ASSIGN(const std::string piece, decoded(xml.substr(at, tag - at)));
    text += piece;
    if (tag == xml.size()) break;
    const std::string_view rest = xml.substr(tag);
    const bool comment = rest.starts_with("<!--");
    if (!comment && rest.starts_with("<!")) return fail(ErrorKind::bad_data, "XML with a document type is not S3's");
    const std::string_view closer = comment ? "-->" : rest.starts_with("<?") ? "?>" : ">";
    const auto end = xml.find(closer, tag);
    if (end == std::string_view::npos) return fail(ErrorKind::bad_data, "XML ends within '{}'", shorten(rest, 40));
    at = end + closer.size();
    if (comment || rest.starts_with("<?")) continue;
    const bool closing = rest.starts_with("</");
    const bool empty = xml[end - 1] == '/';
    std::string_view name = xml.substr(tag + (closing ? 2 : 1), end - tag - (closing ? 2 : 1));
    name = name.substr(0, name.find_first_of(" \t\r\n/"));
    if (name.empty()) return fail(ErrorKind::bad_data, "XML has an element without a name");
    if (!closing) {
      if (path.empty() && seen) return fail(ErrorKind::bad_data, "XML has a second root '{}'", name);
      if (path.size() >= kMaxDepth) return fail(ErrorKind::bad_data, "XML is nested too deep");
      seen = true;
      path.push_back(name);
      text.clear();
    }
    if (closing || empty) {
      if (path.empty() || path.back() != name)
        return fail(ErrorKind::bad_data, "XML ends '{}', which was not begun", shorten(printable(name), 40));
      TRY(leave(path, text));
      path.pop_back();
      text.clear();
    }
  }
  if (!seen) return fail(ErrorKind::bad_data, "expected XML, got '{}'", shorten(printable(xml), 40));
  if (!path.empty()) return fail(ErrorKind::bad_data, "XML ends within '{}'", shorten(printable(path.back()), 40));
  return {};
}

using Path = std::vector<std::string_view>;

}  // namespace

Result<S3Listing> read_s3_listing(std::string_view xml) {
  S3Listing listing;
  ObjectInfo object;
  bool truncated = false;
  bool is_listing = false;
  TRY(walk(xml, [&](const Path& path, const std::string& text) -> Result<> {
    is_listing = path.front() == "ListBucketResult";
    if (path.size() == 2 && path[1] == "IsTruncated") truncated = text == "true";
    if (path.size() == 2 && path[1] == "NextContinuationToken") listing.next = text;
    if (path.size() == 2 && path[1] == "Contents") listing.objects.push_back(std::exchange(object, {}));
    if (path.size() != 3 || path[1] != "Contents") return {};
    if (path[2] == "Key") object.name = text;
    if (path[2] == "Size") {
      const auto size = parse_int(text);
      if (!size || *size < 0) return fail(ErrorKind::bad_data, "the size of an object is '{}'", shorten(text, 40));
      object.size = static_cast<std::uint64_t>(*size);
    }
    return {};
  }));
  if (!is_listing) return fail(ErrorKind::bad_data, "expected <ListBucketResult>");
  if (truncated && listing.next.empty())
    return fail(ErrorKind::bad_data, "a listing is not whole and does not say where it goes on");
  if (!truncated) listing.next.clear();
  return listing;
}

S3Error read_s3_error(std::string_view xml) {
  S3Error error;
  const auto read = walk(xml, [&](const Path& path, const std::string& text) -> Result<> {
    if (path.size() != 2 || path[0] != "Error") return {};
    if (path[1] == "Code") error.code = text;
    if (path[1] == "Message") error.message = text;
    return {};
  });
  return read ? error : S3Error{};
}

Result<std::string> read_s3_upload_id(std::string_view xml) {
  std::string id;
  TRY(walk(xml, [&](const Path& path, const std::string& text) -> Result<> {
    if (path.size() == 2 && path[0] == "InitiateMultipartUploadResult" && path[1] == "UploadId") id = text;
    return {};
  }));
  if (id.empty()) return fail(ErrorKind::bad_data, "expected <InitiateMultipartUploadResult> with an UploadId");
  return id;
}

}  // namespace bowsprit::artifact
