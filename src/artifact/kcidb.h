// SPDX-License-Identifier: Apache-2.0
/// kcidb.json: the result as a KCIDB 5.3 report (kcidb-io, schema v05_03): one checkout, one build (of each variant), one test per leaf.
///
/// Does not: submit it. Ids are made of the origin and the run, so writing the same run again gives the same ids.
/// Threads: any.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "verdict/run_result.h"
#include "verdict/variants.h"

namespace bowsprit::artifact {

struct KcidbInfo {
  std::string origin = "bowsprit";  ///< lower-case letters, digits, underscore
  std::string run_id = "local";
  std::string repository_url;
  std::string branch;
  std::string commit;  ///< 40 hex digits, else left out
  std::string architecture = "um";
  std::string compiler;
  std::string config_name = "kunit";
  std::string log_url;
  std::optional<SystemTime> start;
};

std::string kcidb_json(const RunResult& result, const KcidbInfo& info = {});
/// A run of several kernels: one checkout with a build for each, whose architecture and configuration follow from its name.
std::string kcidb_json(const std::vector<VariantRun>& runs, const KcidbInfo& info = {});

}  // namespace bowsprit::artifact
