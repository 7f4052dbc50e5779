// SPDX-License-Identifier: Apache-2.0
/// The root folder of an image, for tests of sandboxes that see one instead of the host.
#pragma once

#include <gtest/gtest.h>

#include "os/files.h"
#include "os/process.h"

namespace bowsprit::exec {

/// An unpacked image with a shell, this program and their libraries, and one file of its own.
inline fs::path make_image(const fs::path& folder) {
  const auto script = fmt::format(
      "set -e; mkdir -p '{0}/bin' '{0}/etc'; cp /bin/sh '{0}/bin/sh'; echo here >'{0}/etc/image-mark'; "
      "for file in $(ldd {1} /bin/sh | grep -o '/[^ ]*lib[^ ]*so[^ ]*' | sort -u); do cp -L --parents \"$file\" '{0}'; "
      "done",
      folder.string(), BOWSPRIT_BINARY);
  const auto done = run_checked({.argv = {"/bin/sh", "-c", script}}, seconds(60));
  EXPECT_TRUE(done) << done.error().text();
  return folder;
}

}  // namespace bowsprit::exec
