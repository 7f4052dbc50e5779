// SPDX-License-Identifier: Apache-2.0
/// YAML and JSON texts as a compact tree in which every node knows its line and column.
///
/// A Tree is one file: its documents, in one arena (24 bytes a node; texts copied once), so 10 MB of job files cost
/// about 25 MB. Aliases share the nodes of their anchor, merge keys (`<<`) are resolved, a duplicate key is a problem.
/// Scalars stay text and are resolved when asked, by the rules of go-yaml v2, with which Prow reads its files (`yes` is
/// true, 010 is 8). Limits: input size, depth, and the number of nodes that aliases may expand to; beyond them a
/// problem, never a crash. Does not: know field names (fields.h), keep comments, read tags other than YAML's own scalar
/// types. Threads: parse() any; a Tree is immutable afterwards.
///
///   const yaml::Tree tree = yaml::Tree::parse("jobs.yaml", text);
///   if (has_errors(tree.problems())) ...
///   for (const yaml::Node& document : tree.documents())
///     if (const yaml::Node* jobs = document.find("presubmits")) use(jobs->line(), jobs->members());
#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "yaml/problem.h"

namespace bowsprit::yaml {

enum class NodeKind : std::uint8_t { scalar, sequence, mapping };

struct Member;

class Node {
 public:
  [[nodiscard]] NodeKind kind() const { return kind_; }
  [[nodiscard]] bool is_scalar() const { return kind_ == NodeKind::scalar; }
  [[nodiscard]] bool is_sequence() const { return kind_ == NodeKind::sequence; }
  [[nodiscard]] bool is_mapping() const { return kind_ == NodeKind::mapping; }
  [[nodiscard]] int line() const { return static_cast<int>(line_); }      ///< from 1; 0: unknown
  [[nodiscard]] int column() const { return static_cast<int>(column_); }  ///< from 1, in characters

  /// A scalar's text as written, quotes and escapes resolved; empty for others.
  [[nodiscard]] std::string_view text() const {
    return is_scalar() ? std::string_view(text_, size_) : std::string_view();
  }
  /// A sequence's items; empty for others.
  [[nodiscard]] std::span<const Node> items() const;
  /// A mapping's members in the order of the file, merged ones last; empty for others.
  [[nodiscard]] std::span<const Member> members() const;
  /// The value of a mapping's key, or nullptr.
  [[nodiscard]] const Node* find(std::string_view key) const;

  // What an unquoted scalar means; nullopt (false) where it does not mean that.
  [[nodiscard]] bool is_null() const;
  [[nodiscard]] std::optional<bool> boolean() const;
  [[nodiscard]] std::optional<std::int64_t> integer() const;
  [[nodiscard]] std::optional<double> number() const;
  /// The string that Prow makes of any scalar where it wants one: its text, but `1.10` becomes "1.1" and `yes` becomes
  /// "true".
  [[nodiscard]] std::string as_string() const;

  /// For messages: a shortened `"text"`, "a list", "a map" or "nothing".
  [[nodiscard]] std::string describe() const;

 private:
  friend class TreeBuilder;
  union {
    const char* text_ = nullptr;
    const Node* items_;
    const Member* members_;
  };
  std::uint32_t size_ = 0;
  std::uint32_t line_ = 0;
  std::uint32_t column_ = 0;
  NodeKind kind_ = NodeKind::scalar;
  bool plain_ = true;
};

struct Member {
  Node key;
  Node value;
};

struct Limits {
  std::size_t bytes = 32U << 20U;
  std::size_t depth = 100;
  std::size_t nodes = 4'000'000;  ///< with every alias counted as the copy that it stands for
};

class Tree {
 public:
  /// Never fails: what is wrong is in problems(), and documents() holds the documents read before a syntax error.
  static Tree parse(std::string file, std::string_view text, const Limits& limits = {});

  /// A JSON value as one document, so that fields.h reads it; `name` stands for the file in messages.
  static Tree of(std::string name, const Json& value);

  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] std::span<const Node> documents() const { return documents_; }
  [[nodiscard]] const Problems& problems() const { return problems_; }

 private:
  friend class TreeBuilder;
  Tree() = default;
  std::string file_;
  std::unique_ptr<std::pmr::monotonic_buffer_resource> arena_;
  std::vector<Node> documents_;
  Problems problems_;
};

/// The node as a JSON value, scalars resolved.
Json to_json(const Node& node);

/// Block style, strings quoted where YAML would read them as something else; parse() of it gives the same value.
std::string to_yaml(const Json& value);

}  // namespace bowsprit::yaml
