// SPDX-License-Identifier: Apache-2.0
#include "prow/pod.h"

#include <algorithm>

#include "base/strings.h"
#include "prow/job_fields.h"
#include "prow/kube_json.h"
#include "prow/labels.h"

namespace bowsprit::prow {

namespace {

constexpr std::string_view kCloneLog = "/logs/clone.json";
constexpr std::string_view kOutputPath = "/output";

Json mount(std::string_view name, std::string_view path, bool read_only = false) {
  Json out{{"mountPath", path}, {"name", name}};
  if (read_only) out["readOnly"] = true;
  return out;
}
Json empty_dir(std::string_view name) { return {{"name", name}, {"emptyDir", Json::object()}}; }
Json secret_volume(std::string_view name, std::string_view secret) {
  return {{"name", name}, {"secret", {{"secretName", secret}}}};
}
/// Readable by the owner only; 0400 as JSON has it.
Json key_volume(std::string_view name, std::string_view secret) {
  return {{"name", name}, {"secret", {{"defaultMode", 256}, {"secretName", secret}}}};
}
Json one_key_volume(const SecretKey& secret) {
  return {
      {"name", secret.name},
      {"secret",
       {{"items", Json::array({{{"key", secret.key}, {"path", "./" + secret.key}}})}, {"secretName", secret.name}}}};
}
Json variable(std::string_view name, std::string value) { return {{"name", name}, {"value", std::move(value)}}; }

const Json kLogs = mount("logs", "/logs");
const Json kTools = mount("tools", "/tools");
const Json kCode = mount("code", kCodeRoot);

/// Go's time.Duration as a number: nanoseconds.
std::int64_t nanoseconds_of(const std::optional<milliseconds>& value) {
  return value.value_or(milliseconds(0)).count() * 1'000'000;
}

/// With the members of all objects in the order of their names, as Kubernetes' tools print YAML.
Json sorted(const Json& value) {
  if (value.is_array()) {
    Json out = Json::array();
    for (const Json& item : value) out.push_back(sorted(item));
    return out;
  }
  if (!value.is_object()) return value;
  std::map<std::string, Json> members;
  for (const auto& [key, item] : value.items()) members.emplace(key, sorted(item));
  Json out = Json::object();
  for (auto& [key, item] : members) out[key] = std::move(item);
  return out;
}

void set(Json& json, std::string_view key, const std::string& value) {
  if (!value.empty()) json[std::string(key)] = value;
}

/// The wrapping of one job; each step adds to the Pod spec.
class Decorator {
 public:
  Decorator(const PodOptions& options, JobRun run, Json& spec)
      : options_(options), run_(std::move(run)), config_(run_.decoration_config), spec_(spec) {
    if (run_.has_refs()) refs_.push_back(run_.refs);
    refs_.insert(refs_.end(), run_.extra_refs.begin(), run_.extra_refs.end());
    if (config_.skip_cloning.value_or(false)) refs_.clear();
  }

  void run() {
    add_storage();
    add_init_containers();
    wrap_containers();
    add_volumes();
    set_workdir();
    set_memory();
    set_security();
    spec_["containers"].push_back(sidecar());
    if (!spec_.contains("terminationGracePeriodSeconds") && config_.grace_period)
      // 80 % for the job's own end, 20 % for the upload.
      spec_["terminationGracePeriodSeconds"] = std::chrono::floor<seconds>(*config_.grace_period).count() * 5 / 4;
    if (!spec_.contains("serviceAccountName") && config_.default_service_account_name)
      spec_["serviceAccountName"] = *config_.default_service_account_name;
  }

 private:
  [[nodiscard]] bool local() const { return !options_.output_dir.empty(); }

  /// A container of the utilities' kind; `resources` is there even where it is empty, as Kubernetes writes it.
  static Json container(std::string_view name, const std::string& image, const Json& resources) {
    return {{"image", image}, {"name", name}, {"resources", resources.is_null() ? Json::object() : resources}};
  }
  [[nodiscard]] Json resources(Json UtilityResources::* member) const {
    return config_.resources ? (*config_.resources).*member : Json(nullptr);
  }

  void add_storage() {
    GcsConfiguration place = config_.gcs_configuration.value_or(GcsConfiguration{});
    if (local()) place.local_output_dir = kOutputPath;
    upload_ = yaml::to_json(place);
    if (!local()) {
      add_credentials("gcs-credentials", "/secrets/gcs", config_.gcs_credentials_secret, "gcs_credentials_file");
      add_credentials("s3-credentials", "/secrets/s3-storage", config_.s3_credentials_secret, "s3_credentials_file");
    }
    upload_["dry_run"] = false;
  }

  void add_credentials(std::string_view volume, std::string_view path, const std::optional<std::string>& secret,
                       const char* option) {
    if (!secret || secret->empty()) return;
    storage_volumes_.push_back(secret_volume(volume, *secret));
    storage_mounts_.push_back(mount(volume, path));
    upload_[option] = fmt::format("{}/service-account.json", path);
  }

  void add_init_containers() {
    Json all = Json::array();
    if (!refs_.empty()) all.push_back(clonerefs());
    for (const Json& own : json_get(spec_, "initContainers")) all.push_back(own);
    all.push_back(initupload());
    Json place = container("place-entrypoint", config_.utility_images->entrypoint,
                           resources(&UtilityResources::place_entrypoint));
    place["args"] = Json::array({"--copy-mode-only"});
    place["volumeMounts"] = Json::array({kTools});
    all.push_back(std::move(place));
    spec_["initContainers"] = std::move(all);
  }

  Json clonerefs() {
    Json options{{"src_root", kCodeRoot},
                 {"log", kCloneLog},
                 {"git_user_name", "ci-robot"},
                 {"git_user_email", "ci-robot@k8s.io"}};
    for (const Refs& refs : refs_) options["refs"].push_back(to_json(refs));
    Json mounts = Json::array({kLogs, kCode});
    for (const std::string& secret : config_.ssh_key_secrets) {
      const std::string name = "ssh-keys-" + secret;
      const std::string path = "/secrets/ssh/" + secret;
      clone_volumes_.push_back(key_volume(name, secret));
      mounts.push_back(mount(name, path, true));
      options["key_files"].push_back(path);
    }
    if (config_.oauth_token_secret) {
      clone_volumes_.push_back(one_key_volume(*config_.oauth_token_secret));
      mounts.push_back(mount(config_.oauth_token_secret->name, "/secrets/oauth", true));
      options["oauth_token_file"] = "/secrets/oauth/" + config_.oauth_token_secret->key;
    }
    if (!config_.ssh_host_fingerprints.empty()) options["host_fingerprints"] = config_.ssh_host_fingerprints;
    if (config_.github_app_private_key_secret) {
      clone_volumes_.push_back(one_key_volume(*config_.github_app_private_key_secret));
      mounts.push_back(mount(config_.github_app_private_key_secret->name, "/secrets/github-app", true));
    }
    clone_volumes_.push_back(empty_dir("clonerefs-tmp"));
    mounts.push_back(mount("clonerefs-tmp", "/tmp"));

    Json out = container("clonerefs", config_.utility_images->clonerefs, resources(&UtilityResources::clonerefs));
    if (const std::string cookies = config_.cookiefile_secret.value_or(""); !cookies.empty()) {
      // "secret/key", or "secret" for a key of the same name.
      const auto slash = cookies.find('/');
      const std::string path =
          "/secrets/cookiefile/" + (slash == std::string::npos ? cookies : cookies.substr(slash + 1));
      clone_volumes_.push_back(key_volume("cookiefile", cookies.substr(0, slash)));
      mounts.push_back(mount("cookiefile", "/secrets/cookiefile", true));
      options["cookie_path"] = path;
      out["args"] = Json::array({"--cookiefile=" + path});
    }
    options["github_api_endpoints"] = config_.github_api_endpoints.empty()
                                          ? std::vector<std::string>{"https://api.github.com"}
                                          : config_.github_api_endpoints;
    set(options, "github_app_id", config_.github_app_id);
    if (config_.github_app_private_key_secret)
      options["github_app_private_key_file"] = "/secrets/github-app/" + config_.github_app_private_key_secret->key;
    out["env"] = Json::array({variable("CLONEREFS_OPTIONS", go_json(options))});
    out["volumeMounts"] = std::move(mounts);
    return out;
  }

  Json initupload() {
    Json options = upload_;
    Json mounts = Json::array();
    if (!refs_.empty()) {
      options["log"] = kCloneLog;
      mounts.push_back(kLogs);
    }
    mounts.insert(mounts.end(), storage_mounts_.begin(), storage_mounts_.end());
    if (local()) mounts.push_back(mount("output", kOutputPath));
    Json out = container("initupload", config_.utility_images->initupload, resources(&UtilityResources::initupload));
    out["env"] =
        Json::array({variable("INITUPLOAD_OPTIONS", go_json(options)), variable("JOB_SPEC", go_json(job_spec(run_)))});
    if (!mounts.empty()) out["volumeMounts"] = std::move(mounts);
    return out;
  }

  void wrap_containers() {
    std::vector<std::string> secrets;
    if (config_.censor_secrets.value_or(false))
      for (const Json& volume : json_get(spec_, "volumes"))
        if (volume.contains("secret")) secrets.push_back(json_string(volume, "name"));
    const bool several = spec_["containers"].size() > 1;
    for (Json& item : spec_["containers"]) {
      const std::string name = json_string(item, "name");
      const std::string prefix = several ? name + "-" : "";
      Json wrapper = Json::object();
      Json args = Json::array();
      for (const char* list : {"command", "args"})
        for (const Json& word : json_get(item, list)) args.push_back(word);
      if (!args.empty()) wrapper["args"] = std::move(args);
      set(wrapper, "container_name", name);
      wrapper["process_log"] = several ? fmt::format("/logs/{}log.txt", prefix) : "/logs/process-log.txt";
      wrapper["marker_file"] = several ? fmt::format("/logs/{}marker.txt", prefix) : "/logs/marker-file.txt";
      wrapper["metadata_file"] = fmt::format("{}/{}metadata.json", kArtifactsPath, prefix);

      Json options{{"timeout", nanoseconds_of(config_.timeout)},
                   {"grace_period", nanoseconds_of(config_.grace_period)},
                   {"artifact_dir", kArtifactsPath}};
      options.update(wrapper);
      item["command"] = Json::array({"/tools/entrypoint"});
      item.erase("args");
      item["env"].push_back(variable("ENTRYPOINT_OPTIONS", go_json(options)));
      item["volumeMounts"].push_back(kLogs);
      item["volumeMounts"].push_back(kTools);
      for (const Json& mounted : item["volumeMounts"])
        if (std::ranges::find(secrets, json_string(mounted, "name")) != secrets.end())
          secret_mounts_.push_back(mounted);
      wrappers_.push_back(std::move(wrapper));
    }
  }

  void add_volumes() {
    Json& volumes = spec_["volumes"];
    volumes.push_back(empty_dir("logs"));
    volumes.push_back(empty_dir("tools"));
    volumes.insert(volumes.end(), storage_volumes_.begin(), storage_volumes_.end());
    if (local()) volumes.push_back({{"name", "output"}, {"hostPath", {{"path", options_.output_dir}}}});
    if (refs_.empty()) return;
    volumes.insert(volumes.end(), clone_volumes_.begin(), clone_volumes_.end());
    volumes.push_back(empty_dir("code"));
  }

  void set_workdir() {
    if (refs_.empty()) return;
    const auto marked = std::ranges::find(refs_, true, &Refs::workdir);
    const std::string path = clone_path(marked == refs_.end() ? refs_.front() : *marked);
    for (Json& item : spec_["containers"]) {
      item["workingDir"] = path;
      item["volumeMounts"].push_back(kCode);
    }
  }

  void set_memory() {
    for (Json& item : spec_["containers"]) {
      Json& own = item["resources"];
      if (config_.default_memory_request && !json_get(own, "requests").contains("memory"))
        own["requests"]["memory"] = *config_.default_memory_request;
      if (config_.set_limit_equals_memory_request.value_or(false) && json_get(own, "requests").contains("memory"))
        own["limits"]["memory"] = Json(own["requests"]["memory"]);  // a copy: a new member moves the others
    }
  }

  void set_security() {
    Json& security = spec_["securityContext"];
    if (security.is_null()) security = Json::object();
    const auto fill = [&security](const char* key, const std::optional<std::int64_t>& value) {
      if (value && !security.contains(key)) security[key] = *value;
    };
    fill("runAsUser", config_.run_as_user);
    fill("runAsGroup", config_.run_as_group);
    fill("fsGroup", config_.fs_group);
    if (!config_.scheduling_options) return;
    const SchedulingOptions& scheduling = *config_.scheduling_options;
    if (!scheduling.affinity.is_null() && !spec_.contains("affinity")) spec_["affinity"] = scheduling.affinity;
    if (!scheduling.tolerations.is_null() && !spec_.contains("tolerations"))
      spec_["tolerations"] = scheduling.tolerations;
  }

  Json sidecar() {
    Json upload{{"items", Json::array({kArtifactsPath})}};
    upload.update(upload_);
    Json censoring = Json::object();
    for (const Json& mounted : secret_mounts_) censoring["secret_directories"].push_back(mounted["mountPath"]);
    if (config_.censoring_options) censoring.update(yaml::to_json(*config_.censoring_options));
    Json options{{"gcs_options", std::move(upload)}, {"entries", wrappers_}};
    if (config_.upload_ignores_interrupts.value_or(false)) options["ignore_interrupts"] = true;
    options["censoring_options"] = std::move(censoring);

    Json out = container("sidecar", config_.utility_images->sidecar, resources(&UtilityResources::sidecar));
    out["env"] =
        Json::array({variable("JOB_SPEC", go_json(job_spec(run_))), variable("SIDECAR_OPTIONS", go_json(options))});
    Json mounts = Json::array({kLogs});
    mounts.insert(mounts.end(), storage_mounts_.begin(), storage_mounts_.end());
    mounts.insert(mounts.end(), secret_mounts_.begin(), secret_mounts_.end());
    if (local()) mounts.push_back(mount("output", kOutputPath));
    out["volumeMounts"] = std::move(mounts);
    return out;
  }

  const PodOptions& options_;
  JobRun run_;
  const DecorationConfig& config_;
  Json& spec_;
  std::vector<Refs> refs_;  ///< what is cloned
  Json upload_;             ///< gcsupload's options
  Json storage_volumes_ = Json::array();
  Json storage_mounts_ = Json::array();
  Json clone_volumes_ = Json::array();
  Json secret_mounts_ = Json::array();
  Json wrappers_ = Json::array();
};

/// The parts of Kubernetes in a decoration as Kubernetes writes them.
DecorationConfig normalized(DecorationConfig config) {
  if (config.resources)
    for (Json* part : {&config.resources->clonerefs, &config.resources->initupload, &config.resources->place_entrypoint,
                       &config.resources->sidecar}) {
      normalize_kubernetes(*part);
      if (!part->is_null()) *part = sorted(*part);
    }
  if (config.default_memory_request)
    config.default_memory_request =
        canonical_quantity(*config.default_memory_request).value_or(*config.default_memory_request);
  if (config.scheduling_options) {
    normalize_kubernetes(config.scheduling_options->affinity);
    normalize_kubernetes(config.scheduling_options->tolerations);
  }
  return config;
}

}  // namespace

std::pair<std::map<std::string, std::string>, std::map<std::string, std::string>> labels_and_annotations(
    const ProwJob& job) {
  std::map<std::string, std::string> labels{{"created-by-prow", "true"},
                                            {"prow.k8s.io/type", std::string(to_string(job.type))}};
  std::map<std::string, std::string> annotations;
  for (const auto& [key, value] : {std::pair{"prow.k8s.io/job", &job.job}, {"prow.k8s.io/context", &job.context}}) {
    annotations[key] = *value;
    std::string cut = value->substr(0, kMaxLabelValue);
    if (cut.size() < value->size()) cut.erase(cut.find_last_not_of("._-") + 1);
    labels[key] = cut;
  }
  const Refs* refs = job.refs ? &*job.refs : job.extra_refs.empty() ? nullptr : &job.extra_refs.front();
  if (refs != nullptr) {
    labels["prow.k8s.io/refs.org"] = refs->org;
    labels["prow.k8s.io/refs.repo"] = refs->repo;
    labels["prow.k8s.io/refs.base_ref"] = refs->base_ref;
    if (!refs->pulls.empty()) labels["prow.k8s.io/refs.pull"] = std::to_string(refs->pulls.front().number);
  }
  for (const auto& [key, value] : job.labels) labels[key] = value;
  labels["prow.k8s.io/id"] = job.name;
  labels["prow.k8s.io/build-id"] = job.build_id;
  for (const auto& [key, value] : job.annotations) annotations[key] = value;
  for (auto& [key, value] : labels) {
    if (is_label_value(value)) continue;
    // "https://host/kernel/linux" is no label value, "linux" is.
    std::string_view base = value;
    while (base.ends_with('/')) base.remove_suffix(1);
    base.remove_prefix(base.rfind('/') + 1);
    value = base.empty() ? "/" : std::string(base);
  }
  std::erase_if(labels, [](const auto& label) { return !is_label_value(label.second); });
  return {std::move(labels), std::move(annotations)};
}

Result<Json> pod_of(const ProwJob& job, const PodOptions& options) {
  if (!json_get(job.pod_spec, "containers").is_array() || job.pod_spec["containers"].empty())
    return fail(ErrorKind::bad_config, "make the Pod of ProwJob '{}': it has no pod_spec with containers", job.name);
  Json spec = job.pod_spec;
  normalize_kubernetes(spec);
  if (spec["containers"].size() == 1) spec["containers"][0]["name"] = "test";
  spec["restartPolicy"] = "Never";
  if (!spec.contains("automountServiceAccountToken") && !spec.contains("serviceAccountName"))
    spec["automountServiceAccountToken"] = false;

  JobRun run{.type = job.type,
             .job = job.job,
             .build_id = job.build_id,
             .prow_job_id = job.name,
             .refs = job.refs.value_or(Refs{}),
             .extra_refs = job.extra_refs,
             .decoration_config = normalized(job.decoration_config.value_or(DecorationConfig{})),
             .decorated = job.decoration_config.has_value(),
             .agent = job.agent};
  for (Json& container : spec["containers"])
    for (auto& [name, value] : job_environment(run)) container["env"].push_back(variable(name, value));
  if (job.decoration_config) {
    // Where artifacts go is the utilities' business; a Pod without images could not even be created.
    auto missing = missing_in(*job.decoration_config);
    std::erase_if(missing, [](const std::string& what) { return what.find("utility_images") == std::string::npos; });
    if (!missing.empty())
      return fail(ErrorKind::bad_config, "make the Pod of ProwJob '{}': spec.decoration_config: {}", job.name,
                  join(missing, "; "));
    Decorator(options, std::move(run), spec).run();
  }
  for (const char* list : {"initContainers", "containers"})
    if (spec.contains(list))
      for (Json& container : spec[list])
        if (!container.contains("terminationMessagePolicy"))
          container["terminationMessagePolicy"] = "FallbackToLogsOnError";
  // An empty value is a variable's absence to Kubernetes' own writer.
  for (Json& container : spec["containers"])
    for (Json& item : container["env"])
      if (item.contains("value") && json_string(item, "value", "-").empty()) item.erase("value");

  const auto [labels, annotations] = labels_and_annotations(job);
  const Json metadata{{"annotations", yaml::to_json(annotations)},
                      {"creationTimestamp", nullptr},
                      {"labels", yaml::to_json(labels)},
                      {"name", job.name}};
  return sorted(Json{{"metadata", metadata}, {"spec", std::move(spec)}, {"status", Json::object()}});
}

}  // namespace bowsprit::prow
