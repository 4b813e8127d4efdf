// DecoderKinds: the decoders that are known by name.
#pragma once

#include <posemachine/base/named_rows.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/pose/decoders/arg_max.hpp>
#include <posemachine/pose/decoders/decoder_kind.hpp>
#include <posemachine/pose/decoders/local_mean.hpp>
#include <posemachine/pose/decoders/quarter_offset.hpp>
#include <posemachine/pose/decoders/taylor.hpp>
#include <posemachine/pose/model_spec.hpp>

#include <initializer_list>
#include <span>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Decoders by name. The default holds those of the library: DecoderKinds{my_decoder} adds one's own.
class DecoderKinds : public NamedRows<DecoderKind> {
 public:
  DecoderKinds()
      : NamedRows("decoder", "", {arg_max_decoder, quarter_offset_decoder, taylor_decoder, local_mean_decoder}) {}

  /// Errors: UsageError for a decoder without an offset, or with a name that is empty or another's.
  DecoderKinds(std::initializer_list<DecoderKind> own) : DecoderKinds(std::span(own.begin(), own.size())) {}
  explicit DecoderKinds(std::span<const DecoderKind> own) : DecoderKinds() {
    for (const DecoderKind& kind : own) add(kind, kind.offset != nullptr, "a function offset");
  }

  /// The decoder that a model names. Errors: ModelError naming the decoders there are.
  const DecoderKind& of(const ModelSpec& spec) const {
    return get<ModelError>(spec.decoder.kind, "the model's decoder",
                           "choose one of these, or estimate by a program that brings it");
  }
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
