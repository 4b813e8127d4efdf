// Training batches: decoded, warped and rendered ahead of the network, the same bytes whatever the number of workers.
#pragma once

#include <posemachine/base/parallel.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/data/augment.hpp>
#include <posemachine/data/damaged_images.hpp>
#include <posemachine/data/image_io_format.hpp>
#include <posemachine/data/output_targets.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/data/read_frames.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/model_spec.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// What the network wants to be fed, and how fast.
struct LoaderOptions {
  Size input{368, 368};         // pixels of the network's input
  double stride = 8;            // input pixels per cell of a map
  double sigma_px = 7;          // of the targets, in input pixels
  bool mask_unlabelled = true;  // unlabelled joints say nothing to the loss; otherwise their targets are zero
  CropRule crop;                // the model's own rule
  // A training crop around a box of labelled joints (LSPET) has a side of this times the box's larger side, times
  // crop.image_scale. Measured on LSP 1-900: the joints' box is 0.74 of the photograph's larger side in the mean (0.76
  // in the median, 0.60 to 0.85 for nine in ten), so 1.33 makes people equally large in both sets.
  double labelled_box_context = 1.33;
  Normalisation normalisation;
  std::string colour_order = "rgb";  // as ModelSpec has it: "rgb", "bgr" or "grey"
  int bit_depth = 8;                 // as ModelSpec has it
  std::vector<int> frames{0};        // as ModelSpec has it
  bool augment = true;               // false: the plain crops, still in shuffled order
  AugmentOptions augmentation;
  ImageLimits limits;  // of one photograph
  // Photographs of many more pixels than any view can show are decoded at 1/2, 1/4 or 1/8 of their sides, see
  // photograph_reduction(); false: all whole, as evaluation decodes them.
  bool reduce_photographs = true;
  // Bytes of decoded pictures that are kept for later epochs, see PictureCache, by all workers together; 0: none. No
  // byte of a batch depends on it, as long as no file is replaced: one that is, while it is kept, is not noticed.
  std::size_t cache_bytes = 0;
  std::vector<OutputTargets> outputs{};  // besides the heatmaps
  std::uint64_t seed = 1;
  int batch = 16;  // samples per step
  int first = 0;   // of a step's samples, the first one that is prepared here
  int count = 0;   // how many are; 0: all from first on
  // Where photographs that are damaged or absent are noted: another person, drawn by the seed, then stands in for each
  // of theirs, with the draws that were made for it. Null: the first one ends the run, as one of too few bits always
  // does.
  std::shared_ptr<DamagedImages> damaged{};
  int workers = 1;  // threads that prepare batches
  int depth = 4;    // batches prepared ahead, at most
};

/// What one training step is fed, or the part of it that LoaderOptions asks for.
struct Batch {
  Tensor images;       // (N, F C, H, W) of F frames, frame by frame, C is 3 or 1 of grey: normalised
  Tensor targets;      // (N, joints + 1, H / stride, W / stride), the last map background
  Tensor map_weights;  // (N, joints + 1), 0 to 1, 0 where a map says nothing
  // Of LoaderOptions::outputs, in their order.
  std::vector<Tensor> output_targets;  // (N, C, H, W) of the output
  std::vector<Tensor> output_weights;  // (N, C), 0 to 1, 0 where a map says nothing
  std::vector<int> samples;            // N indices into the loader's people
  int first = 0;                       // position of the first one within the step
  std::uint64_t step = 0;              // from the start of training
  std::uint64_t epoch = 0;
};

/// Steps of an epoch: whole ones of `batch` samples, at least one.
inline std::uint64_t steps_per_epoch(std::size_t people, int batch) {
  return std::max<std::uint64_t>(1, people / static_cast<std::size_t>(batch));
}

/// The people of an epoch in the order in which they are trained on: 0 to count - 1, shuffled by (seed, epoch); where
/// they are fewer than `least`, one shuffle after another until there are as many.
/// Source: Fisher and Yates.
std::vector<int> epoch_order(std::size_t count, std::uint64_t seed, std::uint64_t epoch, std::size_t least = 0);

/// The square that evaluation sees of a person: of the whole image, or around box_in_image().
Box evaluation_square(const Person& person, int width, int height, const CropRule& crop);

/// The square of a training crop: as evaluation sees it, but around people of Framing::labelled_box: around the
/// labelled joints that lie within the image, at the size that options.labelled_box_context gives.
Box training_square(const Person& person, int width, int height, const LoaderOptions& options);

/// The factor by which a person's photograph is reduced before it is warped, 1, 2, 4 or 8: the largest that leaves
/// every view which can be drawn of the person a shrinking of at least 2, so that warp() would average cells at least
/// as large itself. A function of the person, of the photograph's size in its file, upright, and of the options alone:
/// not of what is drawn, of caches, threads or order. 1 where options.reduce_photographs is false.
int photograph_reduction(const Person& person, Size whole, const LoaderOptions& options);

namespace detail {

// For people of whom no photograph can be used. Errors: DataError, always.
[[noreturn]] void fail_without_photographs(std::size_t people, const DamagedImages& damaged);

}  // namespace detail

/// Prepares the batch of any step: a pure function of the people, the options and the step. Of several frames all get
/// the same crop, the same changes and the same cut-out; targets are those of frame 0.
class BatchMaker {
 public:
  /// Errors: UsageError for options without sense, no people, or people of another joint set.
  BatchMaker(std::vector<Person> people, JointSet joints, LoaderOptions options);

  /// Whole batches in an epoch: the people left over after the last one wait for another epoch, whose order is another.
  /// Of fewer people than a batch has samples, some are in it more than once.
  std::uint64_t steps_per_epoch() const;
  const std::vector<Person>& people() const { return people_; }
  const LoaderOptions& options() const { return options_; }

  /// Errors: DataError for a photograph that cannot be used, or where none can; BitDepthError for one of too few bits.
  Batch operator()(std::uint64_t step) const;

 private:
  std::size_t joint_count() const { return joints_.joints.size(); }

  // The person of a sample with the photograph's frames, reduced for that person; where those cannot be used, another
  // one whose can.
  std::pair<Person, FrameImages> read_sample(int sample, RandomStream stand_ins) const;

  // The part of a tensor that belongs to one of its images.
  static std::span<float> part(Tensor& tensor, std::size_t at);

  // Everything of the batch's sample `at`.
  void fill(Batch& batch, std::size_t at, std::uint64_t repeats) const;

  std::vector<Person> people_;
  JointSet joints_;
  LoaderOptions options_;
  PixelKind kind_ = PixelKind::rgb8;
  FrameReader reader_;
  Size map_;
};

/// Delivers the batches of steps start_step, start_step + 1, ... for ever, prepared ahead by worker threads. A run that
/// stops after step s and starts again with start_step = s + 1 sees what it would have seen.
class BatchLoader {
 public:
  /// Errors: as BatchMaker.
  BatchLoader(std::vector<Person> people, JointSet joints, LoaderOptions options, std::uint64_t start_step = 0);
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;

  /// The next step's batch; waits for it if it is not ready. Errors: DataError for a photograph that cannot be used.
  Batch next() { return batches_.next(); }

  std::uint64_t steps_per_epoch() const { return maker_.steps_per_epoch(); }
  const std::vector<Person>& people() const { return maker_.people(); }

 private:
  BatchMaker maker_;
  Prefetcher<Batch> batches_;  // after maker_: its threads end before maker_ does
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/data/loader.ipp>
#endif
