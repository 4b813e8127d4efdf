// Random variation: what is drawn, how it composes, and that left stays left.
#include <posemachine/data/augment.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace augment_test {

namespace pm = posemachine;

namespace {

constexpr pm::Size input{64, 64};
constexpr pm::Box square{10, 20, 128, 128};

pm::Augmentation drawn(const pm::AugmentOptions& options, std::uint64_t sample, std::uint64_t epoch = 0) {
  pm::RandomStream stream(3, pm::Purpose::augmentation, epoch, sample);
  return pm::draw_augmentation(options, square, input, stream);
}

constexpr pm::AugmentOptions nothing{.rotation_deg = 0,
                                     .scale_min = 1,
                                     .scale_max = 1,
                                     .flip_probability = 0,
                                     .shift = 0,
                                     .brightness = 0,
                                     .contrast = 0,
                                     .colour = 0};

bool close(const pm::Affine& a, const pm::Affine& b) {
  const double difference = std::abs(a.a - b.a) + std::abs(a.b - b.b) + std::abs(a.c - b.c) + std::abs(a.d - b.d) +
                            std::abs(a.e - b.e) + std::abs(a.f - b.f);
  return difference < 1e-9;
}

std::vector<pm::Joint> some_joints() {
  std::vector<pm::Joint> joints;
  for (int j = 0; j < 14; ++j) {
    const auto state = j == 3    ? pm::JointState::occluded
                       : j == 10 ? pm::JointState::unlabelled
                                 : pm::JointState::visible;
    joints.push_back({{20.0 + 7 * j, 130.0 - 5 * j}, state, 1 - 0.0625f * static_cast<float>(j)});
  }
  return joints;
}

}  // namespace

TEST_CASE("draw_augmentation: with every amplitude at 0 it is the plain crop") {
  for (std::uint64_t sample = 0; sample < 20; ++sample) {
    const pm::Augmentation a = drawn(nothing, sample);
    CHECK(close(a.image_from_input, pm::image_from_input(square, input)));
    CHECK_FALSE(a.mirrored);
    CHECK(a.photometric == pm::Photometric{});
  }
}

TEST_CASE("draw_augmentation: mirroring sends x to W - 1 - x and is half of all samples") {
  pm::AugmentOptions options = nothing;
  options.flip_probability = 1;
  const pm::Augmentation a = drawn(options, 0);
  CHECK(a.mirrored);
  const pm::Affine plain = pm::image_from_input(square, input);
  for (const double x : {0.0, 5.0, 63.0}) {
    const pm::Point p = pm::apply(a.image_from_input, {x, 7});
    const pm::Point q = pm::apply(plain, {63 - x, 7});
    CHECK(p.x == doctest::Approx(q.x));
    CHECK(p.y == doctest::Approx(q.y));
  }
  int mirrored = 0;
  for (std::uint64_t sample = 0; sample < 2000; ++sample) mirrored += drawn({}, sample).mirrored;
  CHECK(std::abs(mirrored - 1000) < 110);  // five standard deviations of a fair coin
}

TEST_CASE("draw_augmentation: angle, scale and shift stay within their ranges and reach near both ends") {
  double angle_low = 99, angle_high = -99, scale_low = 99, scale_high = 0, shift_low = 99, shift_high = -99;
  pm::AugmentOptions options;
  options.flip_probability = 0;
  for (std::uint64_t sample = 0; sample < 2000; ++sample) {
    const pm::Affine m = drawn(options, sample).image_from_input;
    const double scale = 2 / std::hypot(m.a, m.d);  // 128 image pixels on 64: the plain step is 2
    const double angle = std::atan2(m.d, m.a) * 180 / 3.14159265358979;
    const pm::Point centre = pm::apply(m, {31.5, 31.5});
    const double shift = (centre.x - (10 + 64 - 0.5)) / 128;
    angle_low = std::min(angle_low, angle), angle_high = std::max(angle_high, angle);
    scale_low = std::min(scale_low, scale), scale_high = std::max(scale_high, scale);
    shift_low = std::min(shift_low, shift), shift_high = std::max(shift_high, shift);
  }
  CHECK((angle_low >= -40 && angle_low < -39 && angle_high <= 40 && angle_high > 39));
  CHECK((scale_low >= 0.7 && scale_low < 0.71 && scale_high <= 1.3 && scale_high > 1.29));
  CHECK((shift_low >= -0.05 && shift_low < -0.049 && shift_high <= 0.05 && shift_high > 0.049));
}

TEST_CASE("draw_augmentation: equal keys give equal draws, other samples and epochs others") {
  CHECK(close(drawn({}, 5).image_from_input, drawn({}, 5).image_from_input));
  CHECK_FALSE(close(drawn({}, 5).image_from_input, drawn({}, 6).image_from_input));
  CHECK_FALSE(close(drawn({}, 5).image_from_input, drawn({}, 5, 1).image_from_input));
  // Switching the colours off changes no geometry.
  pm::AugmentOptions geometry_only;
  geometry_only.brightness = geometry_only.contrast = geometry_only.colour = 0;
  CHECK(close(drawn({}, 5).image_from_input, drawn(geometry_only, 5).image_from_input));
}

TEST_CASE("joints_in_input: joints move with the pixels under them") {
  // A bright dot at a joint of the image must be at the joint of the input, whatever was drawn.
  for (std::uint64_t sample = 0; sample < 40; ++sample) {
    CAPTURE(sample);
    pm::Image image(150, 160);
    const pm::Point joint{81, 77};
    for (int y = -3; y <= 3; ++y) {
      for (int x = -3; x <= 3; ++x) image.at(int(joint.x) + x, int(joint.y) + y)[1] = 255;
    }
    pm::AugmentOptions options;
    options.brightness = options.contrast = options.colour = 0;
    const pm::Augmentation a = drawn(options, sample);
    std::vector<float> out(3 * 64 * 64);
    pm::warp(image, a.image_from_input, input, {{0, 0, 0}, {1, 1, 1}}, false, a.photometric, out.data());
    double sum = 0, x_sum = 0, y_sum = 0;
    for (int i = 0; i < 64 * 64; ++i) {
      const double v = out[std::size_t(64 * 64 + i)];
      sum += v, x_sum += v * (i % 64), y_sum += v * (i / 64);
    }
    const std::vector<pm::Joint> joints(14, {joint, pm::JointState::visible});
    const auto moved = pm::joints_in_input(joints, a, pm::lsp_joints());
    CHECK(std::abs(moved[12].position.x - x_sum / sum) < 0.1);
    CHECK(std::abs(moved[12].position.y - y_sum / sum) < 0.1);
  }
}

TEST_CASE("joints_in_input: after mirroring the right wrist is where the left one's pixels went") {
  pm::AugmentOptions options = nothing;
  options.flip_probability = 1;
  const std::vector<pm::Joint> joints = some_joints();
  const auto plain = pm::joints_in_input(joints, drawn(nothing, 0), pm::lsp_joints());
  const auto flipped = pm::joints_in_input(joints, drawn(options, 0), pm::lsp_joints());
  const std::array<std::size_t, 14> partner{5, 4, 3, 2, 1, 0, 11, 10, 9, 8, 7, 6, 12, 13};
  for (std::size_t j = 0; j < 14; ++j) {
    CHECK(flipped[j].position.x == doctest::Approx(63 - plain[partner[j]].position.x));
    CHECK(flipped[j].position.y == doctest::Approx(plain[partner[j]].position.y));
    CHECK(flipped[j].state == joints[partner[j]].state);
    CHECK(plain[j].state == joints[j].state);
    CHECK(flipped[j].weight == joints[partner[j]].weight);
    CHECK(plain[j].weight == joints[j].weight);
  }
}

TEST_CASE("draw_augmentation: turns, close-ups and cut-outs change nothing else, and happen as often as asked") {
  pm::AugmentOptions options;
  options.turn_probability = 0.3;
  options.close_up_probability = 0.4;
  options.cutout_probability = 0.2;
  const std::vector<pm::Joint> joints = some_joints();
  int turned = 0, closer = 0, hidden = 0;
  double most_turned = 0;
  for (std::uint64_t sample = 0; sample < 2000; ++sample) {
    const pm::Augmentation plain = drawn({}, sample);
    pm::RandomStream stream(3, pm::Purpose::augmentation, 0, sample);
    const pm::Augmentation a = pm::draw_augmentation(options, square, input, stream, joints);
    CHECK(a.mirrored == plain.mirrored);
    CHECK(a.photometric == plain.photometric);
    CHECK(plain.cutout.width == 0);
    const pm::Affine m = a.image_from_input, p = plain.image_from_input;
    const double angle = std::abs(std::atan2(m.d, a.mirrored ? -m.a : m.a)) * 180 / 3.14159265358979;
    const double scale = std::hypot(m.a, m.d) / std::hypot(p.a, p.d);
    turned += angle > 40;  // seven turns of nine are further than any without
    most_turned = std::max(most_turned, angle);
    closer += scale < 0.999;
    CHECK((scale >= 0.4 - 1e-9 && scale <= 1 + 1e-9));
    hidden += a.cutout.width > 0;
    if (a.cutout.width == 0) continue;
    CHECK((a.cutout.width >= 0.15 * 64 && a.cutout.width <= 0.4 * 64));
    CHECK((a.cutout.height >= 0.15 * 64 && a.cutout.height <= 0.4 * 64));
    CHECK((pm::centre(a.cutout).x >= 0 && pm::centre(a.cutout).x <= 64));
  }
  CHECK(std::abs(turned - 2000 * 0.3 * 7 / 9) < 95);  // five standard deviations each
  CHECK(std::abs(closer - 800) < 110);
  CHECK(std::abs(hidden - 400) < 90);
  CHECK(most_turned > 175);
}

TEST_CASE("close_up_square: the half of the joints nearest to the chosen one, with room around it") {
  // Six joints in a row, 20 pixels apart; the fourth has no label, the last one lies outside of the image.
  std::vector<pm::Joint> joints;
  for (int j = 0; j < 6; ++j) joints.push_back({{20.0 * j, 50}, pm::JointState::visible});
  joints[3].state = pm::JointState::unlabelled;
  joints[5].state = pm::JointState::outside;
  const pm::Box whole{-10, 0, 100, 100};
  const pm::Box first = pm::close_up_square(joints, whole, 0);  // of 0, 20, 40, 80: 0 and 20
  CHECK(first.width == doctest::Approx(40));                    // 1.5 * 20 is less than 0.4 of the whole
  CHECK(pm::centre(first).x == doctest::Approx(10.5));          // boxes count from a pixel's edge
  CHECK(pm::centre(first).y == doctest::Approx(50.5));
  const pm::Box last = pm::close_up_square(joints, whole, 0.99);  // 80 and 40
  CHECK(last.width == doctest::Approx(60));
  CHECK(pm::centre(last).x == doctest::Approx(60.5));
  CHECK(pm::close_up_square(joints, {0, 0, 50, 50}, 0.99).width == doctest::Approx(50));  // never more than the whole
  joints[0].weight = 0;
  const pm::Box few = pm::close_up_square(joints, whole, 0.5);  // three joints are left: too few
  CHECK((few.x == whole.x && few.y == whole.y && few.width == whole.width));
}

TEST_CASE("hide: the pixels whose centres lie in the cutout, and no other") {
  for (const pm::Box& cutout : {pm::Box{2.4, 1.6, 3.2, 1.0}, pm::Box{-3, -3, 5, 5}, pm::Box{6, 4, 9, 9}, pm::Box{}}) {
    std::vector<float> pixels(3 * 6 * 8, 1.0f);
    pm::hide(cutout, {6, 8}, pixels.data());
    for (int i = 0; i < 3 * 6 * 8; ++i) {
      const double x = i % 8 + 0.5, y = i / 8 % 6 + 0.5;
      const bool inside = x >= cutout.x && x < cutout.x + cutout.width && y >= cutout.y && y < cutout.y + cutout.height;
      CHECK(pixels[std::size_t(i)] == (inside ? 0.0f : 1.0f));
    }
  }
}

}  // namespace augment_test
