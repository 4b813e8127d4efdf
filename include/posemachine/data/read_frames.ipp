// The definitions of data/read_frames.hpp.
#pragma once

#include <posemachine/data/read_frames.hpp>

#include <posemachine/data/image_kinds.hpp>

#include <algorithm>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE FrameImages::FrameImages(std::vector<std::shared_ptr<const ReducedImage>> pictures,
                                            std::vector<std::size_t> places)
    : pictures_(std::move(pictures)), places_(std::move(places)) {}

POSEMACHINE_INLINE FrameImages::FrameImages(AnyImage picture, std::span<const int> offsets)
    : places_(offsets.size(), 0) {
  const ImageView view(picture);
  const Size whole{view.height(), view.width()};
  pictures_.push_back(std::make_shared<ReducedImage>(ReducedImage{.picture = std::move(picture), .whole = whole}));
}

POSEMACHINE_INLINE std::vector<ImageView> FrameImages::views() const {
  std::vector<ImageView> views;
  for (const std::size_t place : places_) views.emplace_back(pictures_[place]->picture);
  return views;
}

POSEMACHINE_INLINE std::vector<Affine> FrameImages::views_from_whole() const {
  std::vector<Affine> maps;
  for (const std::size_t place : places_) maps.push_back(pictures_[place]->reduced_from_whole);
  return maps;
}

namespace detail {

POSEMACHINE_INLINE std::string frame_of(const std::filesystem::path& image, int offset) {
  return image.string() + ": frame " + std::to_string(offset) + ": ";
}

POSEMACHINE_INLINE std::optional<Problem> frame_size_problem(const std::filesystem::path& image, Size size, int offset,
                                                             const std::filesystem::path& frame, Size got) {
  if (got == size) return std::nullopt;
  const auto text = [](Size of) { return std::to_string(of.width) + " x " + std::to_string(of.height); };
  return Problem{.where = frame_of(image, offset) + frame.string(),
                 .expected = text(size) + " pixels, as " + image.string() + " has",
                 .got = text(got)};
}

}  // namespace detail

POSEMACHINE_INLINE FrameReader::FrameReader(std::vector<int> offsets, PixelKind kind, const ImageLimits& limits,
                                            std::shared_ptr<PictureCache> cache)
    : offsets_(std::move(offsets)),
      kind_(kind),
      limits_(limits),
      cache_(std::move(cache)),
      find_(std::make_shared<FrameFinder>()) {}

POSEMACHINE_INLINE std::shared_ptr<const ReducedImage> FrameReader::read(const std::filesystem::path& file,
                                                                         const ChooseReduction& choose) const {
  if (cache_ != nullptr) {
    if (std::shared_ptr<const ReducedImage> kept = cache_->find(file, choose)) return kept;
  }
  auto picture = std::make_shared<const ReducedImage>(read_reduced(kind_, file, choose, limits_));
  return cache_ == nullptr ? picture : cache_->keep(file, std::move(picture));
}

POSEMACHINE_INLINE FrameImages FrameReader::operator()(const std::filesystem::path& image,
                                                       const ChooseReduction& choose) const {
  std::vector<std::shared_ptr<const ReducedImage>> pictures{read(image, choose)};
  std::vector<std::filesystem::path> once{image};
  const std::vector<std::filesystem::path> files = (*find_)(image, offsets_);
  const Size size = pictures.front()->whole;
  const ChooseReduction as_photograph = [factor = pictures.front()->factor](Size) { return factor; };
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < files.size(); ++i) {
    places.push_back(static_cast<std::size_t>(std::find(once.begin(), once.end(), files[i]) - once.begin()));
    if (places.back() < once.size()) continue;
    try {
      pictures.push_back(read(files[i], as_photograph));
    } catch (const BitDepthError& error) {
      throw BitDepthError(detail::frame_of(image, offsets_[i]) + error.what());
    } catch (const DataError& error) {
      throw DataError(detail::frame_of(image, offsets_[i]) + error.what());
    }
    const std::optional<Problem> problem =
        detail::frame_size_problem(image, size, offsets_[i], files[i], pictures.back()->whole);
    if (problem) fail<DataError>(*problem);
    once.push_back(files[i]);
  }
  return {std::move(pictures), std::move(places)};
}

POSEMACHINE_INLINE std::optional<FrameImages> FrameReader::unless_damaged(const std::filesystem::path& image,
                                                                          DamagedImages* damaged,
                                                                          const ChooseReduction& choose) const {
  if (damaged == nullptr) return (*this)(image, choose);
  if (damaged->contains(image)) return std::nullopt;
  try {
    return (*this)(image, choose);
  } catch (const BitDepthError&) {  // no damage, but a choice to be made: nobody is to be left out for it
    throw;
  } catch (const DataError& error) {
    const std::vector<std::filesystem::path> files = (*find_)(image, offsets_);
    if (std::any_of(files.begin(), files.end(), is_out_of_reach)) throw;
    if (!damaged->note(image, error.what())) throw;
    return std::nullopt;
  }
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
