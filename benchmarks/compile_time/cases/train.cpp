// A program that composes a network and trains it.
#include <posemachine/compose.hpp>
#include <posemachine/data/lsp.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/training/trainer.hpp>

namespace pm = posemachine;

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  pm::ModelSpec spec;
  spec.input_height = spec.input_width = 128;
  const pm::Checkpoint start{pm::Model::random<pm::ScalingDilationSmall>(/*seed=*/1, spec), pm::TrainOptions{}};
  pm::Trainer trainer(start, pm::read_lsp(argv[1], {}), {});
  trainer.run({}, [](const pm::TrainEvent&) {});
}
