// SPDX-License-Identifier: Apache-2.0
/// The declarations of the fields of settings.h. Inside prow/ only.
#pragma once

#include "prow/settings.h"
#include "yaml/fields.h"

namespace bowsprit::prow {

const yaml::Fields<Preset>& fields_of(const Preset*);
const yaml::Fields<Plank>& fields_of(const Plank*);
const yaml::Fields<Sinker>& fields_of(const Sinker*);
const yaml::Fields<GerritSettings>& fields_of(const GerritSettings*);
const yaml::Fields<InRepoConfig>& fields_of(const InRepoConfig*);

/// Checks that concern several fields of a section.
void finish(const yaml::Cursor& cursor, const Plank& plank);
void finish(const yaml::Cursor& cursor, const GerritSettings& gerrit);

}  // namespace bowsprit::prow
