// SPDX-License-Identifier: Apache-2.0
/// How files that a job made are served. They come from code under test, so none may act as a page of this site: types
/// that a browser runs (HTML, SVG, XML) go out as plain text, what is not known likewise. Pure. Threads: any.
#pragma once

#include <string_view>

#include "net/http_message.h"

namespace bowsprit::web {

/// The type for a file of that name, by its extension.
std::string_view artifact_type(std::string_view name);

/// Adds type, sandbox and, for archives, "save it" to an answer that carries such a file.
net::Response untrusted(net::Response response, std::string_view name);

}  // namespace bowsprit::web
