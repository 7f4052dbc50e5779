// SPDX-License-Identifier: Apache-2.0
#include "podutils/archive_censor.h"

#include <archive.h>
#include <archive_entry.h>

#include <array>
#include <memory>

#include "base/strings.h"
#include "os/fd.h"

namespace bowsprit::podutils {
namespace {

constexpr int kDeepest = 4;                       // archives within archives
constexpr std::uint64_t kLargest = 16ULL << 30U;  // unpacked; a bomb is not read to its end
constexpr std::size_t kBlock = 1U << 16U;
constexpr std::size_t kHeader = 512;

struct ReadFree {
  void operator()(archive* a) const { ::archive_read_free(a); }
};
struct WriteFree {
  void operator()(archive* a) const { ::archive_write_free(a); }
};
using Reader = std::unique_ptr<archive, ReadFree>;
using Writer = std::unique_ptr<archive, WriteFree>;

std::string reason(archive* a) {
  const char* text = ::archive_error_string(a);
  return text != nullptr ? text : "unknown error";
}

std::unexpected<Error> unreadable(const fs::path& file, std::string_view why) {
  return fail(ErrorKind::bad_data, "censor '{}': can't read it as a whole: {}", file.filename().string(), why);
}

Result<std::string> first_bytes(const fs::path& file) {
  TRY_ASSIGN(const Fd fd, Fd::open(file.string(), O_RDONLY | O_NOFOLLOW));
  std::string bytes(kHeader, '\0');
  TRY_ASSIGN(const std::size_t count, fd.read(bytes.data(), bytes.size()));
  bytes.resize(count);
  return bytes;
}

/// One archive being read.
class Source {
 public:
  static Result<Source> open(const fs::path& file) {
    Source source(file);
    archive* a = source.reader_.get();
    ::archive_read_support_filter_all(a);
    ::archive_read_support_format_tar(a);
    ::archive_read_support_format_zip(a);
    ::archive_read_support_format_7zip(a);
    ::archive_read_support_format_rar(a);
    ::archive_read_support_format_rar5(a);
    ::archive_read_support_format_cpio(a);
    ::archive_read_support_format_ar(a);
    ::archive_read_support_format_cab(a);
    ::archive_read_support_format_raw(a);    // a single packed file
    ::archive_read_support_format_empty(a);  // a packed nothing
    if (::archive_read_open_filename(a, file.c_str(), kBlock) != ARCHIVE_OK) return unreadable(file, reason(a));
    return source;
  }

  /// nullptr: the end.
  Result<archive_entry*> next() {
    archive_entry* entry = nullptr;
    const int code = ::archive_read_next_header(reader_.get(), &entry);
    if (code == ARCHIVE_EOF) return nullptr;
    if (code != ARCHIVE_OK && code != ARCHIVE_WARN) return unreadable(file_, reason(reader_.get()));
    if (::archive_entry_is_encrypted(entry) != 0) return unreadable(file_, "it is encrypted");
    if (is_raw() && filters() == 0) return unreadable(file_, "it begins like an archive and is none");
    return entry;
  }

  /// The next bytes of the entry; empty: its end.
  Result<std::string_view> data() {
    const auto count = ::archive_read_data(reader_.get(), buffer_.data(), buffer_.size());
    if (count < 0) return unreadable(file_, reason(reader_.get()));
    total_ += static_cast<std::uint64_t>(count);
    if (total_ > kLargest) return unreadable(file_, "it unpacks to too much");
    return std::string_view(buffer_.data(), static_cast<std::size_t>(count));
  }

  [[nodiscard]] bool is_raw() const { return format() == ARCHIVE_FORMAT_RAW; }
  [[nodiscard]] int format() const { return ::archive_format(reader_.get()) & ARCHIVE_FORMAT_BASE_MASK; }
  /// Packings around it, without the "none" that libarchive counts last.
  [[nodiscard]] int filters() const { return ::archive_filter_count(reader_.get()) - 1; }
  [[nodiscard]] int filter() const { return ::archive_filter_code(reader_.get(), 0); }

 private:
  explicit Source(fs::path file) : file_(std::move(file)), reader_(::archive_read_new()), buffer_(kBlock) {}
  fs::path file_;
  Reader reader_;
  std::vector<char> buffer_;
  std::uint64_t total_ = 0;
};

/// A writer of the same format and packing as `source`, after its first header was read.
Result<Writer> open_like(const Source& source, const fs::path& original, const fs::path& file) {
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorKind::bad_data, "censor '{}': a secret is in it, and it can't be written anew: {}",
                original.filename().string(), why);
  };
  Writer writer(::archive_write_new());
  archive* a = writer.get();
  const int format = source.format();
  if (format == ARCHIVE_FORMAT_TAR)
    ::archive_write_set_format_pax_restricted(a);
  else if (format == ARCHIVE_FORMAT_ZIP)
    ::archive_write_set_format_zip(a);
  else if (format == ARCHIVE_FORMAT_RAW)
    ::archive_write_set_format_raw(a);
  else
    return refuse("its format can only be read");
  if (source.filters() > 1) return refuse("it is packed more than once");
  if (source.filters() == 1 && ::archive_write_add_filter(a, source.filter()) != ARCHIVE_OK) return refuse(reason(a));
  ::archive_write_set_bytes_in_last_block(a, 1);
  if (::archive_write_open_filename(a, file.c_str()) != ARCHIVE_OK) return refuse(reason(a));
  return writer;
}

class ArchiveCensor {
 public:
  ArchiveCensor(const Censor& censor, TempDir& temp) : censor_(censor), temp_(temp) {}

  Result<bool> run(const fs::path& file, int depth) {
    TRY_ASSIGN(const std::string start, first_bytes(file));
    if (!looks_packed(start)) return censor_.mask_file(file);
    if (depth >= kDeepest) return unreadable(file, "it is an archive within too many others");
    TRY_ASSIGN(const bool found, search(file, depth));
    if (!found) return false;
    TRY(rewrite(file, depth));
    return true;
  }

 private:
  /// The bytes of the present entry in a file of their own.
  Result<fs::path> unpack(Source& source, std::string_view begun) {
    const fs::path file = temp_.path() / std::to_string(count_++);
    TRY_ASSIGN(const Fd fd, Fd::open(file.string(), O_WRONLY | O_CREAT | O_EXCL, 0600));
    for (std::string_view bytes = begun;;) {
      TRY(fd.write_all(bytes));
      TRY_ASSIGN(bytes, source.data());
      if (bytes.empty()) return file;
    }
  }

  Result<bool> search(const fs::path& file, int depth) {
    TRY_ASSIGN(Source source, Source::open(file));
    bool found = false;
    while (true) {
      TRY_ASSIGN(archive_entry* const entry, source.next());
      if (entry == nullptr) break;
      TRY_ASSIGN(const bool here, search_entry(source, entry, depth));
      found = found || here;  // to the end, since all of it must be readable
    }
    return found;
  }

  Result<bool> search_entry(Source& source, archive_entry* entry, int depth) {
    MaskStream names(censor_);
    for (const char* text : {::archive_entry_pathname(entry), ::archive_entry_symlink(entry)})
      if (text != nullptr) names.feed(std::string(text) + '\0');
    TRY_ASSIGN(std::string_view bytes, source.data());
    std::string begun(bytes);
    while (!bytes.empty() && begun.size() < kHeader) {
      TRY_ASSIGN(bytes, source.data());
      begun += bytes;
    }
    if (looks_packed(begun)) {
      TRY_ASSIGN(const fs::path inner, unpack(source, begun));
      auto found = run(inner, depth + 1);
      TRY(remove_tree(inner));
      if (!found) return found;
      return *found || names.found();
    }
    MaskStream content(censor_);
    content.feed(begun);
    while (!bytes.empty()) {
      TRY_ASSIGN(bytes, source.data());
      content.feed(bytes);
    }
    return content.found() || names.found();
  }

  Result<> rewrite(const fs::path& file, int depth) {
    const fs::path fresh = file.string() + ".censored";
    TRY_ASSIGN(Source source, Source::open(file));
    Writer writer;
    while (true) {
      TRY_ASSIGN(archive_entry* const entry, source.next());
      if (entry == nullptr) break;
      if (!writer) {
        TRY_ASSIGN(writer, open_like(source, file, fresh));
      }
      TRY(rewrite_entry(source, entry, writer.get(), depth));
    }
    if (writer && ::archive_write_close(writer.get()) != ARCHIVE_OK)
      return fail(ErrorKind::os, "write '{}' anew: {}", file.string(), reason(writer.get()));
    std::error_code code;
    fs::rename(fresh, file, code);
    if (code) return fail(ErrorKind::os, "replace '{}': {}", file.string(), code.message());
    return {};
  }

  Result<> rewrite_entry(Source& source, archive_entry* entry, archive* writer, int depth) {
    mask_names(entry);
    const bool has_data = ::archive_entry_filetype(entry) == AE_IFREG && ::archive_entry_hardlink(entry) == nullptr;
    if (!has_data) return write_header(writer, entry);
    TRY_ASSIGN(const fs::path inner, unpack(source, {}));
    TRY(run(inner, depth + 1));
    std::error_code code;
    ::archive_entry_set_size(entry, static_cast<la_int64_t>(fs::file_size(inner, code)));
    TRY(write_header(writer, entry));
    TRY_ASSIGN(const Fd fd, Fd::open(inner.string()));
    std::vector<char> buffer(kBlock);
    while (true) {
      TRY_ASSIGN(const std::size_t count, fd.read(buffer.data(), buffer.size()));
      if (count == 0) break;
      if (::archive_write_data(writer, buffer.data(), count) != static_cast<la_ssize_t>(count))
        return fail(ErrorKind::os, "write a censored archive: {}", reason(writer));
    }
    return remove_tree(inner);
  }

  void mask_names(archive_entry* entry) const {
    if (const char* name = ::archive_entry_pathname(entry))
      if (std::string masked = name; censor_.mask(masked)) ::archive_entry_set_pathname(entry, masked.c_str());
    if (const char* target = ::archive_entry_symlink(entry))
      if (std::string masked = target; censor_.mask(masked)) ::archive_entry_set_symlink(entry, masked.c_str());
  }

  static Result<> write_header(archive* writer, archive_entry* entry) {
    const int code = ::archive_write_header(writer, entry);
    if (code == ARCHIVE_OK || code == ARCHIVE_WARN) return {};
    return fail(ErrorKind::os, "write a censored archive: {}", reason(writer));
  }

  const Censor& censor_;
  TempDir& temp_;
  int count_ = 0;
};

}  // namespace

bool looks_packed(std::string_view first_bytes) {
  using namespace std::string_view_literals;
  constexpr std::array kSigns{"\x1f\x8b"sv,
                              "\x28\xb5\x2f\xfd"sv,
                              "\xfd"
                              "7zXZ\0"sv,
                              "PK\x03\x04"sv,
                              "PK\x05\x06"sv,
                              "7z\xbc\xaf\x27\x1c"sv,
                              "Rar!\x1a\x07"sv,
                              "\x04\x22\x4d\x18"sv,
                              "LZIP"sv,
                              "\x1f\x9d"sv,
                              "MSCF\0\0\0\0"sv,
                              "!<arch>\n"sv,
                              "\x5d\0\0\x80\0"sv};
  for (const std::string_view sign : kSigns)
    if (first_bytes.starts_with(sign)) return true;
  // "BZh9" alone could begin a text; a block, or the end of an empty file, follows it.
  if (first_bytes.starts_with("BZh"))
    return first_bytes.substr(4, 6) == "1AY&SY" || first_bytes.substr(4, 6) == "\x17\x72\x45\x38\x50\x90"sv;
  return first_bytes.size() > 262 && first_bytes.substr(257, 5) == "ustar";
}

Result<bool> censor_file(const Censor& censor, const fs::path& file) {
  if (censor.empty()) return false;
  TRY_ASSIGN(auto temp, TempDir::create("censor"));
  return ArchiveCensor(censor, temp).run(file, 0);
}

}  // namespace bowsprit::podutils
