// Code in the documentation is cut from compiled examples: every marked block equals what stands between its markers.
#include "environment.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace snippets_test {

namespace fs = std::filesystem;

namespace {

fs::path root() { return test_environment::source_dir(); }

std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin) == std::string::npos ? text.size() : text.find('\n', begin);
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

// What stands between "// docs: begin NAME" and "// docs: end NAME", moved left as the first marker is.
std::string cut(const std::string& source, const std::string& name) {
  std::string block;
  std::size_t indent = 0;
  bool inside = false;
  for (const std::string& line : lines_of(source)) {
    if (line.ends_with("// docs: end " + name)) return block;
    if (inside) block += line.substr(line.size() < indent ? line.size() : indent) + "\n";
    if (line.ends_with("// docs: begin " + name)) {
      inside = true;
      indent = line.find("// docs");
    }
  }
  return "";
}

// "<!-- cut: examples/file.cpp name -->", then a fenced block.
struct Snippet {
  fs::path page;
  std::string file;
  std::string name;
  std::string code;
};

std::vector<Snippet> snippets() {
  std::vector<fs::path> pages{root() / "README.md"};
  for (const auto& entry : fs::recursive_directory_iterator(root() / "docs")) {
    if (entry.path().extension() == ".md") pages.push_back(entry.path());
  }
  constexpr std::string_view marker = "<!-- cut: ";
  std::vector<Snippet> found;
  for (const fs::path& page : pages) {
    const std::vector<std::string> lines = lines_of(contents(page));
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (!lines[i].starts_with(marker)) continue;
      const std::string words = lines[i].substr(marker.size(), lines[i].find(" -->") - marker.size());
      Snippet snippet{page, words.substr(0, words.find(' ')), words.substr(words.find(' ') + 1), ""};
      for (i += 2; i < lines.size() && lines[i] != "```"; ++i) snippet.code += lines[i] + "\n";
      found.push_back(snippet);
    }
  }
  return found;
}

// A page without its fenced blocks, in which "[](" begins a function.
std::string without_code(const std::string& page) {
  std::string text;
  bool code = false;
  for (const std::string& line : lines_of(page)) {
    if (line.starts_with("```")) {
      code = !code;
    } else if (!code) {
      text += line + "\n";
    }
  }
  return text;
}

}  // namespace

TEST_CASE("docs: every marked block of code is what the compiled example has between its markers") {
  const std::vector<Snippet> all = snippets();
  CHECK(all.size() >= 5);
  for (const Snippet& snippet : all) {
    INFO(snippet.page.string() << ": " << snippet.file << " " << snippet.name);
    CHECK(!snippet.code.empty());
    CHECK(snippet.code == cut(contents(root() / snippet.file), snippet.name));
  }
}

TEST_CASE("docs: links to files of the project lead somewhere") {
  for (const auto& entry : fs::recursive_directory_iterator(root() / "docs")) {
    if (entry.path().extension() != ".md") continue;
    const std::string text = without_code(contents(entry.path()));
    for (std::size_t at = 0; (at = text.find("](", at)) != std::string::npos; ++at) {
      const std::string target = text.substr(at + 2, text.find_first_of(")#", at + 2) - at - 2);
      if (target.empty() || target.starts_with("http")) continue;
      INFO(entry.path().string() << " links to " << target);
      CHECK(fs::exists(entry.path().parent_path() / target));
    }
  }
}

}  // namespace snippets_test
