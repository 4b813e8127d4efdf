// The tool's options for shells and for man.
#include "manual.hpp"

#include <posemachine/base/text.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/networks/registry.hpp>

#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pm = posemachine;

namespace tool {

namespace {

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

// Those of a command, -q and the like of the whole program included.
std::vector<const CLI::Option*> options_of(const CLI::App& app) {
  std::vector<const CLI::Option*> options;
  for (const CLI::Option* const option : app.get_options()) {
    if (option->nonpositional()) options.push_back(option);
  }
  return options;
}

// The words that an option takes, "TEXT:{on,off}" having two; none where any text may follow.
std::vector<std::string> words_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::size_t begin = type.find('{'), end = type.find('}');
  std::vector<std::string> words;
  if (begin == std::string::npos || end == std::string::npos) return words;
  std::string word;
  for (const char character : type.substr(begin + 1, end - begin - 1) + ",") {
    if (character != ',') {
      word += character;
    } else if (!word.empty()) {
      words.push_back(word);
      word.clear();
    }
  }
  return words;
}

bool takes_value(const CLI::Option& option) { return option.get_expected_max() > 0; }

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : std::string(between)) + word;
  return text;
}

// A command that wants a network can be given a named one.
std::vector<std::string> positional_words(const CLI::App& app) {
  std::vector<std::string> words;
  for (const CLI::App* const command : commands_of(app)) words.push_back(command->get_name());
  for (const CLI::Option* const option : app.get_options()) {
    if (!option->get_positional() || option->get_name(true).find("NET") == std::string::npos) continue;
    for (const pm::NamedNetwork& network : pm::networks) words.emplace_back(network.name);
    break;
  }
  return words;
}

// As an identifier of a shell.
std::string identifier(std::string text) {
  for (char& character : text) {
    if (std::isalnum(static_cast<unsigned char>(character)) == 0) character = '_';
  }
  return text;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// Cases of the command words so far: " estimate", " dataset check".
void add_bash_cases(const CLI::App& app, const std::string& path, std::string& script) {
  std::vector<std::string> names;
  std::string values;
  for (const CLI::Option* const option : options_of(app)) {
    const std::vector<std::string> own = names_of(*option);
    names.insert(names.end(), own.begin(), own.end());
    if (!takes_value(*option)) continue;
    values += "        " + joined(own, "|") + ") words='" + joined(words_of(*option), " ") + "'; value=1 ;;\n";
  }
  script += "    '" + path + "')\n      options='" + joined(names, " ") + "'\n      words='" +
            joined(positional_words(app), " ") + "'\n";
  if (!values.empty()) script += "      case \"$previous\" in\n" + values + "      esac\n";
  script += "      ;;\n";
  for (const CLI::App* const command : commands_of(app)) {
    add_bash_cases(*command, path + " " + command->get_name(), script);
  }
}

void add_command_paths(const CLI::App& app, const std::string& path, std::vector<std::string>& paths) {
  for (const CLI::App* const command : commands_of(app)) {
    const std::string own = path + " " + command->get_name();
    paths.push_back(own);
    add_command_paths(*command, own, paths);
  }
}

std::string bash_script(const CLI::App& app) {
  std::vector<std::string> paths;
  add_command_paths(app, "", paths);
  std::string patterns;
  for (const std::string& path : paths) patterns += (patterns.empty() ? "'" : "|'") + path + "'";
  std::string script =
      "# Completion of posemachine for bash: source <(posemachine --completion bash)\n"
      "_posemachine() {\n"
      "  local current=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
      "  local path='' options='' words='' value='' word\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    case \"$path $word\" in\n"
      "      " +
      patterns +
      ") path=\"$path $word\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$path\" in\n";
  add_bash_cases(app, "", script);
  script +=
      "  esac\n"
      "  COMPREPLY=()\n"
      "  if [[ -z \"$value\" && \"$current\" == -* ]]; then words=\"$options\"; fi\n"
      "  while IFS= read -r word; do [[ -n \"$word\" ]] && COMPREPLY+=(\"$word\"); done < <(compgen -W \"$words\" -- "
      "\"$current\")\n"
      "}\n"
      "complete -o default -F _posemachine posemachine\n";
  return script;
}

// Within '...[...]' of _arguments.
std::string zsh_text(const std::string& text) {
  std::string out;
  for (const char character : text) {
    if (character == '\'') {
      out += "'\\''";
    } else {
      if (character == '[' || character == ']' || character == ':' || character == '\\') out += '\\';
      out += character;
    }
  }
  return out;
}

void add_zsh_function(const CLI::App& app, const std::string& name, std::string& script) {
  std::string arguments;
  for (const CLI::Option* const option : options_of(app)) {
    const std::vector<std::string> words = words_of(*option);
    const std::string value = !takes_value(*option) ? ""
                              : words.empty()       ? ":value:_files"
                                                    : ":value:(" + joined(words, " ") + ")";
    for (const std::string& each : names_of(*option)) {
      arguments += " \\\n    '*" + each + "[" + zsh_text(first_line(option->get_description())) + "]" + value + "'";
    }
  }
  const std::vector<const CLI::App*> commands = commands_of(app);
  script += name + "() {\n";
  if (commands.empty()) {
    const std::vector<std::string> words = positional_words(app);
    const std::string files = words.empty() ? "_files" : name + "_words";
    script += "  _arguments" + arguments + " \\\n    '*:argument:" + files + "'\n}\n";
    if (!words.empty()) {
      script += name + "_words() { compadd -- " + joined(words, " ") + "; _files }\n";
    }
    return;
  }
  script += "  local context state line\n  _arguments -C" + arguments +
            " \\\n    '1:command:->command' '*::argument:->argument'\n"
            "  case $state in\n    command)\n      local -a commands=(";
  for (const CLI::App* const command : commands) {
    script += "\n        '" + command->get_name() + ":" + zsh_text(first_line(command->get_description())) + "'";
  }
  script += ")\n      _describe command commands ;;\n    argument)\n      case $line[1] in\n";
  for (const CLI::App* const command : commands) {
    script += "        " + command->get_name() + ") " + name + "_" + identifier(command->get_name()) + " ;;\n";
  }
  script += "      esac ;;\n  esac\n}\n";
  for (const CLI::App* const command : commands) {
    add_zsh_function(*command, name + "_" + identifier(command->get_name()), script);
  }
}

std::string zsh_script(const CLI::App& app) {
  std::string script = "#compdef posemachine\n# Completion of posemachine for zsh: a file _posemachine in $fpath\n";
  add_zsh_function(app, "_posemachine", script);
  return script +
         "if [ \"$funcstack[1]\" = _posemachine ]; then _posemachine \"$@\"; else compdef _posemachine posemachine; "
         "fi\n";
}

// Text as man(7) shows it as it is.
std::string roff(const std::string& text) {
  std::string out;
  bool begins = true;
  for (const char character : text) {
    if (begins && (character == '.' || character == '\'')) out += "\\&";
    if (character == '\\') {
      out += "\\e";
    } else if (character == '-') {
      out += "\\-";
    } else {
      out += character;
    }
    begins = character == '\n';
  }
  return out;
}

// Lines as they are.
std::string roff_lines(const std::string& text) { return text.empty() ? "" : ".nf\n" + roff(text) + "\n.fi\n"; }

void add_roff_option(const CLI::Option& option, std::string& page) {
  std::string head = option.nonpositional() ? joined(names_of(option), ", ") : option.get_name(true);
  if (takes_value(option) && option.nonpositional()) head += " " + option.get_type_name();
  page += ".TP\n.B " + roff(head) + "\n";
  // A list keeps its lines.
  const std::string& description = option.get_description();
  page += description.find('\n') == std::string::npos ? roff(description) + "\n" : roff_lines(description);
  if (!option.get_default_str().empty()) page += ".br\nDefault: " + roff(option.get_default_str()) + "\n";
}

void add_roff_command(const CLI::App& app, const std::string& path, std::string& page) {
  page += ".SS " + roff(path) + "\n" + roff(app.get_description()) + "\n";
  for (const CLI::Option* const option : app.get_options()) {
    if (option->get_positional()) add_roff_option(*option, page);
  }
  for (const CLI::Option* const option : options_of(app)) {
    if (option->check_name("--help")) continue;
    add_roff_option(*option, page);
  }
  // A command without a footer has its parent's, which ends the page.
  if (!app.get_footer().empty() && app.get_footer() != app.get_parent()->get_footer())
    page += ".PP\n" + roff_lines(app.get_footer());
  for (const CLI::App* const command : commands_of(app)) {
    add_roff_command(*command, path + " " + command->get_name(), page);
  }
}

}  // namespace

std::string completion_script(const CLI::App& app, const std::string& shell) {
  return shell == "zsh" ? zsh_script(app) : bash_script(app);
}

std::string manual_page(const CLI::App& app) {
  const std::string version = std::to_string(POSEMACHINE_VERSION_MAJOR) + "." +
                              std::to_string(POSEMACHINE_VERSION_MINOR) + "." +
                              std::to_string(POSEMACHINE_VERSION_PATCH);
  std::string page =
      ".TH POSEMACHINE 1 \"\" \"posemachine " + version + "\" \"User Commands\"\n.SH NAME\nposemachine \\- " +
      "human pose estimation on processors\n.SH SYNOPSIS\n.B posemachine\n[\\fIoptions\\fR] \\fIcommand\\fR " +
      "[\\fIarguments\\fR]\n.SH DESCRIPTION\n" + roff(app.get_description()) + "\n.SH OPTIONS\n";
  for (const CLI::Option* const option : options_of(app)) add_roff_option(*option, page);
  page += ".SH COMMANDS\n";
  for (const CLI::App* const command : commands_of(app)) add_roff_command(*command, command->get_name(), page);
  return page + ".SH EXIT STATUS\n" + roff_lines(app.get_footer());
}

std::string nearest_option(const CLI::App& app, const std::string& word) {
  std::vector<std::string> known;
  for (const CLI::App* of = &app; of != nullptr; of = of->get_parent()) {
    for (const CLI::Option* const option : options_of(*of)) {
      const std::vector<std::string> names = names_of(*option);
      known.insert(known.end(), names.begin(), names.end());
    }
  }
  const std::string name = word.substr(0, word.find('='));
  for (const std::string& each : known) {
    if (name.size() > 3 && each.starts_with(name)) return "did you mean \"" + each + "\"?";
  }
  return pm::did_you_mean(name, known);
}

}  // namespace tool
