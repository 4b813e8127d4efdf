// compare: its figures are those of single evaluations; times are only known to be there.
#include "inference/noise_people.hpp"
#include "reference/random_model.hpp"
#include "temporary_folder.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/compare.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/inference/evaluation_json.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/networks/registry.hpp>
#include <posemachine/pose/decoders/decoders.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/metrics/metrics.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace compare_test {

using namespace posemachine;

namespace {

Model small_model() {
  ModelSpec spec;
  spec.input_height = spec.input_width = 64;
  spec.decoder.flip_average = true;
  return reference::random_model("scaling-dilation-small", graph_of<ScalingDilationSmall>(), 5, spec);
}

// The last stage's answers are the truth.
std::vector<Person> people_in(const test_environment::TemporaryFolder& folder, const Model& model, int count) {
  Estimator estimator(model);
  return test_environment::noise_people(folder.path(), estimator, model.graph().outputs.size() - 1, count);
}

}  // namespace

TEST_CASE("compare: each variant has the figures of an evaluation with its options, for one thread and for two") {
  const test_environment::TemporaryFolder folder;
  const Model model = small_model();
  const std::vector<Person> people = people_in(folder, model, 4);
  std::vector<EstimationVariant> variants = estimation_variants();
  variants.push_back({"two stages", {.stages = 2}});
  EvaluateOptions options;
  options.metrics = {MetricKinds().make("pck@0.02:image", lsp_joints()), MetricKinds().make("epe", lsp_joints())};
  for (const int threads : {1, 2}) {
    options.threads = threads;
    int images = 0;
    options.progress = [&](int, int count) {
      ++images;
      CHECK(count == 4);
    };
    const std::vector<VariantResult> results = compare(model, people, variants, options);
    CHECK(images == 4);
    REQUIRE(results.size() == variants.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
      INFO(variants[i].name);
      CHECK(results[i].variant.name == variants[i].name);
      const EvaluationResult alone = evaluate(Estimator(model, variants[i].options), people, options);
      images = 0;
      CHECK(evaluation_to_json(results[i].evaluation) == evaluation_to_json(alone));
      for (std::size_t p = 0; p < people.size(); ++p) {
        CHECK(results[i].evaluation.poses[p].box == alone.poses[p].box);
        for (std::size_t j = 0; j < 14; ++j) {
          CHECK(results[i].evaluation.poses[p].keypoints[j].position == alone.poses[p].keypoints[j].position);
        }
      }
      CHECK(results[i].median_seconds > 0);
    }
    CHECK(results[0].evaluation.find("pck")->mean == 100);  // the truth is what the model says
    CHECK(results[2].evaluation.find("pck")->mean == 100);  // its flip averaging is on
    CHECK(results[1].evaluation.find("epe")->mean > 0);
  }
}

TEST_CASE("estimation_variants: the model, both flips, every decoder, a second pass and scales, all different") {
  const std::vector<EstimationVariant> variants = estimation_variants();
  CHECK(variants.size() == 3 + DecoderKinds().names().size() + 2);
  CHECK(!variants[0].options.flip_average);
  CHECK(!variants[0].options.second_pass);
  for (const EstimationVariant& variant : variants) {
    check(variant.options);
    CHECK(std::count_if(variants.begin(), variants.end(),
                        [&](const EstimationVariant& other) { return other.name == variant.name; }) == 1);
  }
}

TEST_CASE("compare: one person, whose time includes making the executions, has no time; no variants are refused") {
  const test_environment::TemporaryFolder folder;
  const Model model = small_model();
  const std::vector<Person> people = people_in(folder, model, 1);
  const std::vector<VariantResult> results = compare(model, people, {{"alone", {}}});
  CHECK(results[0].evaluation.pck().mean == 100);
  CHECK(std::isnan(results[0].median_seconds));
  CHECK_THROWS_WITH_AS(compare(model, people, {}), "compare: expected at least one variant, got none", UsageError);
}

}  // namespace compare_test
