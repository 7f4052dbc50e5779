// SPDX-License-Identifier: Apache-2.0
#include "base/strings.h"
#include "podutils/options.h"

namespace bowsprit::podutils {

Result<prow::Refs> parse_refs(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return bowsprit::fail(ErrorKind::usage, "refs '{}': expected ORG,REPO=BASE[:SHA][,PULL[:SHA[:REF]]]...: {}", text,
                          why);
  };
  const auto equals = text.find('=');
  const auto comma = text.find(',');
  if (equals == std::string_view::npos || comma == std::string_view::npos || comma > equals)
    return wrong("no ORG,REPO= at the start");
  prow::Refs refs{.org = std::string(text.substr(0, comma)),
                  .repo = std::string(text.substr(comma + 1, equals - comma - 1))};
  const auto parts = split(text.substr(equals + 1), ',');
  const auto base = split(parts[0], ':');
  if (base.size() > 2 || (parts.size() == 1 && parts[0].empty())) return wrong("the base is no BASE[:SHA]");
  refs.base_ref = base[0];
  if (base.size() == 2) refs.base_sha = base[1];
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto fields = split(parts[i], ':');
    const auto number = parse_int(fields[0]);
    if (fields.size() > 3 || !number || *number < 0 || *number > INT32_MAX)
      return wrong(fmt::format("'{}' is no PULL[:SHA[:REF]]", parts[i]));
    prow::Pull& pull = refs.pulls.emplace_back();
    pull.number = static_cast<int>(*number);
    if (fields.size() > 1) pull.sha = fields[1];
    if (fields.size() > 2) pull.ref = fields[2];
  }
  return refs;
}

}  // namespace bowsprit::podutils
