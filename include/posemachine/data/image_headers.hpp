// Headers of photographs, read before a run that takes hours meets a damaged one.
#pragma once

#include <posemachine/base/parallel.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/data/damaged_images.hpp>
#include <posemachine/data/image_io_format.hpp>
#include <posemachine/data/person.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Reads the header of every photograph of these people once, and notes the ones that are absent or that no decoder
/// would take: 11,500 in 0.3 s where the files are in memory. What is damaged behind its header is still found where it
/// is decoded. For several frames, as ModelSpec::frames has them, the headers of the others are read, too: a photograph
/// with a frame that no decoder would take, or of another size, is noted as well. Returns how many photographs there
/// are, other frames not counted. Errors: DataError for a file that is there and cannot be opened; BitDepthError for one
/// whose samples have fewer bits than `bit_depth`: no damage, but a choice to be made.
std::size_t find_damaged_headers(std::span<const Person> people, DamagedImages& damaged, int threads = 1,
                                 const ImageLimits& limits = {}, int bit_depth = 8,
                                 const std::vector<int>& frames = {0});

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/data/image_headers.ipp>
#endif
