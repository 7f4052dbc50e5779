// SPDX-License-Identifier: Apache-2.0
/// A value that must not reach logs, arguments, environments of jobs or artifacts.
/// It has no formatter and no stream operator; `reveal()` is the one, greppable way out.
#pragma once

#include <string>
#include <utility>

namespace bowsprit {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  [[nodiscard]] const std::string& reveal() const { return value_; }
  [[nodiscard]] bool empty() const { return value_.empty(); }

 private:
  std::string value_;
};

}  // namespace bowsprit
