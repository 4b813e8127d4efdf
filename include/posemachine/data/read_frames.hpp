// FrameReader: a photograph with the frames around it, as a network of several frames is fed them.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/damaged_images.hpp>
#include <posemachine/data/frames.hpp>
#include <posemachine/data/image_io_format.hpp>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// The pictures of a photograph's frames. Frames that are one file share their picture.
class FrameImages {
 public:
  /// Shapes: `pictures` begin with frame 0; `places` has one entry per frame, its picture's place among them.
  FrameImages(std::vector<AnyImage> pictures, std::vector<std::size_t> places);

  /// One picture that is all frames.
  FrameImages(AnyImage picture, std::span<const int> offsets);

  /// In the order of the offsets. They refer to this object, which must outlive them unmoved.
  std::vector<ImageView> views() const;

  /// Frame 0: the photograph itself.
  ImageView current() const { return pictures_.front(); }

 private:
  std::vector<AnyImage> pictures_;
  std::vector<std::size_t> places_;
};

/// Reads photographs with their frames, which FrameFinder finds. Copies share what was listed. Any number of threads
/// may read.
class FrameReader {
 public:
  /// Shapes: offsets as Meaning::frames has them.
  FrameReader(std::vector<int> offsets, PixelKind kind, const ImageLimits& limits = {});

  /// Errors: DataError as read_image_as, which names the photograph, too, where another frame cannot be used, and for a
  /// frame of another size than the photograph; BitDepthError for one of too few bits.
  FrameImages operator()(const std::filesystem::path& image) const;

  /// The same, but a photograph that cannot be used, or whose frames cannot, gives none and is noted in `damaged`; one
  /// that is noted there already is not read again. Errors: as above where `damaged` is null; otherwise DataError for a
  /// file that is there and cannot be opened, and BitDepthError, which is no damage.
  std::optional<FrameImages> unless_damaged(const std::filesystem::path& image, DamagedImages* damaged) const;

 private:
  std::vector<int> offsets_;
  PixelKind kind_;
  ImageLimits limits_;
  std::shared_ptr<FrameFinder> find_;
};

namespace detail {

// Beginning of a message about a photograph that another frame makes useless.
std::string frame_of(const std::filesystem::path& image, int offset);

// Problem that names both files and their sizes; none where those agree.
std::optional<Problem> frame_size_problem(const std::filesystem::path& image, Size size, int offset,
                                          const std::filesystem::path& frame, Size got);

}  // namespace detail

}  // namespace posemachine::inline POSEMACHINE_BUILD

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/data/read_frames.ipp>
#endif
