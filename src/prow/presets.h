// SPDX-License-Identifier: Apache-2.0
/// Presets (Prow: mergePreset in pkg/config/jobs.go): what all jobs with certain labels share.
/// Pure. Threads: any.
#pragma once

#include "prow/settings.h"
#include "yaml/fields.h"

namespace bowsprit::prow {

/// Adds to the Pod spec what each fitting preset has; of equal names the spec's own stays.
void apply_presets(Json& spec, const std::map<std::string, std::string>& labels, const std::vector<Preset>& presets);

/// Reports names that the spec and a fitting preset, or two fitting presets, both define, and mounts of volumes that neither has.
void check_with_presets(const yaml::Cursor& spec, const std::map<std::string, std::string>& labels,
                        const std::vector<Preset>& presets);

}  // namespace bowsprit::prow
