// SPDX-License-Identifier: Apache-2.0
#include "prow/pod.h"

#include <cstdio>

#include "cli/commands.h"
#include "os/files.h"
#include "yaml/node.h"

namespace bowsprit::cli {
namespace {

Result<Json> make_pod(const Arguments& arguments) {
  const std::string& name = arguments.positionals[0];
  TRY_ASSIGN(const std::string text, read_file(name == "-" ? "/dev/stdin" : name));
  TRY_ASSIGN(const prow::ProwJob job, prow::read_prow_job(name, text));
  return prow::pod_of(job, {.output_dir = arguments.get("output-dir", "")});
}

int run(const Arguments& arguments) {
  const std::string format = arguments.get("format", "yaml");
  if (format != "yaml" && format != "json") {
    fmt::print(stderr, "bowsprit: --format: expected yaml or json, got '{}'\n", format);
    return 2;
  }
  const auto pod = make_pod(arguments);
  if (!pod) {
    report_error(pod.error());
    return 2;
  }
  const std::string text = format == "json" ? dump_json(*pod, 2) + "\n" : yaml::to_yaml(*pod);
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace

Command pod_command() {
  return {
      .name = "pod",
      .operands = "PROWJOB.yaml|-",
      .summary = "prints the Pod of a ProwJob",
      .details =
          R"(Makes of a ProwJob resource (YAML or JSON) the Pod that Prow makes of it: the job's containers wrapped by the pod
utilities as its decoration_config says, with volumes, labels and environment. Needs no cluster.

Example:
  kubectl get prowjob $ID -o yaml | bowsprit pod -
  bowsprit pod prowjob.yaml --output-dir /tmp/artifacts
)",
      .options = {{"output-dir", "DIR", "local mode: artifacts go to this folder of the node, not to a bucket", false},
                  {"format", "FORMAT", "yaml (the default) or json", false}},
      .min_operands = 1,
      .max_operands = 1,
      .run = run};
}

}  // namespace bowsprit::cli
