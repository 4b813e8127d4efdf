// What needs the real Leeds Sports Pose sets: posemachine_check DIR, DIR holding lsp/ and lspet/ (or the names they are
// unpacked under). Figures beside the checks are what the sets gave; ranges say how far another copy may be off.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "pose/meter.hpp"

#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/augment.hpp>
#include <posemachine/data/crop.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/loader.hpp>
#include <posemachine/data/lsp.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/pose/decode.hpp>
#include <posemachine/pose/decoders/decoders.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/model_spec.hpp>
#include <posemachine/pose/pose.hpp>
#include <posemachine/pose/targets.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <system_error>
#include <vector>

namespace pm = posemachine;
namespace fs = std::filesystem;

namespace {

fs::path data_folder;

// The reader looks into DIR and the names of the published archives; "lspet" is ours to add.
fs::path folder_of(const std::string& name) {
  std::error_code error;
  return fs::exists(data_folder / name / "joints.mat", error) ? data_folder / name : data_folder;
}

const std::vector<pm::Person>& lsp() {
  static const std::vector<pm::Person> people = pm::read_lsp(folder_of("lsp"));
  return people;
}

const std::vector<pm::Person>& lspet() {
  static const std::vector<pm::Person> people = pm::read_lspet(folder_of("lspet"));
  return people;
}

std::span<const pm::Person> test_split() {
  REQUIRE(lsp().size() >= 1500);
  return std::span(lsp()).subspan(1000);
}

// Sizes of LSP's photographs, by index.
const std::vector<pm::Size>& sizes() {
  static const std::vector<pm::Size> all = [] {
    std::vector<pm::Size> found;
    for (const pm::Person& person : lsp()) {
      const pm::Image image = pm::read_image(person.image);
      found.push_back({image.height, image.width});
    }
    return found;
  }();
  return all;
}

pm::Point middle_of(std::size_t index) {
  const pm::Size size = sizes()[index];
  return {(size.width - 1) / 2.0, (size.height - 1) / 2.0};
}

std::vector<pm::Point> truth_of(const pm::Person& person) {
  std::vector<pm::Point> truth;
  for (const pm::Joint& joint : person.joints) truth.push_back(joint.position);
  return truth;
}

std::vector<pm::Keypoint> as_keypoints(const std::vector<pm::Point>& points) {
  std::vector<pm::Keypoint> keypoints;
  for (const pm::Point point : points) keypoints.push_back({point, 1});
  return keypoints;
}

// The truth drawn as targets on cells x cells maps, decoded, and taken back to the photograph.
double ceiling(int cells, const pm::DecoderKind& decoder) {
  const pm::JointSet set = pm::lsp_joints();
  const pm::Size input{8 * cells, 8 * cells};
  pose_test::Meter meter("pck", set);
  std::vector<float> maps(15 * std::size_t(cells) * std::size_t(cells));
  std::vector<float> weights(15);
  pm::TargetOptions options;
  options.map = {cells, cells};
  for (std::size_t i = 1000; i < lsp().size(); ++i) {
    const pm::Person& person = lsp()[i];
    const pm::Size size = sizes()[i];
    const pm::Box square = pm::crop_square(pm::CropRule{}, size.width, size.height);
    const pm::Augmentation plain = pm::unaugmented(square, input);
    pm::render_targets(pm::joints_in_input(person.joints, plain, set), options, maps.data(), weights.data());
    std::vector<pm::Keypoint> found = pm::decode_heatmaps({maps.data(), 15, cells, cells}, 14, options.stride, decoder);
    for (pm::Keypoint& keypoint : found) keypoint.position = pm::apply(plain.image_from_input, keypoint.position);
    meter.add(truth_of(person), found);
  }
  return meter.result().mean;
}

}  // namespace

TEST_CASE("LSP has 1500 or 2000 people, LSPET 10,000, each photograph once and in order") {
  CHECK((lsp().size() == 1500 || lsp().size() == 2000));
  CHECK(lspet().size() == 10000);
  for (const auto* people : {&lsp(), &lspet()}) {
    std::set<fs::path> images;
    for (std::size_t i = 0; i < people->size(); ++i) {
      const pm::Person& person = (*people)[i];
      images.insert(person.image);
      REQUIRE(person.number == int(i) + 1);
      REQUIRE(person.joints.size() == 14);
    }
    CHECK(images.size() == people->size());
  }
}

TEST_CASE("LSP: every joint is labelled, and its flag says occluded: few joints, limbs more often than heads") {
  std::vector<double> occluded(14, 0.0);
  for (const pm::Person& person : lsp()) {
    for (std::size_t j = 0; j < 14; ++j) {
      REQUIRE(person.joints[j].state != pm::JointState::unlabelled);
      occluded[j] += person.joints[j].state == pm::JointState::occluded ? 1.0 / double(lsp().size()) : 0;
    }
  }
  double mean = 0;
  for (const double share : occluded) mean += share / 14;
  MESSAGE("occluded share of LSP: " << mean << ", head top " << occluded[13] << ", left wrist " << occluded[11]);
  CHECK(mean > 0.04);  // 0.073; read the other way round it would be 0.927
  CHECK(mean < 0.3);
  CHECK(occluded[13] < occluded[11]);
  CHECK(occluded[13] < 0.1);
}

TEST_CASE(
    "LSPET: the flag says labelled: most joints are, everyone has at least 4, and almost all lie in their photograph") {
  double labelled = 0;
  int fewest = 14, seen = 0, outside = 0;
  for (std::size_t i = 0; i < lspet().size(); ++i) {
    std::vector<pm::Joint> joints = lspet()[i].joints;
    int count = 0;
    for (const pm::Joint& joint : joints) {
      REQUIRE(joint.state != pm::JointState::occluded);
      count += joint.state == pm::JointState::visible ? 1 : 0;
    }
    labelled += count / 14.0 / double(lspet().size());
    fewest = std::min(fewest, count);
    if (i % 20 != 0) continue;  // every photograph would take minutes
    const pm::Image image = pm::read_image(lspet()[i].image);
    pm::mark_outside(joints, image.width, image.height);
    for (const pm::Joint& joint : joints) {
      seen += joint.state == pm::JointState::unlabelled ? 0 : 1;
      outside += joint.state == pm::JointState::outside ? 1 : 0;
    }
  }
  MESSAGE("labelled share of LSPET: " << labelled << ", fewest of one person " << fewest << ", outside " << outside
                                      << " of " << seen);
  CHECK(labelled > 0.7);  // 0.880; read the other way round it would be 0.120
  CHECK(labelled < 1);
  CHECK(fewest >= 4);
  CHECK(outside * 500 < seen);
}

// PCK@0.2 on the test split of the mean of the training poses, each counted from `origin(index)`.
template <class Origin>
double mean_pose_score(Origin&& origin) {
  std::vector<pm::Point> mean(14);
  for (std::size_t i = 0; i < 900; ++i) {
    for (std::size_t j = 0; j < 14; ++j) mean[j] = mean[j] + (1.0 / 900) * (lsp()[i].joints[j].position - origin(i));
  }
  pose_test::Meter meter("pck");
  for (std::size_t i = 1000; i < lsp().size(); ++i) {
    std::vector<pm::Point> pose;
    for (const pm::Point offset : mean) pose.push_back(origin(i) + offset);
    meter.add(truth_of(lsp()[i]), as_keypoints(pose));
  }
  return meter.result().mean;
}

TEST_CASE("LSP: a mean pose scores about 12.4 PCK@0.2 in pixels from the photographs' corner, 20 from their centre") {
  const double corner = mean_pose_score([](std::size_t) { return pm::Point{}; });
  const double middle = mean_pose_score(middle_of);
  MESSAGE("mean pose: from the corner " << corner << ", from the centre " << middle);
  CHECK(std::abs(corner - 12.5) < 0.5);
  CHECK(std::abs(middle - 20) < 0.5);
}

TEST_CASE("LSP: the truth scores 100, and with left and right exchanged about 24") {
  const std::vector<int> partner = pm::mirror(pm::lsp_joints());
  pose_test::Meter right("pck"), swapped("pck");
  for (const pm::Person& person : test_split()) {
    const std::vector<pm::Point> truth = truth_of(person);
    std::vector<pm::Point> other;
    for (const int joint : partner) other.push_back(truth[std::size_t(joint)]);
    right.add(truth, as_keypoints(truth));
    swapped.add(truth, as_keypoints(other));
  }
  MESSAGE("sides exchanged: " << swapped.result().mean);
  CHECK(right.result().mean == 100);
  CHECK(swapped.result().mean > 23.4);
  CHECK(swapped.result().mean < 24.8);
}

TEST_CASE("LSP: crops, targets and decoding lose next to nothing: the ceilings of their map sizes") {
  struct Case {
    int cells;
    double plain;  // arg-max alone
  };
  for (const Case& each : {Case{46, 99.9}, Case{24, 99.8}, Case{16, 99.4}, Case{12, 95.7}}) {
    const double plain = ceiling(each.cells, pm::arg_max_decoder);
    const double quarter = ceiling(each.cells, pm::quarter_offset_decoder);
    const double taylor = ceiling(each.cells, pm::taylor_decoder);
    const double mean = ceiling(each.cells, pm::local_mean_decoder);
    MESSAGE(each.cells << " x " << each.cells << " cells: arg-max " << plain << ", with quarter offset " << quarter
                       << ", Taylor step " << taylor << ", local mean " << mean);
    CHECK(std::abs(plain - each.plain) < (each.cells > 12 ? 0.4 : 2.5));
    CHECK(quarter > plain - 0.1);  // fine maps have nothing to gain from it
    CHECK(quarter > 99.6);
    CHECK(taylor > 99.6);
    CHECK(mean > 99.6);
  }
}

TEST_CASE("loader: batches of both sets are drawn without error, in range, the same for one worker and three") {
  std::vector<pm::Person> people(lsp().begin(), lsp().begin() + 900);
  people.insert(people.end(), lspet().begin(), lspet().end());
  pm::LoaderOptions options;
  options.input = {128, 128};
  std::vector<std::vector<pm::Batch>> drawn;
  for (const int workers : {1, 3}) {
    options.workers = workers;
    pm::BatchLoader loader(people, pm::lsp_joints(), options);
    drawn.emplace_back();
    for (int i = 0; i < 6; ++i) drawn.back().push_back(loader.next());
  }
  double labelled = 0, maps = 0;
  for (std::size_t i = 0; i < 6; ++i) {
    const pm::Batch& batch = drawn[0][i];
    CHECK(batch.images.values == drawn[1][i].images.values);
    CHECK(batch.targets.values == drawn[1][i].targets.values);
    CHECK(batch.map_weights.values == drawn[1][i].map_weights.values);
    bool in_range = true;
    for (const float value : batch.images.values) in_range = in_range && value >= -0.5f && value <= 0.5f;
    for (const float value : batch.targets.values) in_range = in_range && value >= 0 && value <= 1;
    CHECK(in_range);
    for (const float weight : batch.map_weights.values) {
      CHECK((weight == 0 || weight == 1));
      labelled += weight;
      maps += 1;
    }
  }
  CHECK(labelled / maps > 0.6);
  CHECK(labelled / maps < 1);
}

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (argv[i][0] != '-') data_folder = argv[i];
  }
  std::error_code error;
  if (data_folder.empty() || !fs::is_directory(data_folder, error)) {
    std::fprintf(
        stderr,
        "usage: posemachine_check DIR: the folder that holds lsp/ and lspet/, or lsp_dataset/ and lspet_dataset/\n");
    return 2;
  }
  doctest::Context context(argc, argv);
  return context.run();
}
