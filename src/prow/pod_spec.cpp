// SPDX-License-Identifier: Apache-2.0
#include "prow/pod_spec.h"

#include <algorithm>
#include <array>
#include <set>

#include "prow/job_env.h"

namespace bowsprit::prow {

namespace {

using yaml::Cursor;

constexpr std::array<std::string_view, 3> kOwnVolumes{"logs", "code", "tools"};
constexpr std::array<std::string_view, 3> kOwnPaths{"/logs", "/home/prow/go", "/tools"};

template <class Range>
bool contains(const Range& words, std::string_view text) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

/// Calls `look(item)` for each item of the list under `key`.
template <class Look>
void each(const Cursor& cursor, std::string_view key, Look look) {
  const auto list = cursor.find(key);
  if (!list || !list->is_list()) return;
  for (std::size_t i = 0; i < list->node().items().size(); ++i) look(list->at(i));
}

std::string_view name_of(const Cursor& cursor, std::string_view key = "name") {
  const yaml::Node* name = cursor.node().find(key);
  return name == nullptr ? std::string_view() : name->text();
}

void check_unique(const Cursor& item, std::string_view what, std::set<std::string_view>& seen) {
  const auto name = name_of(item);
  if (name.empty())
    item.error(fmt::format("expected the field \"name\" of the {}", what));
  else if (!seen.insert(name).second)
    item.error(fmt::format("{} \"{}\" is defined twice", what, name));
}

void check_container(const Cursor& container, const std::set<std::string_view>& volumes) {
  if (!container.is_map()) return;
  std::set<std::string_view> variables;
  each(container, "env", [&](const Cursor& variable) {
    check_unique(variable, "variable", variables);
    if (contains(presubmit_variables(), name_of(variable)))
      variable.error(fmt::format("{} is set by Prow itself", name_of(variable)));
  });
  each(container, "volumeMounts", [&](const Cursor& mount) {
    const auto name = name_of(mount);
    const auto path = name_of(mount, "mountPath");
    if (contains(kOwnVolumes, name))
      mount.error(fmt::format("volume \"{}\" is decoration's own", name));
    else if (!volumes.contains(name))
      mount.error(fmt::format("volume \"{}\" is not among the spec's volumes", name));
    if (contains(kOwnPaths, path)) mount.error(fmt::format("{} is mounted by decoration", path));
  });
  for (const std::string_view list : {"command", "args"})
    each(container, list, [](const Cursor& word) {
      std::string ignored;
      read(word, ignored);
    });
}

}  // namespace

void check_pod_spec(const Cursor& spec) {
  if (!spec.is_map()) return;
  if (const auto init = spec.find("initContainers"); init && !init->node().items().empty())
    init->error("not supported: a job with init containers");
  std::set<std::string_view> volumes;
  each(spec, "volumes", [&](const Cursor& volume) {
    check_unique(volume, "volume", volumes);
    if (contains(kOwnVolumes, name_of(volume)))
      volume.error(fmt::format("volume \"{}\" is decoration's own", name_of(volume)));
  });
  const auto containers = spec.find("containers");
  if (!containers || (containers->is_list() && containers->node().items().empty()))
    return spec.error("expected at least one container");
  if (containers->node().items().size() > 1) containers->error("not supported: a job with several containers");
  each(spec, "containers", [&](const Cursor& container) { check_container(container, volumes); });
}

void check_decorated_spec(const Cursor& spec) {
  each(spec, "containers", [](const Cursor& container) {
    const auto filled = [&](std::string_view key) {
      const yaml::Node* list = container.node().find(key);
      return list != nullptr && !list->items().empty() && !list->items()[0].text().empty();
    };
    if (!filled("command") && !filled("args")) container.error("expected a command or args, which decoration needs");
  });
}

}  // namespace bowsprit::prow
