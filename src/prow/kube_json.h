// SPDX-License-Identifier: Apache-2.0
/// JSON as Go's and Kubernetes' own writers have it, so that what bowsprit makes equals what Prow makes, byte for byte.
///
/// A Pod that passed through Kubernetes' types has lost every member that is empty by their `omitempty`, has `resources`
/// in each container, and quantities in their canonical form: "1024Mi" is "1Gi", 0.5 is "500m"
/// (k8s.io/apimachinery/pkg/api/resource, k8s.io/api/core/v1). Pure.
/// Does not: check a Pod, or add the defaults that an API server adds. Threads: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace bowsprit::prow {

/// The form in which Kubernetes writes a quantity; nullopt where it is none, or has more than nine decimal places.
std::optional<std::string> canonical_quantity(std::string_view text);

/// A Kubernetes value (a Pod spec, resource requirements, an affinity) as Kubernetes' types write it.
void normalize_kubernetes(Json& value);

/// Compact text as Go's encoding/json writes it: < > & and the two Unicode line separators are escaped.
std::string go_json(const Json& value);

}  // namespace bowsprit::prow
