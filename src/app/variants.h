// SPDX-License-Identifier: Apache-2.0
/// Judges one tree as several kernels (an architecture with presets each), one after the other, as one run.
///
/// Each variant has artifacts/NAME with all that a run of its own leaves, and a kept build folder of its own. At the top are the
/// joined result.json, junit_kunit.xml and kcidb.json (a build for each variant), and the logs of all, one behind the other.
/// Options that User-Mode Linux can't have are left to a variant that QEMU boots, where the run has one.
/// Does not: run two at once, since one build takes all processors. Threads: as judge_tree.
#pragma once

#include <vector>

#include "app/judge_tree.h"

namespace bowsprit::app {

/// Where the kernel of this variant is built: BUILD itself for plain User-Mode Linux, whose folder a warm tree has.
fs::path build_folder_of(const fs::path& build, const kernel::Variant& variant);

/// The variant to which `variants[index]` leaves what its architecture can't have; empty: none. Only User-Mode Linux leaves any, to
/// the first that QEMU boots, rather to one without presets, as a sanitizer may be what keeps an option off.
std::string taker_of(const std::vector<kernel::Variant>& variants, std::size_t index);

/// `options` with its top artifacts and build folder; its variant is not looked at. `variants` is not empty.
RunResult judge_variants(const JudgeTreeOptions& options, const std::vector<kernel::Variant>& variants,
                         JudgeTreeWatch& watch);

}  // namespace bowsprit::app
