// FrameReader: a photograph with the frames around it, as a network of several frames is fed them.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/damaged_images.hpp>
#include <posemachine/data/frames.hpp>
#include <posemachine/data/image_io_format.hpp>
#include <posemachine/data/picture_cache.hpp>
#include <posemachine/data/reduced_image.hpp>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The pictures of a photograph's frames. Frames that are one file share their picture.
class FrameImages {
 public:
  /// Shapes: `pictures` begin with frame 0, all of one whole size and factor, none null; `places` has one entry per
  /// frame, its picture's place among them.
  FrameImages(std::vector<std::shared_ptr<const ReducedImage>> pictures, std::vector<std::size_t> places);

  /// One picture that is all frames.
  FrameImages(AnyImage picture, std::span<const int> offsets);

  /// In the order of the offsets. They refer to pictures that live as long as this object, or a copy of it.
  std::vector<ImageView> views() const;

  /// Frame 0: the photograph itself.
  ImageView current() const { return pictures_.front()->picture; }

  /// The size that the photograph has in its file, upright, whatever was decoded of it.
  Size whole() const { return pictures_.front()->whole; }

  /// The maps from pixels of the whole photograph to those of each view, in the order of views(). They differ where
  /// frames of sides that are no multiple of the factor were turned in different ways.
  std::vector<Affine> views_from_whole() const;

 private:
  std::vector<std::shared_ptr<const ReducedImage>> pictures_;
  std::vector<std::size_t> places_;
};

/// Reads photographs with their frames, which FrameFinder finds. Copies share what was listed. Any number of threads
/// may read.
class FrameReader {
 public:
  /// Pictures are kept in `cache`, where there is one, and taken from there: it serves readers of one kind only.
  /// Shapes: offsets as ModelSpec::frames has them.
  FrameReader(std::vector<int> offsets, PixelKind kind, const ImageLimits& limits = {},
              std::shared_ptr<PictureCache> cache = nullptr);

  /// All frames at the factor that is chosen by the photograph's size: whole without a choice.
  /// Errors: DataError as read_image_as, which names the photograph, too, where another frame cannot be used, and for a
  /// frame of another size than the photograph; BitDepthError for one of too few bits.
  FrameImages operator()(const std::filesystem::path& image, const ChooseReduction& choose = {}) const;

  /// The same, but a photograph that cannot be used, or whose frames cannot, gives none and is noted in `damaged`; one
  /// that is noted there already is not read again. Errors: as above where `damaged` is null; otherwise DataError for a
  /// file that is there and cannot be opened, and BitDepthError, which is no damage.
  std::optional<FrameImages> unless_damaged(const std::filesystem::path& image, DamagedImages* damaged,
                                            const ChooseReduction& choose = {}) const;

 private:
  // One file, from the cache or read and kept there.
  std::shared_ptr<const ReducedImage> read(const std::filesystem::path& file, const ChooseReduction& choose) const;

  std::vector<int> offsets_;
  PixelKind kind_;
  ImageLimits limits_;
  std::shared_ptr<PictureCache> cache_;
  std::shared_ptr<FrameFinder> find_;
};

namespace detail {

// Beginning of a message about a photograph that another frame makes useless.
std::string frame_of(const std::filesystem::path& image, int offset);

// Problem that names both files and their sizes; none where those agree.
std::optional<Problem> frame_size_problem(const std::filesystem::path& image, Size size, int offset,
                                          const std::filesystem::path& frame, Size got);

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/data/read_frames.ipp>
#endif
