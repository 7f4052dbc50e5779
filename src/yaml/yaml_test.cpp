// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>

#include "yaml/fields.h"

namespace bowsprit::yaml {
namespace {

std::vector<std::string> lines(const Problems& problems) {
  std::vector<std::string> out;
  for (const auto& problem : problems) out.push_back(problem.line());
  return out;
}
std::vector<std::string> problems_of(std::string_view text, const Limits& limits = {}) {
  return lines(Tree::parse("f.yaml", text, limits).problems());
}
std::string json_of(std::string_view text) {
  const Tree tree = Tree::parse("f.yaml", text);
  EXPECT_THAT(lines(tree.problems()), testing::IsEmpty());
  std::string out;
  for (const Node& document : tree.documents()) out += (out.empty() ? "" : "\n") + dump_json(to_json(document));
  return out;
}

TEST(YamlTree, ReadsBlockAndFlowStyles) {
  EXPECT_EQ(json_of("a: 1\nb:\n- x\n- {c: 'd', e: [1.5, ~]}\n"), R"({"a":1,"b":["x",{"c":"d","e":[1.5,null]}]})");
}

TEST(YamlTree, ResolvesScalarsAsGoYamlDoes) {
  EXPECT_EQ(
      json_of(
          "[yes, Off, y, 'yes', 0x1F, 010, 0b11, 1_000, -7, +3, 1e3, .5, 1., ., 08, null, '', 2001-01-01, 1.2.3, -]"),
      R"([true,false,true,"yes",31,8,3,1000,-7,3,1000.0,0.5,1.0,".",8.0,null,"","2001-01-01","1.2.3","-"])");
}

TEST(YamlTree, KnowsWhereNodesAre) {
  const Tree tree = Tree::parse("f.yaml", "a:\n  - b: ünï\n    c: x\n");
  const Node& item = tree.documents()[0].find("a")->items()[0];
  EXPECT_EQ(item.find("b")->line(), 2);
  EXPECT_EQ(item.find("b")->column(), 8);
  EXPECT_EQ(item.find("c")->line(), 3);
  EXPECT_EQ(item.members()[1].key.column(), 5);
}

TEST(YamlTree, SharesAliasesAndMergesMaps) {
  EXPECT_EQ(json_of("base: &b {x: 1, y: 2}\none: {<<: *b, y: 3}\ntwo: {<<: [*b, {z: 4, x: 9}]}\nthree: *b\n"),
            R"({"base":{"x":1,"y":2},"one":{"y":3,"x":1},"two":{"x":1,"y":2,"z":4},"three":{"x":1,"y":2}})");
}

TEST(YamlTree, ReadsSeveralDocuments) { EXPECT_EQ(json_of("--- 1\n--- [a]\n...\n"), "1\n[\"a\"]"); }

TEST(YamlTree, NamesDuplicateKeysWithTheirPath) {
  EXPECT_THAT(problems_of("jobs:\n- name: a\n- name: b\n  name: c\nx: 1\nx: 2\n"),
              testing::ElementsAre("f.yaml:4:3: jobs[1]: duplicate key \"name\", first at line 3",
                                   "f.yaml:6:1: duplicate key \"x\", first at line 5"));
  EXPECT_EQ(problems_of("{a: 0, b: 0, c: 0, d: 0, e: 0, f: 0, g: 0, h: 0, i: 0, j: 0, k: 0, l: 0, m: 0, c: 1}"),
            std::vector<std::string>{"f.yaml:1:80: duplicate key \"c\", first at line 1"});
}

TEST(YamlTree, NamesSyntaxErrorsWithTheirPlace) {
  EXPECT_EQ(problems_of("a: b: c\n"),
            std::vector<std::string>{"f.yaml:1:5: not valid YAML: mapping values are not allowed in this context"});
  EXPECT_EQ(problems_of("a: *nothing"),
            std::vector<std::string>{"f.yaml:1:4: a: expected the name of an anchor above, got \"*nothing\""});
  EXPECT_EQ(problems_of("a: &x [*x]"), std::vector<std::string>{"f.yaml:1:8: a[0]: \"*x\" contains itself"});
  EXPECT_EQ(problems_of("? [a]\n: b\n"),
            std::vector<std::string>{"f.yaml:1:3: expected a word as the key, got a list"});
  EXPECT_EQ(problems_of("<<: 3\n"), std::vector<std::string>{"f.yaml:1:5: expected a map to merge, got \"3\""});
}

TEST(YamlTree, KeepsToItsLimits) {
  EXPECT_EQ(problems_of("[[[[1]]]]", {.depth = 3}),
            std::vector<std::string>{"f.yaml:1:4: [0][0][0]: expected at most 3 levels of nesting"});
  EXPECT_EQ(problems_of("12345", {.bytes = 4}), std::vector<std::string>{"f.yaml: expected at most 4 bytes, got 5"});
  std::string laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c < 'k'; ++c) {
    laughs += fmt::format("{0}: &{0} [", c);
    for (int i = 0; i < 10; ++i) laughs += fmt::format("{}*{}", i == 0 ? "" : ", ", static_cast<char>(c - 1));
    laughs += "]\n";
  }
  const auto found = problems_of(laughs);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0], testing::HasSubstr("expected at most 4000000 values"));
}

TEST(YamlTree, SurvivesRandomBytes) {
  std::mt19937 random(7);  // NOLINT: the same bytes in each run
  const std::string_view alphabet = "{}[]:,-&*a<>|'\"#\n \t!%?~0\x80\xff\xc3\xa9";
  for (int round = 0; round < 4000; ++round) {
    std::string text;
    const std::size_t length = random() % 60;
    for (std::size_t i = 0; i < length; ++i) text += alphabet[random() % alphabet.size()];
    const Tree tree = Tree::parse("f.yaml", text);
    for (const Node& document : tree.documents()) (void)dump_json(to_json(document));
  }
}

TEST(YamlText, IsReadBackAsTheSameValue) {
  for (
      const std::string_view text :
      {R"({"a":"x","b":"yes","c":"1.0","d":"","e":" lead","f":"multi\nline","g":"a: b","h":"it's #1","i":"ü","j":"-","k":"null"})",
       R"({"list":[1,[2,[]],{"x":{}},{"y":[{"z":true}],"w":null}],"t: u":1.5,"s":"{\"json\":[1]}"})", R"([])",
       R"("on")"}) {
    EXPECT_EQ(json_of(to_yaml(*parse_json(text))), text) << to_yaml(*parse_json(text));
  }
  EXPECT_EQ(to_yaml(*parse_json(R"({"a":[{"b":1,"c":"x"}],"d":{"e":"true"}})")),
            "a:\n- b: 1\n  c: x\nd:\n  e: \"true\"\n");
}

TEST(Bytes, HaveUnits) {
  const auto count = [](std::string_view text) { return parse_bytes(text).value_or(Bytes{404}).count; };
  EXPECT_EQ(count("0"), 0U);
  EXPECT_EQ(count("512"), 512U);
  EXPECT_EQ(count("2k"), 2000U);
  EXPECT_EQ(count("2KB"), 2000U);
  EXPECT_EQ(count("2Ki"), 2048U);
  EXPECT_EQ(count("4GiB"), 4ULL << 30U);
  for (const char* wrong : {"", "Gi", "-1", "1.5G", "1X", "1i", "1kk", "99999999999T"})
    EXPECT_FALSE(parse_bytes(wrong)) << wrong;
}

struct Inner {
  milliseconds wait{0};
  bool operator==(const Inner&) const = default;
};
struct Outer {
  std::string name;
  int count = 1;
  bool on = false;
  std::vector<std::string> words;
  std::map<std::string, std::string> labels;
  std::optional<Inner> inner;
};
const Fields<Inner>& fields_of(const Inner*) {
  static const auto fields = Fields<Inner>().field("wait", &Inner::wait, at_least(milliseconds(1)));
  return fields;
}
const Fields<Outer>& fields_of(const Outer*) {
  static const auto fields = Fields<Outer>()
                                 .required("name", &Outer::name)
                                 .field("count", &Outer::count, at_least(0))
                                 .field("on", &Outer::on)
                                 .field("words", &Outer::words)
                                 .field("labels", &Outer::labels)
                                 .field("inner", &Outer::inner)
                                 .accepted({"colour"}, "there is no screen")
                                 .refused({"size"}, "all have one size");
  return fields;
}
std::pair<Outer, std::vector<std::string>> read_outer(std::string_view text) {
  const Tree tree = Tree::parse("f.yaml", text);
  Problems problems = tree.problems();
  Outer out;
  read(Cursor(tree.documents()[0], tree.file(), problems), out);
  return {out, lines(problems)};
}

TEST(Fields, ReadAndWriteTheSameValue) {
  const auto [value, problems] =
      read_outer("name: nn\ncount: 0\non: yes\nwords: [a, b]\nlabels: {x: 'y'}\ninner: {wait: 1h30m}\n");
  EXPECT_THAT(problems, testing::IsEmpty());
  EXPECT_EQ(dump_json(to_json(value)),
            R"({"name":"nn","count":0,"on":true,"words":["a","b"],"labels":{"x":"y"},"inner":{"wait":"1h30m0s"}})");
}

TEST(Fields, ReportEveryProblemAtOnce) {
  const auto [value, problems] = read_outer(
      "coutn: 1\ncount: -1\non: maybe\nwords: a\nlabels: {x: [1], y: 1.10}\ninner: {wait: soon}\ncolour: red\nsize: "
      "1\n");
  EXPECT_THAT(
      problems,
      testing::ElementsAre(
          "f.yaml:1:8: coutn: unknown field; did you mean \"count\"?",
          "f.yaml:2:8: count: expected 0 or more, got \"-1\"", "f.yaml:3:5: on: expected true or false, got \"maybe\"",
          "f.yaml:4:8: words: expected a list, got \"a\"", "f.yaml:5:13: labels.x: expected a string, got a list",
          "f.yaml:5:21: warning: labels.y: YAML reads \"1.10\" as \"1.1\"; put it in quotes if that is not meant "
          "[unquoted-value]",
          "f.yaml:6:15: inner.wait: expected a duration such as 90s or 1h30m, got \"soon\"",
          "f.yaml:7:9: warning: colour: accepted, not used: there is no screen [unused-field]",
          "f.yaml:8:7: size: not supported: all have one size", "f.yaml:1:1: expected the field \"name\""));
  EXPECT_EQ(value.labels.at("y"), "1.1");
}

}  // namespace
}  // namespace bowsprit::yaml
