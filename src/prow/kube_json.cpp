// SPDX-License-Identifier: Apache-2.0
#include "prow/kube_json.h"

#include <algorithm>
#include <array>

#include "base/strings.h"

namespace bowsprit::prow {

namespace {

__extension__ using Nano = __int128;  // thousand-millionths, the finest that Kubernetes keeps

constexpr Nano kOne = 1'000'000'000;
constexpr Nano kLargest = Nano(INT64_MAX) * kOne;

enum class Form { decimal, exponent, binary };

/// "12.5" as thousand-millionths; `rest` is what follows.
std::optional<Nano> read_number(std::string_view text, std::string_view& rest) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  Nano value = 0;
  int digits = 0;
  int places = -1;  // after the point
  while (!text.empty() && ((text[0] >= '0' && text[0] <= '9') || (text[0] == '.' && places < 0))) {
    if (text[0] == '.') {
      places = 0;
    } else {
      if (places >= 9 || value > kLargest) return std::nullopt;
      value = value * 10 + (text[0] - '0');
      ++digits;
      if (places >= 0) ++places;
    }
    text.remove_prefix(1);
  }
  if (digits == 0) return std::nullopt;
  for (int i = std::max(places, 0); i < 9; ++i) value *= 10;
  rest = text;
  return negative ? -value : value;
}

struct Unit {
  Form form = Form::decimal;
  Nano times = 1;
  Nano divided = 1;
};

std::optional<Unit> read_unit(std::string_view text) {
  constexpr std::string_view kLarge = "kMGTPE";
  if (text.empty()) return Unit{};
  if (text == "m") return Unit{.divided = 1000};
  if (text == "u") return Unit{.divided = 1'000'000};
  if (text == "n") return Unit{.divided = 1'000'000'000};
  Unit unit;
  const auto step = text == "Ki" ? 0 : kLarge.find(text[0]);
  if (step != std::string_view::npos && (text.size() == 1 || (text.size() == 2 && text[1] == 'i' && text != "ki"))) {
    unit.form = text.size() == 2 ? Form::binary : Form::decimal;
    for (std::size_t i = 0; i <= step; ++i) unit.times *= text.size() == 2 ? 1024 : 1000;
    return unit;
  }
  if (text[0] != 'e' && text[0] != 'E') return std::nullopt;
  const auto power = parse_int(text.substr(1));
  if (!power || *power < -9 || *power > 18) return std::nullopt;
  unit.form = Form::exponent;
  for (std::int64_t i = 0; i < *power; ++i) unit.times *= 10;
  for (std::int64_t i = 0; i > *power; --i) unit.divided *= 10;
  return unit;
}

std::string decimal_text(Nano nano, Form form) {
  int exponent = -9;
  while (nano % 1000 == 0 && exponent < 18) {
    nano /= 1000;
    exponent += 3;
  }
  const auto number = static_cast<std::int64_t>(nano);
  if (form == Form::exponent) return exponent == 0 ? std::to_string(number) : fmt::format("{}e{}", number, exponent);
  constexpr std::array<std::string_view, 10> kSuffixes{"n", "u", "m", "", "k", "M", "G", "T", "P", "E"};
  return fmt::format("{}{}", number, kSuffixes[static_cast<std::size_t>(exponent / 3 + 3)]);
}

std::string binary_text(Nano whole) {
  constexpr std::array<std::string_view, 7> kSuffixes{"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
  std::size_t step = 0;
  for (; whole % 1024 == 0 && step + 1 < kSuffixes.size(); ++step) whole /= 1024;
  return fmt::format("{}{}", static_cast<std::int64_t>(whole), kSuffixes[step]);
}

template <std::size_t N>
bool one_of(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// What `omitempty` leaves out beside null, "" and []: members whose Go type is a plain bool, int32 or map.
constexpr std::array<std::string_view, 8> kPlainBools{"readOnly", "hostNetwork", "hostPID", "hostIPC",
                                                      "stdin",    "stdinOnce",   "tty",     "publishNotReadyAddresses"};
constexpr std::array<std::string_view, 6> kPlainNumbers{"hostPort",      "initialDelaySeconds", "timeoutSeconds",
                                                        "periodSeconds", "successThreshold",    "failureThreshold"};
constexpr std::array<std::string_view, 7> kTextMaps{"nodeSelector",     "matchLabels", "labels",  "annotations",
                                                    "volumeAttributes", "limits",      "requests"};

bool is_left_out(std::string_view key, const Json& value) {
  if (value.is_null()) return true;
  if (value.is_array()) return value.empty();
  if (value.is_string()) return value.get_ref<const std::string&>().empty();
  if (value.is_boolean()) return !value.get<bool>() && one_of(kPlainBools, key);
  if (value.is_number_integer()) return value == 0 && one_of(kPlainNumbers, key);
  return value.is_object() && value.empty() && (one_of(kTextMaps, key) || key == "overhead");
}

void make_canonical(Json& quantity) {
  const std::string text = quantity.is_string() ? quantity.get<std::string>() : dump_json(quantity);
  if (auto canonical = canonical_quantity(text))
    quantity = std::move(*canonical);
  else
    quantity = text;
}

void normalize_member(std::string_view key, Json& value) {
  if (key == "hostPath") return;  // its `type` is a pointer, so an empty one stays
  if ((key == "limits" || key == "requests" || key == "overhead") && value.is_object()) {
    for (auto& quantity : value) make_canonical(quantity);
  } else if (key == "sizeLimit" || key == "divisor") {
    if (value.is_primitive() && !value.is_null()) make_canonical(value);
  } else if (!one_of(kTextMaps, key)) {  // the words of such a map are the user's, also empty ones
    normalize_kubernetes(value);
  }
}

}  // namespace

std::optional<std::string> canonical_quantity(std::string_view text) {
  std::string_view suffix;
  const auto number = read_number(text, suffix);
  const auto unit = read_unit(suffix);
  if (!number || !unit) return std::nullopt;
  const Nano size = *number < 0 ? -*number : *number;
  if (size > kLargest / unit->times || *number % unit->divided != 0) return std::nullopt;
  const Nano nano = *number * unit->times / unit->divided;
  if (nano == 0) return "0";
  // Below 1024 and with a fraction a binary quantity is written as a decimal one, which loses nothing.
  const bool binary = unit->form == Form::binary && size * unit->times >= 1024 * kOne && nano % kOne == 0;
  return binary ? binary_text(nano / kOne) : decimal_text(nano, unit->form);
}

void normalize_kubernetes(Json& value) {
  if (value.is_array()) {
    for (Json& item : value) normalize_kubernetes(item);
    return;
  }
  if (!value.is_object()) return;
  for (auto it = value.begin(); it != value.end();) {
    normalize_member(it.key(), it.value());
    it = is_left_out(it.key(), it.value()) ? value.erase(it) : std::next(it);
  }
  for (const char* list : {"containers", "initContainers"})
    if (value.contains(list) && value[list].is_array())
      for (Json& container : value[list])
        if (container.is_object() && !container.contains("resources")) container["resources"] = Json::object();
  if (value.contains("resourceFieldRef") && value["resourceFieldRef"].is_object() &&
      !value["resourceFieldRef"].contains("divisor"))
    value["resourceFieldRef"]["divisor"] = "0";
}

std::string go_json(const Json& value) {
  std::string out;
  const std::string text = dump_json(value);
  for (std::size_t i = 0; i < text.size(); ++i) {
    // Outside strings JSON has none of these characters.
    if (text[i] == '<' || text[i] == '>' || text[i] == '&')
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(text[i]));
    else if (text.compare(i, 3, "\xe2\x80\xa8") == 0 || text.compare(i, 3, "\xe2\x80\xa9") == 0)
      out += fmt::format("\\u202{:x}", static_cast<unsigned>(text[i += 2]) & 0xfU);
    else
      out += text[i];
  }
  return out;
}

}  // namespace bowsprit::prow
