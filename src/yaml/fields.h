// SPDX-License-Identifier: Apache-2.0
/// Typed fields of a configuration, each declared once: the declaration reads it, checks it, names its problems with
/// file, line and path, suggests the nearest name for an unknown key, and writes it back as JSON.
///
/// `Cursor` is a node with its place in the file; `read(cursor, value)` fills a value or reports why not and leaves it;
/// a struct takes part by a function `const Fields<T>& fields_of(const T*)` in its own namespace. Does not: stop at the
/// first problem, or know what a field means. Threads: a Fields table is immutable once built (a function-local
/// static); Cursors belong to one thread.
///
///   struct Plank { int max_concurrency = 0; std::optional<milliseconds> pod_pending_timeout; };
///   const Fields<Plank>& fields_of(const Plank*) {
///     static const auto fields = Fields<Plank>()
///         .field("max_concurrency", &Plank::max_concurrency, at_least(0))
///         .field("pod_pending_timeout", &Plank::pod_pending_timeout)
///         .accepted({"report_templates"}, "only for GitHub");
///     return fields;
///   }
///   Plank plank;
///   yaml::read(yaml::Cursor(node, file, problems), plank);
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "yaml/node.h"

namespace bowsprit::yaml {

/// A node and where it is. A child refers to its parent, which must outlive it; so pass Cursors down, never keep them.
class Cursor {
 public:
  /// @param path  of this node, where it is not the top of a document; must outlive the Cursor
  Cursor(const Node& node, const std::string& file, Problems& problems, std::string_view path = {})
      : node_(&node), file_(&file), problems_(&problems), key_(path) {}

  [[nodiscard]] const Node& node() const { return *node_; }
  [[nodiscard]] const std::string& file() const { return *file_; }
  [[nodiscard]] SourceMark mark() const { return {*file_, node_->line(), node_->column()}; }
  [[nodiscard]] Cursor at(const Member& member) const { return {member.value, *this, member.key.text(), 0}; }
  [[nodiscard]] Cursor at(std::size_t index) const { return {node_->items()[index], *this, {}, index}; }
  /// The member of that key, or nullopt where it is absent or null.
  [[nodiscard]] std::optional<Cursor> find(std::string_view key) const;
  [[nodiscard]] std::string path() const;

  void error(std::string text) const { report(Severity::error, {}, std::move(text)); }
  void warning(std::string_view check, std::string text) const { report(Severity::warning, check, std::move(text)); }
  /// "expected WHAT, got ..." with the node's value.
  void expected(std::string_view what) const;
  /// True for a map (a list); else false, and reported unless it is null, which stands for an empty one.
  [[nodiscard]] bool is_map() const;
  [[nodiscard]] bool is_list() const;
  [[nodiscard]] std::size_t problem_count() const { return problems_->size(); }

 private:
  Cursor(const Node& node, const Cursor& parent, std::string_view key, std::size_t index)
      : node_(&node), file_(parent.file_), problems_(parent.problems_), parent_(&parent), key_(key), index_(index) {}
  void report(Severity severity, std::string_view check, std::string text) const;

  const Node* node_;
  const std::string* file_;
  Problems* problems_;
  const Cursor* parent_ = nullptr;
  std::string_view key_;   ///< under a map; the whole path without a parent
  std::size_t index_ = 0;  ///< under a list
};

/// An amount of memory or disk.
struct Bytes {
  std::uint64_t count = 0;
  auto operator<=>(const Bytes&) const = default;
};
/// A whole number with nothing, k M G T (1000) or Ki Mi Gi Ti (1024) after it, also with a final "B"; nullopt if it is
/// not.
std::optional<Bytes> parse_bytes(std::string_view text);

// Each fills `out`, or reports a problem and leaves it. Null leaves the default.
void read(const Cursor& cursor, bool& out);
void read(const Cursor& cursor, int& out);
void read(const Cursor& cursor, std::int64_t& out);
void read(const Cursor& cursor, std::string& out);
void read(const Cursor& cursor, milliseconds& out);
void read(const Cursor& cursor, Bytes& out);
void read(const Cursor& cursor, std::filesystem::path& out);  ///< relative to the folder of the file
void read(const Cursor& cursor, Json& out);
template <class T>
void read(const Cursor& cursor, std::optional<T>& out);
template <class T>
void read(const Cursor& cursor, std::vector<T>& out);
template <class T>
void read(const Cursor& cursor, std::map<std::string, T>& out);
template <class T>
  requires requires(const T* t) { fields_of(t); }
void read(const Cursor& cursor, T& out);

inline Json to_json(bool value) { return value; }
inline Json to_json(int value) { return value; }
inline Json to_json(std::int64_t value) { return value; }
inline Json to_json(const std::string& value) { return value; }
inline Json to_json(const Json& value) { return value; }
inline Json to_json(Bytes value) { return value.count; }
inline Json to_json(const std::filesystem::path& value) { return value.string(); }
Json to_json(milliseconds value);  ///< "2h0m0s", as Go prints it
template <class T>
Json to_json(const std::optional<T>& value);
template <class T>
Json to_json(const std::vector<T>& value);
template <class T>
Json to_json(const std::map<std::string, T>& value);
template <class T>
  requires requires(const T* t) { fields_of(t); }
Json to_json(const T& value);

// Gives `value` what it leaves unset and `from` has, structs member by member: how Prow merges defaults.
template <class T>
void fill(T& value, const T& from);
template <class T>
void fill(std::optional<T>& value, const std::optional<T>& from);
template <class T>
  requires requires(const T* t) { fields_of(t); }
void fill(T& value, const T& from);

/// A check of a value that was read; reports what it finds.
template <class M>
using Check = std::function<void(const Cursor&, const M&)>;

/// Checks a whole number.
inline auto at_least(std::int64_t low) {
  return [low](const Cursor& cursor, std::int64_t value) {
    if (value < low) cursor.expected(fmt::format("{} or more", low));
  };
}
/// Checks a duration.
inline auto at_least(milliseconds low) {
  return [low](const Cursor& cursor, milliseconds value) {
    if (value < low) cursor.expected(fmt::format("{} or more", format_duration(low)));
  };
}

enum class Need { optional, required };

/// The fields of a struct T, in the order in which they are written.
template <class T>
class Fields {
  struct Entry {
    std::string_view key;
    Need need = Need::optional;
    std::function<void(const Cursor&, T&)> read;
    std::function<void(const T&, const Entry&, Json&)> write;
    std::function<void(T&, const T&)> fill;
    bool always = false;
  };

 public:
  template <class M, class Base>
  Fields&& field(std::string_view key, M Base::* member, std::type_identity_t<Check<M>> check = {},
                 Need need = Need::optional) && {
    entries_.push_back({key, need,
                        [member, check = std::move(check)](const Cursor& cursor, T& out) {
                          const std::size_t before = cursor.problem_count();
                          yaml::read(cursor, out.*member);
                          if (check && cursor.problem_count() == before) check(cursor, out.*member);
                        },
                        [member](const T& value, const Entry& entry, Json& json) {
                          static const T defaults{};
                          if (entry.always || !(value.*member == defaults.*member))
                            json[std::string(entry.key)] = yaml::to_json(value.*member);
                        },
                        [member](T& value, const T& from) { yaml::fill(value.*member, from.*member); }, false});
    return std::move(*this);
  }
  template <class M, class Base>
  Fields&& required(std::string_view key, M Base::* member, std::type_identity_t<Check<M>> check = {}) && {
    return std::move(*this).field(key, member, std::move(check), Need::required);
  }
  /// The field before is written also where it has its default.
  Fields&& always() && {
    entries_.back().always = true;
    return std::move(*this);
  }
  /// A key that is read by a function of its own, and not written.
  Fields&& custom(std::string_view key, std::function<void(const Cursor&, T&)> read) && {
    entries_.push_back({key, Need::optional, std::move(read), {}, {}, false});
    return std::move(*this);
  }
  /// Keys that are known and have no effect here: a warning says why.
  Fields&& accepted(std::initializer_list<std::string_view> keys, std::string_view why) && {
    for (const auto key : keys)
      entries_.push_back({key,
                          Need::optional,
                          [text = fmt::format("accepted, not used: {}", why)](const Cursor& cursor, T&) {
                            cursor.warning("unused-field", text);
                          },
                          {},
                          {},
                          false});
    return std::move(*this);
  }
  /// Keys that are known and would change the result if they were ignored: an error says why.
  Fields&& refused(std::initializer_list<std::string_view> keys, std::string_view why) && {
    for (const auto key : keys)
      entries_.push_back(
          {key,
           Need::optional,
           [text = fmt::format("not supported: {}", why)](const Cursor& cursor, T&) { cursor.error(text); },
           {},
           {},
           false});
    return std::move(*this);
  }

  void read(const Cursor& cursor, T& out) const {
    if (!cursor.is_map()) return;
    for (const Member& member : cursor.node().members()) {
      const Cursor child = cursor.at(member);
      const Entry* entry = find(member.key.text());
      if (entry == nullptr)
        report_unknown(child, member.key, keys());
      else
        entry->read(child, out);
    }
    for (const Entry& entry : entries_)
      if (entry.need == Need::required && !cursor.find(entry.key)) report_missing(cursor, entry.key);
  }

  void fill(T& value, const T& from) const {
    for (const Entry& entry : entries_)
      if (entry.fill) entry.fill(value, from);
  }

  [[nodiscard]] Json write(const T& value) const {
    Json json = Json::object();
    for (const Entry& entry : entries_)
      if (entry.write) entry.write(value, entry, json);
    return json;
  }

  [[nodiscard]] std::vector<std::string> keys() const {
    std::vector<std::string> out;
    for (const Entry& entry : entries_) out.emplace_back(entry.key);
    return out;
  }

 private:
  [[nodiscard]] const Entry* find(std::string_view key) const {
    for (const Entry& entry : entries_)
      if (entry.key == key) return &entry;
    return nullptr;
  }
  std::vector<Entry> entries_;
};

void report_unknown(const Cursor& cursor, const Node& key, const std::vector<std::string>& known);
void report_missing(const Cursor& cursor, std::string_view key);

template <class T>
void read(const Cursor& cursor, std::optional<T>& out) {
  if (cursor.node().is_null()) return;
  T value{};
  const std::size_t before = cursor.problem_count();
  read(cursor, value);
  if (cursor.problem_count() == before || !out) out = std::move(value);
}

template <class T>
void read(const Cursor& cursor, std::vector<T>& out) {
  if (!cursor.is_list()) return;
  out.clear();
  out.reserve(cursor.node().items().size());
  for (std::size_t i = 0; i < cursor.node().items().size(); ++i) read(cursor.at(i), out.emplace_back());
}

template <class T>
void read(const Cursor& cursor, std::map<std::string, T>& out) {
  if (!cursor.is_map()) return;
  out.clear();
  for (const Member& member : cursor.node().members()) read(cursor.at(member), out[std::string(member.key.text())]);
}

template <class T>
  requires requires(const T* t) { fields_of(t); }
void read(const Cursor& cursor, T& out) {
  fields_of(static_cast<const T*>(nullptr)).read(cursor, out);
}

template <class T>
void fill(T& value, const T& from) {
  if (value == T{}) value = from;
}

template <class T>
void fill(std::optional<T>& value, const std::optional<T>& from) {
  if (!value)
    value = from;
  else if constexpr (requires(const T* t) { fields_of(t); }) {
    if (from) fill(*value, *from);
  }
}

template <class T>
  requires requires(const T* t) { fields_of(t); }
void fill(T& value, const T& from) {
  fields_of(static_cast<const T*>(nullptr)).fill(value, from);
}

template <class T>
Json to_json(const std::optional<T>& value) {
  return value ? to_json(*value) : Json(nullptr);
}

template <class T>
Json to_json(const std::vector<T>& value) {
  Json out = Json::array();
  for (const T& item : value) out.push_back(to_json(item));
  return out;
}

template <class T>
Json to_json(const std::map<std::string, T>& value) {
  Json out = Json::object();
  for (const auto& [key, item] : value) out[key] = to_json(item);
  return out;
}

template <class T>
  requires requires(const T* t) { fields_of(t); }
Json to_json(const T& value) {
  return fields_of(static_cast<const T*>(nullptr)).write(value);
}

}  // namespace bowsprit::yaml
