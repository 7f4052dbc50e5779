// SPDX-License-Identifier: Apache-2.0
// For tests/functional/test_stores.py only: calls of an ObjectStore, told as JSON on stdin, their outcomes as JSON on stdout.
//   {"store": "s3://b/p", "endpoint": "http://...", "credentials_file": "...", "calls": [{"call": "get", "name": "a", "offset": 1}]}
// An error is {"error": {"kind": "...", "text": "..."}}. The last outcome is {"peak_kib": N}, this process' memory.
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>

#include "artifact/store_url.h"
#include "base/json.h"
#include "base/strings.h"
#include "os/fd.h"

namespace bowsprit::artifact {
namespace {

Result<Json> call(ObjectStore& store, const Json& asked) {
  const std::string what = json_string(asked, "call");
  const std::string name = json_string(asked, "name");
  const Attributes attributes{.content_type = json_string(asked, "type"),
                              .content_encoding = json_string(asked, "encoding")};
  const auto done = [](const Result<>& result) -> Result<Json> {
    if (!result) return std::unexpected(result.error());
    return Json(true);
  };
  if (what == "put") return done(store.put(name, json_string(asked, "text"), attributes));
  if (what == "put_file") return done(store.put_file(name, json_string(asked, "file"), attributes));
  if (what == "remove") return done(store.remove(name));
  if (what == "get") {
    const auto length = json_int(asked, "length", -1);
    TRY_ASSIGN(const auto bytes, store.get(name, static_cast<std::uint64_t>(json_int(asked, "offset")),
                                           length < 0 ? std::nullopt : std::optional<std::uint64_t>(length)));
    return Json{{"size", bytes.size()}, {"sha256", sha256_hex(bytes)}, {"text", bytes.substr(0, 100)}};
  }
  if (what == "stat") {
    TRY_ASSIGN(const auto info, store.stat(name));
    return Json(info.size);
  }
  if (what == "url") {
    TRY_ASSIGN(const auto url, store.signed_url(name, seconds(json_int(asked, "lifetime", 60))));
    return Json(url);
  }
  TRY_ASSIGN(const auto listed, store.list(name, static_cast<std::size_t>(json_int(asked, "limit", 10000))));
  Json out = Json::array();
  for (const auto& object : listed) out.push_back({object.name, object.size});
  return out;
}

Json outcome(const Result<Json>& result) {
  if (result) return *result;
  return {{"error", {{"kind", to_string(result.error().kind)}, {"text", result.error().text()}}}};
}

Result<Json> run(const Json& asked) {
  TRY_ASSIGN(const auto store, open_store({.store = json_string(asked, "store"),
                                           .credentials_file = json_string(asked, "credentials_file"),
                                           .endpoint = json_string(asked, "endpoint"),
                                           .region = json_string(asked, "region")}));
  Json out = Json::array();
  for (const Json& one : json_get(asked, "calls")) out.push_back(outcome(call(*store, one)));
  ::rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  out.push_back({{"peak_kib", usage.ru_maxrss}});
  return out;
}

}  // namespace
}  // namespace bowsprit::artifact

int main() {
  using namespace bowsprit;
  std::string text;
  const Fd input(0);
  std::string buffer(65536, '\0');
  while (true) {
    const auto count = input.read(buffer.data(), buffer.size());
    if (!count || *count == 0) break;
    text.append(buffer, 0, *count);
  }
  const auto asked = parse_json(text);
  if (!asked) return 2;
  std::puts(dump_json(artifact::outcome(artifact::run(*asked))).c_str());
  return 0;
}
