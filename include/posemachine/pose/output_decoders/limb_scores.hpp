// limb_scores: how far limb fields agree with the limbs between the joints that were found.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/pose/limb_fields.hpp>
#include <posemachine/pose/output_decoders/output_decoder.hpp>
#include <posemachine/pose/pose.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The line integral of each limb's field along the segment between its joints, over the segment's length: the mean of
/// field times unit vector at points half a cell apart, each of which takes the nearest cell's vector. Of drawn fields
/// it is the cosine of the angle between drawn and found limb; 1 is full agreement.
/// Shapes: a number per limb, "neck-head_top"; NaN where a joint is missing, or both are on one point.
/// Source: Cao et al. 2017, equation 10.
NamedNumbers limb_scores(const OutputMaps& fields);

inline const OutputDecoder limb_scores_decoder{
    .name = "limb_scores",
    .does = "of limb_fields: the mean cosine between each limb and its field, a number per limb",
    .decode = [](const OutputMaps& fields) -> Decoded { return limb_scores(fields); },
    .channels = limb_field_channels};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/output_decoders/limb_scores.ipp>
#endif
