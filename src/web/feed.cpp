// SPDX-License-Identifier: Apache-2.0
#include "web/feed.h"

#include <algorithm>

#include "web/layout.h"

namespace bowsprit::web {
namespace {

constexpr std::size_t kMaxEntries = 50;

/// What printable() leaves and XML 1.0 forbids: U+FFFE and U+FFFF.
std::string xml_text(std::string_view text) {
  std::string out = replace_all(printable(text), "\xEF\xBF\xBE", "\xEF\xBF\xBD");
  return replace_all(std::move(out), "\xEF\xBF\xBF", "\xEF\xBF\xBD");
}

/// A UUID that is always the same for the same text (RFC 9562, version 8).
std::string name_uuid(std::string_view text) {
  std::string hex = sha256_hex(text).substr(0, 32);
  hex[12] = '8';
  hex[16] = 'a';
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                     hex.substr(20));
}

}  // namespace

std::string job_feed(const JobView& view, const std::string& public_url) {
  Markup entries;
  std::size_t count = 0;
  SystemTime updated{};
  for (const auto& run : view.runs) {
    if (!run.finished || count == kMaxEntries) continue;
    ++count;
    updated = std::max(updated, *run.finished);
    entries += markup(
        "<entry>\n<id>urn:uuid:{}</id>\n<title>{}: {} {},{}: {}</title>\n<updated>{}</updated>\n<author><name>{}</name>"
        "</author>\n<link rel=\"alternate\" type=\"text/html\" href=\"{}/run/{}\"/>\n<summary>{}</summary>\n</entry>\n",
        run.prow_job_id.empty() ? name_uuid(fmt::format("run {} {}", run.gerrit, run.id)) : run.prow_job_id,
        headline(run), xml_text(run.job), run.change, run.patchset, xml_text(run.subject), rfc3339(*run.finished),
        run.author.empty() ? "unknown" : xml_text(run.author), public_url, run.id, xml_text(run.description));
  }
  const std::string page = public_url + job_url(view.job);
  return markup(
             "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n"
             "<id>urn:uuid:{}</id>\n<title>{} - bowsprit</title>\n<updated>{}</updated>\n"
             "<link rel=\"self\" type=\"application/atom+xml\" href=\"{}/feed.atom\"/>\n"
             "<link rel=\"alternate\" type=\"text/html\" href=\"{}\"/>\n{}</feed>\n",
             name_uuid("feed of job " + view.job), xml_text(view.job), rfc3339(updated), page, page, entries)
      .html;
}

}  // namespace bowsprit::web
