// train_people KIND:PATH RUN [EPOCHS]: trains a composed network on annotated photographs, or goes on with a run that
// was stopped: docs/how_to/train_in_cpp.md.
#include <posemachine/train.hpp>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace pm = posemachine;

namespace {

// clang-format off: compositions, one part after another
// docs: begin network
template <int Joints>
struct TwoStages : pm::Network<
    pm::Input<"image", 3>, pm::ConvReLU<16, 3, pm::Norm::batch>, pm::PyramidStack<>, pm::MaxPool<2>,
    pm::ConvReLU<32, 3, pm::Norm::batch>, pm::FireModule<pm::FireOptions{.squeeze = 8, .expand = 16}>, pm::Tag<"features">,
    pm::Conv<Joints + 1, 1, pm::ConvolutionOptions{.init = pm::Init::near_zero}>, pm::Output<"stage_1">,
    pm::Tag<"maps">, pm::Concat<pm::From<"features">, pm::From<"maps">>, pm::ConvReLU<32, 5, pm::Norm::batch>,
    pm::Conv<Joints + 1, 1, pm::ConvolutionOptions{.init = pm::Init::near_zero}>, pm::Output<"stage_2">> {};
// docs: end network
// clang-format on

// docs: begin start
pm::Checkpoint first_checkpoint(const pm::JointSet& joints, int epochs) {
  pm::ModelSpec spec;
  spec.joints = joints;
  spec.heatmaps = {"stage_1", "stage_2"};
  spec.input_height = spec.input_width = 96;
  pm::TrainOptions options;
  options.epochs = epochs;
  options.batch = 16;
  options.augmentation.rotation_deg = 20;
  return {pm::Model::random<TwoStages<7>>(/*seed=*/1, spec), options};
}
// docs: end start

void train(const std::string& data, const std::filesystem::path& folder, int epochs) {
  // docs: begin people
  const pm::DataSetKinds kinds;
  pm::Annotations set = kinds.read(kinds.parse(data));
  std::vector<pm::Person> validation;  // every tenth person is not trained on
  for (std::size_t i = set.people.size(); i-- > 0;) {
    if (i % 10 != 9) continue;
    validation.push_back(set.people[i]);
    set.people.erase(set.people.begin() + std::ptrdiff_t(i));
  }
  // docs: end people
  if (set.joints.joints.size() != 7) {
    pm::fail<pm::UsageError>(
        {.where = data, .expected = "seven joints", .got = std::to_string(set.joints.joints.size())});
  }
  // docs: begin run
  const bool goes_on = std::filesystem::exists(folder);
  const pm::RunFolder run = goes_on ? pm::RunFolder::open(folder) : pm::RunFolder::create(folder, {});
  const pm::Checkpoint start = goes_on ? run.load() : first_checkpoint(set.joints, epochs);
  pm::Trainer trainer(start, std::move(set.people), std::move(validation));
  trainer.run({}, [&](const pm::TrainEvent& event) {
    run.on_event(event);  // checkpoints, metrics.jsonl, the best network, the last one
    if (event.validation == nullptr) return;
    std::printf("epoch %d: loss %.2f, PCK %.1f\n", event.epoch, event.losses.back(), event.validation->pck().mean);
  });
  // docs: end run
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    std::fprintf(stderr, "usage: train_people KIND:PATH RUN [EPOCHS]\n");
    return 2;
  }
  try {
    train(argv[1], argv[2], argc == 4 ? std::atoi(argv[3]) : 20);
  } catch (const pm::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
