// SPDX-License-Identifier: Apache-2.0
/// ProwJob -> Pod, as Prow makes it (pkg/pod-utils/decorate/podspec.go): the job's containers wrapped by `entrypoint`, before them the
/// init containers clonerefs, initupload and place-entrypoint, beside them the sidecar; volumes, labels and environment.
/// Pure: the same ProwJob always gives the same Pod. Does not: create it, or add what a cluster's admission would.
/// Threads: any.
#pragma once

#include "base/result.h"
#include "prow/prow_job.h"

namespace bowsprit::prow {

struct PodOptions {
  std::string output_dir;  ///< local mode: artifacts go to this folder of the node instead of a bucket
};

/// metadata and spec of the Pod.
/// @error bad_config  no pod spec, or a decoration that lacks what decoration needs
Result<Json> pod_of(const ProwJob& job, const PodOptions& options = {});

/// Labels and annotations that Prow gives to what belongs to a job. Values that are no label values are cut to their last path
/// part, or left out.
std::pair<std::map<std::string, std::string>, std::map<std::string, std::string>> labels_and_annotations(
    const ProwJob& job);

}  // namespace bowsprit::prow
