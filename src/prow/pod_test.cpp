// SPDX-License-Identifier: Apache-2.0
#include "prow/pod.h"

#include "base/strings.h"
#include "os/files.h"
#include "prow/kube_json.h"
#include "prow/shared_data.h"
#include "yaml/node.h"

namespace bowsprit::prow {
namespace {

std::filesystem::path shared_pods() { return shared_data("prow-pods"); }

Json yaml_value(std::string_view text) {
  const auto tree = yaml::Tree::parse("t.yaml", text);
  EXPECT_FALSE(yaml::has_errors(tree.problems())) << yaml::to_error(tree.problems()).message;
  return tree.documents().empty() ? Json() : yaml::to_json(tree.documents()[0]);
}

/// As the data's README compares: JSON inside environment values by value, without what is not compared. Members sorted.
nlohmann::json comparable(const Json& pod) {
  nlohmann::json out = nlohmann::json::parse(dump_json(pod));
  out.erase("status");
  out["metadata"].erase("creationTimestamp");
  out["metadata"]["labels"].erase("created-by-prow");
  for (const char* list : {"initContainers", "containers"})
    for (auto& container : out["spec"][list])
      for (auto& variable : container["env"])
        if (variable.contains("value") && variable["value"].get<std::string>().starts_with("{"))
          variable["value"] = nlohmann::json::parse(variable["value"].get<std::string>());
  return out;
}

Json pod(std::string_view prow_job, const PodOptions& options = {}) {
  const auto job = read_prow_job("pj.yaml", prow_job);
  EXPECT_TRUE(job) << job.error().text();
  if (!job) return {};
  auto made = pod_of(*job, options);
  EXPECT_TRUE(made) << made.error().text();
  return made ? *made : Json();
}

TEST(Pod, IsTheOneThatProwMakes) {
  if (!std::filesystem::exists(shared_pods()))
    GTEST_SKIP() << "the real ProwJobs are not part of the project; they are not in " << shared_pods();
  int compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(shared_pods())) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".prowjob.yaml")) continue;
    SCOPED_TRACE(name);
    const auto expected_file = entry.path().parent_path() / replace_all(name, ".prowjob.", ".pod.");
    const Json expected = yaml_value(*read_file(expected_file));
    const Json made = pod(*read_file(entry.path()));
    const auto difference = nlohmann::json::diff(comparable(expected), comparable(made));
    EXPECT_TRUE(difference.empty()) << difference.dump(2);
    EXPECT_EQ(comparable(yaml_value(yaml::to_yaml(made))), comparable(made));
    ++compared;
  }
  EXPECT_EQ(compared, 4);
}

constexpr std::string_view kJob = R"(
kind: ProwJob
metadata: {name: uuid, labels: {prow.k8s.io/gerrit-revision: abc}}
spec:
  type: presubmit
  agent: kubernetes
  job: kunit
  context: kunit
  refs:
    org: https://gerrit.example
    repo: kernel/linux
    base_ref: main
    base_sha: b45e
    pulls: [{number: 42, author: dev, sha: c0de, ref: refs/changes/42/42/1}]
  pod_spec:
    containers: [{image: i, command: [/kunit.sh]}]
)";
std::string decorated(std::string_view more) {
  return std::string(kJob) +
         "  decoration_config:\n    utility_images: {clonerefs: c, initupload: i, entrypoint: e, sidecar: s}\n"
         "    gcs_configuration: {bucket: b, path_strategy: explicit}\n" +
         std::string(more);
}
const Json& part(const Json& value, std::string_view list, std::string_view name) {
  static const Json none;
  for (const Json& item : json_get(value, list))
    if (json_string(item, "name") == name) return item;
  return none;
}
Json options_of(const Json& made, std::string_view list, std::string_view container, std::string_view variable) {
  const Json& spec = json_get(made, "spec");
  return *parse_json(json_string(part(part(spec, list, container), "env", variable), "value"));
}

TEST(Pod, OfAnUndecoratedJobIsItsSpecWithTheEnvironment) {
  const Json made = pod(kJob);
  const Json& spec = json_get(made, "spec");
  EXPECT_FALSE(spec.contains("initContainers"));
  EXPECT_FALSE(spec.contains("volumes"));
  EXPECT_EQ(json_string(part(part(spec, "containers", "test"), "env", "PULL_REFS"), "value"),
            "main:b45e,42:c0de:refs/changes/42/42/1");
  EXPECT_TRUE(part(part(spec, "containers", "test"), "env", "ARTIFACTS").is_null());
  EXPECT_EQ(json_string(json_get(json_get(made, "metadata"), "labels"), "prow.k8s.io/refs.repo"), "linux");
  EXPECT_EQ(json_string(json_get(json_get(made, "metadata"), "labels"), "prow.k8s.io/refs.org"), "gerrit.example");
}

TEST(Pod, HasTheSecretsOfCloning) {
  const Json made = pod(decorated(R"(    oauth_token_secret: {name: oauth, key: token}
    github_app_id: "7"
    github_app_private_key_secret: {name: app, key: pem}
    ssh_host_fingerprints: [host-key]
    resources: {clonerefs: {requests: {cpu: 100m}}}
)"));
  const Json options = options_of(made, "initContainers", "clonerefs", "CLONEREFS_OPTIONS");
  EXPECT_EQ(json_string(options, "oauth_token_file"), "/secrets/oauth/token");
  EXPECT_EQ(json_string(options, "github_app_private_key_file"), "/secrets/github-app/pem");
  EXPECT_EQ(json_string(options, "github_app_id"), "7");
  EXPECT_EQ(json_get(options, "host_fingerprints").dump(), R"(["host-key"])");
  const Json& spec = json_get(made, "spec");
  EXPECT_EQ(part(spec, "volumes", "oauth").dump(),
            R"({"name":"oauth","secret":{"items":[{"key":"token","path":"./token"}],"secretName":"oauth"}})");
  EXPECT_EQ(json_get(part(spec, "initContainers", "clonerefs"), "resources").dump(), R"({"requests":{"cpu":"100m"}})");
}

TEST(Pod, ClonesNothingWhereTheJobSaysSo) {
  const Json made = pod(decorated("    skip_cloning: true\n"));
  const Json& spec = json_get(made, "spec");
  EXPECT_TRUE(part(spec, "initContainers", "clonerefs").is_null());
  EXPECT_TRUE(part(spec, "volumes", "code").is_null());
  EXPECT_FALSE(part(spec, "containers", "test").contains("workingDir"));
  EXPECT_FALSE(options_of(made, "initContainers", "initupload", "INITUPLOAD_OPTIONS").contains("log"));
}

TEST(Pod, StartsInTheMarkedRepository) {
  const Json made = pod(
      decorated("  extra_refs:\n  - {org: o, repo: tools, workdir: true, clone_depth: 1, skip_submodules: true}\n"));
  EXPECT_EQ(json_string(part(json_get(made, "spec"), "containers", "test"), "workingDir"),
            "/home/prow/go/src/github.com/o/tools");
  EXPECT_EQ(json_get(options_of(made, "initContainers", "clonerefs", "CLONEREFS_OPTIONS"), "refs")[1].dump(),
            R"({"org":"o","repo":"tools","workdir":true,"skip_submodules":true,"clone_depth":1})");
}

TEST(Pod, SetsMemorySchedulingAndUsers) {
  const Json made = pod(decorated(R"(    default_memory_request: 4Gi
    set_limit_equals_memory_request: true
    scheduling_options: {affinity: {nodeAffinity: {}}, tolerations: [{key: k}]}
    fs_group: 0
    upload_ignores_interrupts: true
)"));
  const Json& spec = json_get(made, "spec");
  EXPECT_EQ(json_get(part(spec, "containers", "test"), "resources").dump(),
            R"({"limits":{"memory":"4Gi"},"requests":{"memory":"4Gi"}})");
  EXPECT_EQ(json_get(spec, "tolerations").dump(), R"([{"key":"k"}])");
  EXPECT_EQ(json_get(spec, "securityContext").dump(), R"({"fsGroup":0})");
  EXPECT_TRUE(json_bool(options_of(made, "containers", "sidecar", "SIDECAR_OPTIONS"), "ignore_interrupts"));
  EXPECT_FALSE(spec.contains("terminationGracePeriodSeconds"));
}

TEST(Pod, CensorsTheSecretsThatTheJobMounts) {
  std::string text = decorated("    censor_secrets: true\n    censoring_options: {minimum_secret_length: 6}\n");
  text =
      replace_all(text, "command: [/kunit.sh]", "command: [/kunit.sh], volumeMounts: [{name: key, mountPath: /key}]");
  text = replace_all(text, "  pod_spec:\n", "  pod_spec:\n    volumes: [{name: key, secret: {secretName: k}}]\n");
  const Json made = pod(text);
  const Json options = options_of(made, "containers", "sidecar", "SIDECAR_OPTIONS");
  EXPECT_EQ(json_get(options, "censoring_options").dump(),
            R"({"secret_directories":["/key"],"minimum_secret_length":6})");
  EXPECT_EQ(part(part(json_get(made, "spec"), "containers", "sidecar"), "volumeMounts", "key").dump(),
            R"({"mountPath":"/key","name":"key"})");
}

TEST(Pod, WritesToAFolderOfTheNodeInLocalMode) {
  const Json made = pod(decorated("    gcs_credentials_secret: s\n"), {.output_dir = "/out"});
  const Json options = options_of(made, "initContainers", "initupload", "INITUPLOAD_OPTIONS");
  EXPECT_EQ(json_string(options, "local_output_dir"), "/output");
  EXPECT_FALSE(options.contains("gcs_credentials_file"));
  EXPECT_EQ(part(json_get(made, "spec"), "volumes", "output").dump(),
            R"({"hostPath":{"path":"/out"},"name":"output"})");
}

TEST(Pod, NamesWhatIsMissing) {
  const auto without =
      read_prow_job("pj.yaml", std::string(kJob) + "  decoration_config: {utility_images: {clonerefs: c}}\n");
  ASSERT_TRUE(without);
  const auto made = pod_of(*without);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, testing::HasSubstr("utility_images.initupload"));
  const auto wrong = read_prow_job("pj.yaml", "spec: {type: presubmits, decoration_config: {timeout: x}}");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message,
            "pj.yaml:1:14: spec.type: expected presubmit, postsubmit, periodic or batch, got \"presubmits\"\n"
            "pj.yaml:1:55: spec.decoration_config.timeout: expected a duration such as 90s or 1h30m, got \"x\"\n"
            "pj.yaml:1:7: spec: expected the field \"refs\" for a presubmit");
}

TEST(KubeJson, WritesAQuantityAsKubernetesDoes) {
  struct Case {
    std::string_view given, expected;
  };
  for (const auto& [given, expected] : {Case{"1024Mi", "1Gi"},
                                        {"1.5Gi", "1536Mi"},
                                        {"1000m", "1"},
                                        {"0.1", "100m"},
                                        {"1000", "1k"},
                                        {"100", "100"},
                                        {"512Ki", "512Ki"},
                                        {"0", "0"},
                                        {"0Gi", "0"},
                                        {"1023", "1023"},
                                        {"2e3", "2e3"},
                                        {"1500k", "1500k"},
                                        {"0.5Ki", "512"},
                                        {"-1024Mi", "-1Gi"},
                                        {".5", "500m"},
                                        {"1E", "1E"},
                                        {"1u", "1u"},
                                        {"1.0Gi", "1Gi"},
                                        {"7Ei", "7Ei"}})
    EXPECT_EQ(canonical_quantity(given).value_or("none"), expected) << given;
  for (const std::string_view none : {"", "x", "1ki", "1 Gi", "Gi", "1Gb", "8E8Ei"})
    EXPECT_EQ(canonical_quantity(none), std::nullopt) << none;
}

TEST(KubeJson, LeavesOutWhatKubernetesTypesLeaveOut) {
  Json spec = yaml_value(R"(
containers:
- name: a
  args: []
  stdin: false
  ports: [{containerPort: 80, hostPort: 0}]
  env: [{name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}]
  resources: {requests: {cpu: 0.5, memory: 2048Mi}, limits: {}}
  livenessProbe: {timeoutSeconds: 0, exec: {command: [""]}}
initContainers: [{name: b}]
nodeSelector: {zone: ""}
securityContext: {runAsUser: 0, runAsNonRoot: false}
volumes: [{name: v, emptyDir: {sizeLimit: 1000Mi}}]
)");
  normalize_kubernetes(spec);
  EXPECT_EQ(dump_json(spec), dump_json(yaml_value(R"(
containers:
- name: a
  ports: [{containerPort: 80}]
  env: [{name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: "0"}}}]
  resources: {requests: {cpu: 500m, memory: 2Gi}}
  livenessProbe: {exec: {command: [""]}}
initContainers: [{name: b, resources: {}}]
nodeSelector: {zone: ""}
securityContext: {runAsUser: 0, runAsNonRoot: false}
volumes: [{name: v, emptyDir: {sizeLimit: 1000Mi}}]
)")));
}

TEST(KubeJson, EscapesAsGo) { EXPECT_EQ(go_json("a<b>&\xe2\x80\xa8\xe2\x82\xac"), R"("a\u003cb\u003e\u0026\u2028€")"); }

TEST(Pod, TextIsTheOneThatProwsToolsPrint) {
  if (!std::filesystem::exists(shared_pods()))
    GTEST_SKIP() << "the real ProwJobs are not part of the project; they are not in " << shared_pods();
  int compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(shared_pods())) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".prowjob.yaml")) continue;
    ++compared;
    const auto expected_file = entry.path().parent_path() / replace_all(name, ".prowjob.", ".pod.");
    EXPECT_EQ(yaml::to_yaml(pod(*read_file(entry.path()))), *read_file(expected_file)) << name;
  }
  EXPECT_EQ(compared, 4);
}

}  // namespace
}  // namespace bowsprit::prow
