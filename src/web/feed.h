// SPDX-License-Identifier: Apache-2.0
/// The ends of a job's runs as an Atom feed (RFC 4287). Pure. Threads: any.
#pragma once

#include "web/view.h"

namespace bowsprit::web {

/// The newest 50 runs that ended. An entry's id comes from its ProwJob's UUID and so stays the same wherever the pages
/// move to. Text that XML 1.0 can't hold is replaced.
/// @param public_url  without a final slash; empty: links are relative to the feed's own address
std::string job_feed(const JobView& view, const std::string& public_url);

}  // namespace bowsprit::web
