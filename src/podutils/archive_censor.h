// SPDX-License-Identifier: Apache-2.0
/// Secrets out of packed files: tar and zip, plain or packed by gzip, zstd, xz or bzip2, and single files so packed.
///
/// The bytes stay as they are where no secret is within; else the archive is written anew in its own format, with the
/// same entries. Archives in archives are opened too. Formats that libarchive reads but can't write (7z, rar, ...) are
/// searched, and refused where a secret is in them.
/// Does not: keep the order or padding of the bytes of an archive that it rewrites. Threads: any.
#pragma once

#include "podutils/censor.h"

namespace bowsprit::podutils {

/// By its first bytes.
bool looks_packed(std::string_view first_bytes);

/// Takes secrets out of `file` in place, packed or plain; whether there was one.
/// @error bad_data  it can't be read as a whole or written anew; then it must not be uploaded
Result<bool> censor_file(const Censor& censor, const fs::path& file);

}  // namespace bowsprit::podutils
