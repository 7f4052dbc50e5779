// SPDX-License-Identifier: Apache-2.0
// libyaml's events -> Tree. Children of open containers wait on one stack and move to the arena when their container
// closes, so each container is contiguous and nothing is moved twice.
#include <yaml.h>

#include <map>
#include <unordered_set>

#include "base/strings.h"
#include "yaml/node.h"

namespace bowsprit::yaml {

namespace {

struct Parser {
  yaml_parser_t raw{};
  Parser() { yaml_parser_initialize(&raw); }
  ~Parser() { yaml_parser_delete(&raw); }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
};

struct Event {
  yaml_event_t raw{};
  Event() = default;
  ~Event() { yaml_event_delete(&raw); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
};

std::string_view view(const yaml_char_t* text) {
  return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text));
}

}  // namespace

class TreeBuilder {
 public:
  TreeBuilder(Tree& tree, const Limits& limits) : tree_(tree), limits_(limits) {}

  /// A tree of a value that has no text; its nodes have no place.
  Node copy(const Json& value) {
    Node node;
    if (value.is_array()) {
      std::vector<Node> items;
      for (const Json& item : value) items.push_back(copy(item));
      node.kind_ = NodeKind::sequence;
      node.items_ = keep(std::span<const Node>(items));
      node.size_ = static_cast<std::uint32_t>(items.size());
    } else if (value.is_object()) {
      std::vector<Member> members;
      for (const auto& [key, item] : value.items()) members.push_back({copy(key), copy(item)});
      node.kind_ = NodeKind::mapping;
      node.members_ = keep(std::span<const Member>(members));
      node.size_ = static_cast<std::uint32_t>(members.size());
    } else {
      node.plain_ = !value.is_string();
      set_text(node, node.plain_ ? dump_json(value) : value.get_ref<const std::string&>());
    }
    return node;
  }

  void run(std::string_view text) {
    Parser parser;
    yaml_parser_set_input_string(&parser.raw, reinterpret_cast<const unsigned char*>(text.data()), text.size());
    for (bool more = true; more && !stopped_;) {
      Event event;
      if (yaml_parser_parse(&parser.raw, &event.raw) == 0) return syntax_error(parser.raw);
      more = event.raw.type != YAML_STREAM_END_EVENT;
      take(event.raw);
    }
  }

 private:
  struct Frame {
    bool mapping = false;
    std::size_t first = 0;  ///< its children are children_[first...]
    std::uint64_t weight = 1;
    std::string anchor;
    yaml_mark_t mark{};
  };
  struct Anchor {
    Node node;
    std::uint64_t weight = 0;  ///< nodes below and with it, aliases expanded
    bool open = true;
  };

  void take(const yaml_event_t& event) {
    switch (event.type) {
      case YAML_SCALAR_EVENT: return scalar(event);
      case YAML_ALIAS_EVENT: return alias(event);
      case YAML_SEQUENCE_START_EVENT: return open(event, false, view(event.data.sequence_start.anchor));
      case YAML_MAPPING_START_EVENT: return open(event, true, view(event.data.mapping_start.anchor));
      case YAML_SEQUENCE_END_EVENT: return close_sequence();
      case YAML_MAPPING_END_EVENT: return close_mapping();
      case YAML_DOCUMENT_START_EVENT: anchors_.clear(); return;
      case YAML_NO_EVENT:
      case YAML_STREAM_START_EVENT:
      case YAML_STREAM_END_EVENT:
      case YAML_DOCUMENT_END_EVENT: return;
    }
  }

  void scalar(const yaml_event_t& event) {
    const auto& data = event.data.scalar;
    Node node = make(NodeKind::scalar, event.start_mark);
    set_text(node, {reinterpret_cast<const char*>(data.value), data.length});
    node.plain_ = data.style == YAML_PLAIN_SCALAR_STYLE;
    if (const auto tag = view(data.tag); !tag.empty()) {
      if (tag == YAML_STR_TAG || tag == "!")
        node.plain_ = false;
      else if (tag == YAML_INT_TAG || tag == YAML_FLOAT_TAG || tag == YAML_BOOL_TAG || tag == YAML_NULL_TAG)
        node.plain_ = true;
      else
        problem(event.start_mark, fmt::format("expected a value without the tag \"{}\"", shorten(printable(tag), 60)));
    }
    if (data.anchor != nullptr) anchors_[std::string(view(data.anchor))] = {node, 1, false};
    add(node, 1);
  }

  void alias(const yaml_event_t& event) {
    const std::string name(view(event.data.alias.anchor));
    const auto found = anchors_.find(name);
    if (found == anchors_.end())
      return stop(event.start_mark, fmt::format("expected the name of an anchor above, got \"*{}\"", name));
    if (found->second.open) return stop(event.start_mark, fmt::format("\"*{}\" contains itself", name));
    add(found->second.node, found->second.weight);
  }

  void open(const yaml_event_t& event, bool mapping, std::string_view anchor) {
    if (frames_.size() >= limits_.depth)
      return stop(event.start_mark, fmt::format("expected at most {} levels of nesting", limits_.depth));
    frames_.push_back({mapping, children_.size(), 1, std::string(anchor), event.start_mark});
    if (!anchor.empty()) anchors_[std::string(anchor)] = {};
  }

  void close_sequence() {
    const Frame frame = pop_frame();
    const std::span<const Node> items(children_.data() + frame.first, children_.size() - frame.first);
    Node node = make(NodeKind::sequence, frame.mark);
    node.items_ = keep(items);
    node.size_ = static_cast<std::uint32_t>(items.size());
    children_.resize(frame.first);
    finish(frame, node);
  }

  void close_mapping() {
    const Frame frame = pop_frame();
    members_.clear();
    merges_.clear();
    for (std::size_t at = frame.first; at + 1 < children_.size(); at += 2)
      members_.push_back({children_[at], children_[at + 1]});
    children_.resize(frame.first);  // from here on path() is this mapping's
    std::erase_if(members_, [this](const Member& member) {
      const bool merge = member.key.is_scalar() && member.key.plain_ && member.key.text() == "<<";
      if (merge) merges_.push_back(member.value);
      if (!member.key.is_scalar())
        problem(member.key, fmt::format("expected a word as the key, got {}", member.key.describe()));
      return merge || !member.key.is_scalar();
    });
    drop_duplicates();
    for (const Node& merge : merges_) merge_from(merge);
    Node node = make(NodeKind::mapping, frame.mark);
    node.members_ = keep(std::span<const Member>(members_));
    node.size_ = static_cast<std::uint32_t>(members_.size());
    finish(frame, node);
  }

  Frame pop_frame() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    return frame;
  }

  void finish(const Frame& frame, const Node& node) {
    if (!frame.anchor.empty()) anchors_[frame.anchor] = {node, frame.weight, false};
    add(node, frame.weight);
  }

  void set_text(Node& node, std::string_view text) {
    node.text_ = keep(std::span<const char>(text.data(), text.size()));
    node.size_ = static_cast<std::uint32_t>(text.size());
  }

  template <class T>
  const T* keep(std::span<const T> values) {
    auto* copy = static_cast<T*>(tree_.arena_->allocate(std::max<std::size_t>(values.size_bytes(), 1), alignof(T)));
    std::uninitialized_copy(values.begin(), values.end(), copy);
    return copy;
  }

  /// Hands a finished node to the container around it, or to the file.
  void add(const Node& node, std::uint64_t weight) {
    if (frames_.empty()) {
      tree_.documents_.push_back(node);
      total_ += weight;
    } else {
      frames_.back().weight += weight;
      children_.push_back(node);
    }
    const std::uint64_t nodes = frames_.empty() ? total_ : frames_.back().weight;
    if (nodes > limits_.nodes && !stopped_)
      stop(node,
           fmt::format("expected at most {} values, with each alias counted as what it stands for", limits_.nodes));
  }

  /// Keeps the first of equal keys.
  void drop_duplicates() {
    const auto known = [this](std::size_t at) -> const Node* {
      for (std::size_t i = 0; i < at; ++i)
        if (members_[i].key.text() == members_[at].key.text()) return &members_[i].key;
      return nullptr;
    };
    keys_.clear();
    const bool many = members_.size() > 12;
    std::size_t kept = 0;
    for (std::size_t at = 0; at < members_.size(); ++at) {
      const bool repeated = many ? !keys_.insert(members_[at].key.text()).second : known(at) != nullptr;
      if (repeated) {
        const Node* first = known(at);
        problem(members_[at].key,
                fmt::format("duplicate key \"{}\", first at line {}", shorten(printable(members_[at].key.text()), 60),
                            first == nullptr ? 0 : first->line()));
      } else {
        members_[kept++] = members_[at];
      }
    }
    members_.resize(kept);
  }

  /// `<<: *map` or `<<: [*map, *map]`; keys of the mapping itself and of earlier merges win.
  void merge_from(const Node& source) {
    if (source.is_sequence()) {
      for (const Node& item : source.items()) {
        if (!item.is_mapping())
          problem(item, fmt::format("expected a map to merge, got {}", item.describe()));
        else
          merge_from(item);
      }
      return;
    }
    if (!source.is_mapping()) return problem(source, fmt::format("expected a map to merge, got {}", source.describe()));
    if (keys_.empty())
      for (const Member& member : members_) keys_.insert(member.key.text());
    for (const Member& member : source.members())
      if (keys_.insert(member.key.text()).second) members_.push_back(member);
  }

  static Node make(NodeKind kind, const yaml_mark_t& mark) {
    Node node;
    node.kind_ = kind;
    node.line_ = static_cast<std::uint32_t>(mark.line + 1);
    node.column_ = static_cast<std::uint32_t>(mark.column + 1);
    return node;
  }

  /// Where the builder is, by the open containers: a mapping's last child without a value is the key.
  [[nodiscard]] std::string path() const {
    std::string out;
    for (std::size_t i = 0; i < frames_.size(); ++i) {
      const std::size_t end = i + 1 < frames_.size() ? frames_[i + 1].first : children_.size();
      const std::size_t count = end - frames_[i].first;
      if (!frames_[i].mapping)
        append_path(out, count);
      else if (count % 2 == 1)
        append_path(out, children_[end - 1].text());
    }
    return out;
  }

  void problem(const yaml_mark_t& mark, std::string text) { problem(make(NodeKind::scalar, mark), std::move(text)); }
  void problem(const Node& at, std::string text) {
    constexpr std::size_t kEnough = 1000;  // a hostile file must not fill the memory with complaints
    if (tree_.problems_.size() < kEnough)
      tree_.problems_.push_back({Severity::error, {tree_.file_, at.line(), at.column()}, path(), std::move(text), {}});
  }
  template <class At>
  void stop(const At& at, std::string text) {
    problem(at, std::move(text));
    stopped_ = true;
  }

  void syntax_error(const yaml_parser_t& parser) {
    std::string text = fmt::format("not valid YAML: {}", parser.problem == nullptr ? "out of memory" : parser.problem);
    if (parser.context != nullptr) text += fmt::format(" {} (line {})", parser.context, parser.context_mark.line + 1);
    // The reader's own errors (bytes that are not UTF-8) come with an offset instead of a mark.
    if (parser.error == YAML_READER_ERROR) text += fmt::format(" at byte {}", parser.problem_offset);
    problem(parser.problem_mark, std::move(text));
  }

  Tree& tree_;
  const Limits& limits_;
  bool stopped_ = false;
  std::uint64_t total_ = 0;
  std::vector<Frame> frames_;
  std::vector<Node> children_;
  std::map<std::string, Anchor> anchors_;
  // Kept between mappings for their capacity.
  std::vector<Member> members_;
  std::vector<Node> merges_;
  std::unordered_set<std::string_view> keys_;
};

Tree Tree::parse(std::string file, std::string_view text, const Limits& limits) {
  Tree tree;
  tree.file_ = std::move(file);
  if (text.size() > limits.bytes) {
    tree.problems_.push_back({Severity::error,
                              {tree.file_, 0, 0},
                              {},
                              fmt::format("expected at most {} bytes, got {}", limits.bytes, text.size()),
                              {}});
    return tree;
  }
  tree.arena_ = std::make_unique<std::pmr::monotonic_buffer_resource>(text.size() * 2 + 256);
  TreeBuilder(tree, limits).run(text);
  return tree;
}

Tree Tree::of(std::string name, const Json& value) {
  Tree tree;
  tree.file_ = std::move(name);
  tree.arena_ = std::make_unique<std::pmr::monotonic_buffer_resource>();
  const Limits limits;
  tree.documents_.push_back(TreeBuilder(tree, limits).copy(value));
  return tree;
}

}  // namespace bowsprit::yaml
