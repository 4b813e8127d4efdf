// PictureCache: what is kept, for how many bytes, and that nothing is counted twice.
#include <posemachine/core/image.hpp>
#include <posemachine/data/picture_cache.hpp>
#include <posemachine/data/reduced_image.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace picture_cache_test {

using namespace posemachine;

namespace {

PictureCache::Picture picture(int width, int height, int factor = 1) {
  return std::make_shared<const ReducedImage>(
      ReducedImage{.picture = Image(width, height), .whole = {height * factor, width * factor}, .factor = factor});
}

ChooseReduction always(int factor) {
  return [factor](Size) { return factor; };
}

}  // namespace

TEST_CASE("PictureCache: a picture is the same object until the end, and found at its own factor alone") {
  PictureCache cache(1000);
  CHECK(cache.find("a.jpg", always(1)) == nullptr);
  const auto whole = picture(10, 6), halved = picture(5, 3, 2);
  CHECK(cache.keep("a.jpg", whole) == whole);
  CHECK(cache.keep("a.jpg", halved) == halved);
  CHECK(cache.find("a.jpg", {}) == whole);
  CHECK(cache.find("a.jpg", always(2)) == halved);
  CHECK(cache.find("a.jpg", always(4)) == nullptr);
  CHECK(cache.find("b.jpg", always(1)) == nullptr);
  CHECK(cache.count() == 2);
  CHECK(cache.bytes() == 10 * 6 * 3 + 5 * 3 * 3);
  Size asked;
  cache.find("a.jpg", [&](Size size) {
    asked = size;
    return 2;
  });
  CHECK(asked == Size{6, 10});
}

TEST_CASE("PictureCache: the budget holds the first ones that fit, to the byte; none goes for another") {
  PictureCache cache(3 * 100 + 3 * 50);
  const auto first = picture(10, 10), large = picture(10, 6), last = picture(5, 10);
  CHECK(cache.keep("first", first) == first);
  CHECK(cache.keep("large", large) == large);  // to be used, but not kept
  CHECK(cache.find("large", {}) == nullptr);
  CHECK(cache.bytes() == 300);
  cache.keep("last", last);
  CHECK(cache.bytes() == cache.budget());
  cache.keep("more", picture(1, 1));
  CHECK(cache.find("more", {}) == nullptr);
  CHECK(cache.find("first", {}) == first);
  CHECK(cache.find("last", {}) == last);
  CHECK(cache.count() == 2);
  PictureCache none(0);
  none.keep("a", picture(1, 1));
  CHECK(none.bytes() == 0);
}

TEST_CASE("PictureCache: bytes are those allocated, of every kind of picture") {
  PictureCache cache(100'000);
  DepthImage depth(7, 5);
  depth.pixels.reserve(1000);
  auto kept = std::make_shared<const ReducedImage>(ReducedImage{.picture = std::move(depth), .whole = {5, 7}});
  cache.keep("depth", kept);
  CHECK(cache.bytes() == std::get<DepthImage>(kept->picture).pixels.capacity() * 2);
  CHECK(cache.bytes() >= 2000);
}

TEST_CASE("PictureCache: of two that decoded one photograph the first is kept and used by both, and counted once") {
  PictureCache cache(1000);
  const auto mine = picture(4, 4), theirs = picture(4, 4);
  CHECK(cache.keep("a", mine) == mine);
  CHECK(cache.keep("a", theirs) == mine);
  CHECK(cache.bytes() == 48);
  CHECK(cache.count() == 1);
}

TEST_CASE("PictureCache: many threads never go beyond the budget, and count each picture once") {
  constexpr int files = 40, fit = 25;
  PictureCache cache(fit * 300);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 4 * files; ++i) {
        const std::string file = "p" + std::to_string((i * 7 + thread * 3) % files);
        if (cache.find(file, always(1)) == nullptr) cache.keep(file, picture(10, 10));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(cache.count() == fit);
  CHECK(cache.bytes() == cache.budget());
}

}  // namespace picture_cache_test
