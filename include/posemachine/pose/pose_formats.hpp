// PoseFormats: the formats of poses that are known by name.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/pose/formats/coco.hpp>
#include <posemachine/pose/formats/csv.hpp>
#include <posemachine/pose/formats/json.hpp>
#include <posemachine/pose/formats/openpose.hpp>
#include <posemachine/pose/formats/text.hpp>
#include <posemachine/pose/pose_format.hpp>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// Formats by name. The default holds those of the library: PoseFormats{my_format} adds one's own.
class PoseFormats {
 public:
  PoseFormats() : formats_{text_format, json_format, ndjson_format, coco_format, openpose_format, csv_format} {}

  /// Errors: UsageError for a format that writes nothing, or with a name that is empty or another's.
  PoseFormats(std::initializer_list<PoseFormat> own) : PoseFormats() {
    for (const PoseFormat& format : own) {
      const std::string where = "format \"" + std::string(format.name) + "\"";
      if (format.text == nullptr) fail<UsageError>({.where = where, .expected = "a function text", .got = "none"});
      if (format.name.empty()) fail<UsageError>({.where = where, .expected = "a name", .got = "none"});
      if (find(format.name) != nullptr) {
        fail<UsageError>({.where = where, .expected = "a name of its own", .got = "that of another"});
      }
      formats_.push_back(format);
    }
  }

  const std::vector<PoseFormat>& all() const { return formats_; }

  /// The format, or null.
  const PoseFormat* find(std::string_view name) const {
    const auto found =
        std::find_if(formats_.begin(), formats_.end(), [&](const PoseFormat& each) { return each.name == name; });
    return found != formats_.end() ? &*found : nullptr;
  }

  /// Errors: UsageError naming `where` and the formats there are.
  const PoseFormat& get(const std::string& name, const std::string& where) const {
    if (const PoseFormat* const format = find(name)) return *format;
    std::vector<std::string> names;
    std::string known;
    for (const PoseFormat& format : formats_) {
      names.emplace_back(format.name);
      known += (known.empty() ? "" : ", ") + names.back();
    }
    fail<UsageError>({.where = where,
                      .expected = "one of " + known,
                      .got = "\"" + detail::excerpt(name) + "\"",
                      .remedy = did_you_mean(name, names)});
  }

 private:
  std::vector<PoseFormat> formats_;
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
