// SPDX-License-Identifier: Apache-2.0
#include "prow/presets.h"

#include <algorithm>
#include <set>

namespace bowsprit::prow {

namespace {

bool fits(const Preset& preset, const std::map<std::string, std::string>& labels) {
  return std::ranges::all_of(preset.labels, [&labels](const auto& label) {
    const auto found = labels.find(label.first);
    return found != labels.end() && found->second == label.second;
  });
}

bool has_name(const Json& list, const std::string& name) {
  return std::ranges::any_of(list, [&name](const Json& item) { return json_string(item, "name") == name; });
}

void add(Json& list, const Json& items) {
  for (const Json& item : items)
    if (!has_name(list, json_string(item, "name"))) list.push_back(item);
}

using Names = std::set<std::string_view>;

Names names_in(const yaml::Node& parent, std::string_view list) {
  Names out;
  if (const yaml::Node* items = parent.find(list))
    for (const yaml::Node& item : items->items())
      if (const yaml::Node* name = item.find("name")) out.insert(name->text());
  return out;
}

std::string_view name_of(const Json& item) {
  const Json& name = json_get(item, "name");
  return name.is_string() ? std::string_view(name.get_ref<const std::string&>()) : std::string_view();
}

void check_names(const yaml::Cursor& spec, std::string_view what, const Json& added, Names& names) {
  for (const Json& item : added)
    if (!names.insert(name_of(item)).second)
      spec.error(fmt::format("{} \"{}\" is also in a preset that fits this job's labels", what, name_of(item)));
}

}  // namespace

void apply_presets(Json& spec, const std::map<std::string, std::string>& labels, const std::vector<Preset>& presets) {
  for (const Preset& preset : presets) {
    if (!fits(preset, labels)) continue;
    if (!preset.volumes.empty()) add(spec["volumes"], preset.volumes);
    for (const Json& toleration : preset.tolerations) spec["tolerations"].push_back(toleration);
    if (!spec.contains("containers")) continue;
    for (Json& container : spec["containers"]) {
      if (!preset.env.empty()) add(container["env"], preset.env);
      if (!preset.volume_mounts.empty()) add(container["volumeMounts"], preset.volume_mounts);
    }
  }
}

void check_with_presets(const yaml::Cursor& spec, const std::map<std::string, std::string>& labels,
                        const std::vector<Preset>& presets) {
  std::vector<const Preset*> fitting;
  for (const Preset& preset : presets)
    if (fits(preset, labels)) fitting.push_back(&preset);
  Names volumes = names_in(spec.node(), "volumes");
  for (const Preset* preset : fitting) check_names(spec, "volume", preset->volumes, volumes);
  // What decoration brings may be mounted too.
  volumes.insert({"logs", "code", "tools", "gcs-credentials", "s3-credentials"});
  const auto containers = spec.find("containers");
  if (!containers) return;
  for (std::size_t i = 0; i < containers->node().items().size(); ++i) {
    const yaml::Cursor container = containers->at(i);
    Names variables = names_in(container.node(), "env");
    Names mounts = names_in(container.node(), "volumeMounts");
    for (const std::string_view mounted : mounts)
      if (!volumes.contains(mounted))
        container.error(fmt::format("volume \"{}\" is mounted, and is not among the spec's volumes", mounted));
    for (const Preset* preset : fitting) {
      check_names(spec, "variable", preset->env, variables);
      check_names(spec, "volume mount", preset->volume_mounts, mounts);
    }
  }
}

}  // namespace bowsprit::prow
