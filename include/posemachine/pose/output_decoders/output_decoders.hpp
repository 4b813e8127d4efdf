// OutputDecoders: the decoders of outputs besides the heatmaps that are known by name.
#pragma once

#include <posemachine/base/named_rows.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/pose/model_spec.hpp>
#include <posemachine/pose/output_decoders/limb_scores.hpp>
#include <posemachine/pose/output_decoders/output_decoder.hpp>
#include <posemachine/pose/output_decoders/refined_joints.hpp>

#include <initializer_list>
#include <span>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Decoders of outputs by name. The default holds those of the library: OutputDecoders{my_decoder} adds one's own.
class OutputDecoders : public NamedRows<OutputDecoder> {
 public:
  OutputDecoders() : NamedRows("output decoder", "", {limb_scores_decoder, refined_joints_decoder}) {}

  /// Errors: UsageError for a decoder that decodes nothing, or with a name that is empty or another's.
  OutputDecoders(std::initializer_list<OutputDecoder> own) : OutputDecoders(std::span(own.begin(), own.size())) {}
  explicit OutputDecoders(std::span<const OutputDecoder> own) : OutputDecoders() {
    for (const OutputDecoder& row : own) add(row, row.decode != nullptr, "a function decode");
  }

  /// The decoder that an output names. Errors: ModelError naming the output and the decoders there are, and for another
  /// number of channels than the decoder wants.
  const OutputDecoder& of(const OutputSpec& output, int channels, const JointSet& joints) const {
    const std::string where = "the decoder of the output " + output.name;
    const OutputDecoder& row = get<ModelError>(
        output.decoder, where, "bring it as one of own_output_decoders, or set decode_outputs to false");
    const int wanted = row.channels != nullptr ? row.channels(joints) : channels;
    if (channels == wanted) return row;
    fail<ModelError>(
        {.where = where,
         .expected = std::to_string(wanted) + " channels for " + output.decoder + " and the joint set " + joints.name,
         .got = std::to_string(channels)});
  }
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
