// The tool's options for shells and for man: written from the parser's own tables, so that they cannot differ from it.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace tool {

/// A completion script for "bash" or "zsh".
std::string completion_script(const CLI::App& app, const std::string& shell);

/// A manual page, section 1, in man(7)'s language.
std::string manual_page(const CLI::App& app);

/// Which of its options the user may have meant where `word` is none; empty where none is near.
std::string nearest_option(const CLI::App& app, const std::string& word);

}  // namespace tool
