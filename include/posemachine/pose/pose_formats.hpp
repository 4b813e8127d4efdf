// PoseFormats: the formats of poses that are known by name.
#pragma once

#include <posemachine/base/named_rows.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/pose/formats/coco.hpp>
#include <posemachine/pose/formats/csv.hpp>
#include <posemachine/pose/formats/json.hpp>
#include <posemachine/pose/formats/openpose.hpp>
#include <posemachine/pose/formats/text.hpp>
#include <posemachine/pose/pose_format.hpp>

#include <initializer_list>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Formats by name. The default holds those of the library: PoseFormats{my_format} adds one's own.
class PoseFormats : public NamedRows<PoseFormat> {
 public:
  PoseFormats()
      : NamedRows("format", "", {text_format, json_format, ndjson_format, coco_format, openpose_format, csv_format}) {}

  /// Errors: UsageError for a format that writes nothing, or with a name that is empty or another's.
  PoseFormats(std::initializer_list<PoseFormat> own) : PoseFormats() {
    for (const PoseFormat& format : own) add(format, format.text != nullptr, "a function text");
  }
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
