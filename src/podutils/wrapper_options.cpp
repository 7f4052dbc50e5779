// SPDX-License-Identifier: Apache-2.0
#include "podutils/wrapper_options.h"

namespace bowsprit::podutils {

void read_wrapper(const JsonMembers& from, WrapperOptions& to) {
  from.read("args", to.args);
  from.read("container_name", to.container_name);
  from.read("process_log", to.process_log);
  from.read("marker_file", to.marker_file);
  from.read("metadata_file", to.metadata_file);
}

namespace {

void read_entrypoint(const JsonMembers& from, EntrypointOptions& to) {
  from.read("timeout", to.timeout);
  from.read("grace_period", to.grace_period);
  from.read("artifact_dir", to.artifact_dir);
  from.read("previous_marker", to.previous_marker);
  from.read("always_zero", to.always_zero);
  from.read("propagate_error_code", to.propagate_error_code);
  from.read("copy_mode_only", to.copy_mode_only);
  from.read("copy_dst", to.copy_dst);
  read_wrapper(from, to.wrapper);
}

}  // namespace

Result<EntrypointOptions> read_entrypoint_options(std::string_view json) {
  return read_options<EntrypointOptions>(json, read_entrypoint);
}

Result<> validate(const WrapperOptions& options) {
  if (options.process_log.empty())
    return fail(ErrorKind::bad_config, "options: expected process_log, the file for the process's output");
  if (options.marker_file.empty())
    return fail(ErrorKind::bad_config, "options: expected marker_file, the file for the process's exit code");
  return {};
}

Result<> validate(const EntrypointOptions& options) {
  if (options.wrapper.args.empty()) return fail(ErrorKind::bad_config, "options: expected args, the program to run");
  if (options.propagate_error_code && options.always_zero)
    return fail(ErrorKind::bad_config, "options: propagate_error_code and always_zero exclude each other");
  return validate(options.wrapper);
}

}  // namespace bowsprit::podutils
