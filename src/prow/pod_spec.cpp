// SPDX-License-Identifier: Apache-2.0
#include "prow/pod_spec.h"

#include <algorithm>
#include <array>
#include <set>

namespace bowsprit::prow {

namespace {

using yaml::Cursor;

constexpr std::array<std::string_view, 3> kOwnMounts{"logs", "code", "tools"};
constexpr std::array<std::string_view, 5> kOwnVolumes{"logs", "code", "tools", "gcs-credentials", "s3-credentials"};
constexpr std::array<std::string_view, 4> kUtilities{"clonerefs", "initupload", "place-entrypoint", "sidecar"};
constexpr std::array<std::string_view, 3> kOwnPaths{"/logs", "/home/prow/go", "/tools"};

// Kubernetes 1.34's fields. A misspelt one would be dropped by the API server without a word.
constexpr std::array<std::string_view, 41> kSpecFields{"containers",
                                                       "volumes",
                                                       "initContainers",
                                                       "ephemeralContainers",
                                                       "restartPolicy",
                                                       "terminationGracePeriodSeconds",
                                                       "activeDeadlineSeconds",
                                                       "dnsPolicy",
                                                       "nodeSelector",
                                                       "serviceAccountName",
                                                       "serviceAccount",
                                                       "automountServiceAccountToken",
                                                       "nodeName",
                                                       "hostNetwork",
                                                       "hostPID",
                                                       "hostIPC",
                                                       "shareProcessNamespace",
                                                       "securityContext",
                                                       "imagePullSecrets",
                                                       "hostname",
                                                       "subdomain",
                                                       "affinity",
                                                       "schedulerName",
                                                       "tolerations",
                                                       "hostAliases",
                                                       "priorityClassName",
                                                       "priority",
                                                       "dnsConfig",
                                                       "readinessGates",
                                                       "runtimeClassName",
                                                       "enableServiceLinks",
                                                       "preemptionPolicy",
                                                       "overhead",
                                                       "topologySpreadConstraints",
                                                       "setHostnameAsFQDN",
                                                       "os",
                                                       "hostUsers",
                                                       "schedulingGates",
                                                       "resourceClaims",
                                                       "resources",
                                                       "hostnameOverride"};
constexpr std::array<std::string_view, 25> kContainerFields{"name",
                                                            "image",
                                                            "command",
                                                            "args",
                                                            "env",
                                                            "resources",
                                                            "volumeMounts",
                                                            "securityContext",
                                                            "workingDir",
                                                            "imagePullPolicy",
                                                            "ports",
                                                            "envFrom",
                                                            "resizePolicy",
                                                            "restartPolicy",
                                                            "restartPolicyRules",
                                                            "volumeDevices",
                                                            "livenessProbe",
                                                            "readinessProbe",
                                                            "startupProbe",
                                                            "lifecycle",
                                                            "terminationMessagePath",
                                                            "terminationMessagePolicy",
                                                            "stdin",
                                                            "stdinOnce",
                                                            "tty"};
constexpr std::array<std::string_view, 3> kVariableFields{"name", "value", "valueFrom"};
constexpr std::array<std::string_view, 7> kMountFields{"name",    "mountPath",        "readOnly",   "recursiveReadOnly",
                                                       "subPath", "mountPropagation", "subPathExpr"};

template <class Range>
bool contains(const Range& words, std::string_view text) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

template <class Range>
void check_keys(const Cursor& cursor, const Range& known) {
  for (const yaml::Member& member : cursor.node().members())
    if (!contains(known, member.key.text()))
      yaml::report_unknown(cursor.at(member), member.key, std::vector<std::string>(known.begin(), known.end()));
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

void check_container(const Cursor& container, JobType type) {
  if (!container.is_map()) return;
  check_keys(container, kContainerFields);
  std::set<std::string_view> variables;
  each(container, "env", [&](const Cursor& variable) {
    check_unique(variable, "variable", variables);
    check_keys(variable, kVariableFields);
    if (contains(reserved_variables(type), name_of(variable)))
      variable.error(fmt::format("{} is set by Prow itself", name_of(variable)));
  });
  each(container, "volumeMounts", [&](const Cursor& mount) {
    check_keys(mount, kMountFields);
    const auto name = name_of(mount);
    const auto path = name_of(mount, "mountPath");
    if (contains(kOwnMounts, name)) mount.error(fmt::format("volume \"{}\" is decoration's own", name));
    if (contains(kOwnPaths, path)) mount.error(fmt::format("{} is mounted by decoration", path));
  });
  for (const std::string_view list : {"command", "args"})
    each(container, list, [](const Cursor& word) {
      std::string ignored;
      read(word, ignored);
    });
}

}  // namespace

void check_pod_spec(const Cursor& spec, JobType type) {
  if (!spec.is_map()) return;
  check_keys(spec, kSpecFields);
  each(spec, "initContainers", [](const Cursor& container) {
    if (name_of(container, "restartPolicy") != "Always")
      container.error("expected no init container, or one with restartPolicy: Always, which runs beside the job");
  });
  std::set<std::string_view> volumes;
  each(spec, "volumes", [&](const Cursor& volume) {
    check_unique(volume, "volume", volumes);
    if (contains(kOwnVolumes, name_of(volume)))
      volume.error(fmt::format("volume \"{}\" is decoration's own", name_of(volume)));
  });
  const auto containers = spec.find("containers");
  if (!containers || (containers->is_list() && containers->node().items().empty()))
    return spec.error("expected at least one container");
  const bool several = containers->node().items().size() > 1;
  std::set<std::string_view> names;
  each(spec, "containers", [&](const Cursor& container) {
    check_container(container, type);
    if (!several) return;
    check_unique(container, "container", names);
    if (contains(kUtilities, name_of(container)))
      container.error(fmt::format("container \"{}\" is decoration's own", name_of(container)));
  });
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

void check_undecorated_spec(const Cursor& spec) {
  const auto containers = spec.find("containers");
  if (containers && containers->node().items().size() > 1) containers->error("several containers need decorate: true");
}

}  // namespace bowsprit::prow
