// A small font of ASCII characters, for labels on pictures.
#pragma once

#include <posemachine/core/config.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Glyphs are grids of 5 x 9 dots: capitals stand on the seventh row, two more are for what hangs below the line.
/// Characters follow each other at 6 dots.
inline constexpr int glyph_width = 5;
inline constexpr int glyph_height = 9;
inline constexpr int capital_height = 7;
inline constexpr int glyph_advance = 6;

namespace detail {

/// 45 bits, row by row from the top left dot, which is bit 44.
struct Glyph {
  char character;
  std::uint64_t dots;
};

// clang-format off
inline constexpr auto glyphs = std::to_array<Glyph>({
    {'!', 0x042108401000}, {'#', 0x0a57d5f52800}, {'%', 0x19c88889cc00}, {'(', 0x022210820800}, {')', 0x082084222000},
    {'*', 0x00abbeea8000}, {'+', 0x00213e420000}, {',', 0x000000063088}, {'-', 0x00001c000000}, {'.', 0x000000063000},
    {'/', 0x010888884000}, {'0', 0x0e8c6b18b800}, {'1', 0x046108423800}, {'2', 0x0e8844447c00}, {'3', 0x1f110418b800},
    {'4', 0x0232a5f10800}, {'5', 0x1f878218b800}, {'6', 0x06443d18b800}, {'7', 0x1f0888421000}, {'8', 0x0e8c5d18b800},
    {'9', 0x0e8c5e113000}, {':', 0x000318063000}, {';', 0x000318063088}, {'<', 0x011110410400}, {'=', 0x0007c1f00000},
    {'>', 0x104104444000}, {'?', 0x0e8844401000}, {'@', 0x0e8deb683800}, {'A', 0x0e8c7f18c400}, {'B', 0x1e8c7d18f800},
    {'C', 0x0e8c2108b800}, {'D', 0x1e8c6318f800}, {'E', 0x1f843d087c00}, {'F', 0x1f843d084000}, {'G', 0x0e8c2f18b800},
    {'H', 0x118c7f18c400}, {'I', 0x0e2108423800}, {'J', 0x071084293000}, {'K', 0x119531494400}, {'L', 0x108421087c00},
    {'M', 0x11dd6318c400}, {'N', 0x118e6b38c400}, {'O', 0x0e8c6318b800}, {'P', 0x1e8c7d084000}, {'Q', 0x0e8c63593400},
    {'R', 0x1e8c7d494400}, {'S', 0x0f841c10f800}, {'T', 0x1f2108421000}, {'U', 0x118c6318b800}, {'V', 0x118c63151000},
    {'W', 0x118c6b5dc400}, {'X', 0x118a88a8c400}, {'Y', 0x118a88421000}, {'Z', 0x1f0888887c00}, {'[', 0x0e4210843800},
    {']', 0x0e1084213800}, {'_', 0x0000000003e0}, {'a', 0x000382f8bc00}, {'b', 0x1087a318f800}, {'c', 0x0003a108b800},
    {'d', 0x010be318bc00}, {'e', 0x0003a3f83800}, {'f', 0x064a38842000}, {'g', 0x0003e318bc2e}, {'h', 0x1087a318c400},
    {'i', 0x040308423800}, {'j', 0x020184210a4c}, {'k', 0x1084a98a4800}, {'l', 0x0c2108423800}, {'m', 0x0006ab5ad400},
    {'n', 0x0007a318c400}, {'o', 0x0003a318b800}, {'p', 0x0007a318fa10}, {'q', 0x0003e318bc21}, {'r', 0x0005b3084000},
    {'s', 0x0003e0e0f800}, {'t', 0x084710849800}, {'u', 0x00046319b400}, {'v', 0x000463151000}, {'w', 0x0004635aa800},
    {'x', 0x000454454400}, {'y', 0x00046318bc2e}, {'z', 0x0007c4447c00},
});
// clang-format on

inline constexpr std::uint64_t unknown_glyph = 0x1f8c6318fc00;  // a frame

constexpr std::uint64_t glyph_dots(char character) {
  if (character == ' ') return 0;
  for (const Glyph& glyph : glyphs) {
    if (glyph.character == character) return glyph.dots;
  }
  return unknown_glyph;
}

}  // namespace detail

/// Whether a character's glyph has a dot in a row and column; no dot lies outside the grid. Characters the font lacks
/// are frames.
constexpr bool glyph_dot(char character, int row, int column) {
  if (row < 0 || row >= glyph_height || column < 0 || column >= glyph_width) return false;
  return (detail::glyph_dots(character) >> (glyph_height * glyph_width - 1 - (row * glyph_width + column))) & 1;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
